"""A set that mlc.yaml puts on another surface is asked for there, with all that belongs to it."""

from __future__ import annotations

from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.odata.expressions import service
from mlc_dagster.systems.ifs.schema.parts import lines_alone
from mlc_dagster.systems.ifs.settings import IfsSettings

BASE = "https://erp.test"
INT = f"{BASE}/int/ifsapplications/entity/v1"


def order_set(**said: object) -> object:
    section = IfsSettings.model_validate(
        {
            "base_url": BASE,
            "token_url": f"{BASE}/token",
            "catalogue": "seed",
            "entity_sets": {"purchase_order_set": said},
        }
    )
    return ifs.catalogue_for(section)["purchase_order_set"]


def test_the_usual_surface_needs_no_address_whether_it_is_named_or_not() -> None:
    assert order_set() == order_set(surface="main") == order_set(surface="/main/ifsapplications/projection/v1/")
    assert service(ifs.PURCHASE_ORDERS) == "/PurchaseOrderHandling.svc"


def test_lines_are_where_their_header_is_unless_they_say_otherwise() -> None:
    for said, header, lines in (
        ({"surface": "int"}, INT, INT),
        ({"lines": {"surface": "int"}}, "", INT),
        ({"surface": "int", "lines": {"surface": "int"}}, INT, INT),
        ({"surface": "int", "lines": {"surface": "main"}}, INT, f"{BASE}/main/ifsapplications/projection/v1"),
        ({"surface": "/own/v1"}, f"{BASE}/own/v1", f"{BASE}/own/v1"),
    ):
        entity = order_set(**said)
        assert isinstance(entity, type(ifs.PURCHASE_ORDERS)) and entity.lines
        assert service(entity) == f"{header}/PurchaseOrderHandling.svc"
        assert service(lines_alone(entity, entity.lines)) == f"{lines}/PurchaseOrderHandling.svc"
