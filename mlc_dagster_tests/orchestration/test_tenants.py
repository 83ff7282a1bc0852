"""The same orders through tenants that differ: other names, no $expand, no modified column. The same purchases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mlc_dagster.sandbox import Tenant
from mlc_dagster_tests.orchestration.conftest import World

pytestmark = pytest.mark.slow  # whole Dagster runs, or whole processes: a minute of them and more

RENAMED = Tenant(
    projections={"PurchaseOrderSet": "AcmeOrders"},
    sets={"PurchaseOrderSet": "PoSet", "PurchaseOrderLineSet": "PoLineSet"},
    navigations={"PurchaseOrderLines": "PoLines"},
    fields={
        "PurchaseOrderSet": {"OrderNo": "PoNo", "LastModified": "Rowversion", "VendorNo": "SupplierNo"},
        "PurchaseOrderLineSet": {"OrderNo": "PoNo", "Account": "GlAccount"},
    },
)
RENAMED_SETTINGS: dict[str, Any] = {
    "entity_sets": {
        "purchase_order_set": {
            "projection": "AcmeOrders",
            "set": "PoSet",
            "fields": {"order_no": "PoNo", "last_modified": "Rowversion", "vendor_no": "SupplierNo"},
            "lines": {
                "navigation": "PoLines",
                "set": "PoLineSet",
                "fields": {"order_no": "PoNo", "account": "GlAccount"},
            },
        }
    }
}
SETS = ("supplier_set", "purchase_order_set", "posting_proposal_head_set", "voucher_set")
SWEEP: dict[str, Any] = {"entity_sets": {name: {"delta": "sweep"} for name in SETS}}

KINDS = {
    "as the catalogue says": (Tenant(), {}),
    "other names": (RENAMED, RENAMED_SETTINGS),
    "other names, without $expand": (Tenant(**{**RENAMED.__dict__, "expand": False}), RENAMED_SETTINGS),
    "without $expand": (Tenant(expand=False), {}),
    "without $count": (Tenant(count=False), {}),
    "with nextLink": (Tenant(next_link=True), {}),
    "without a modified column": (Tenant(modified=False), SWEEP),
    "without $metadata": (Tenant(metadata="none"), {}),
    "with $metadata by the Accept header": (Tenant(metadata="by accept"), {}),
    "with $metadata as JSON": (Tenant(metadata="json"), {}),
    "with 406 to a JSON Accept of $metadata": (Tenant(metadata="406"), {}),
    "with a web page for $metadata": (Tenant(metadata="page"), {}),
}


@pytest.mark.parametrize("world", KINDS.values(), ids=list(KINDS), indirect=True)
def test_every_tenant_gives_the_same_purchases(world: World) -> None:
    world.chart()
    today = datetime.now(UTC).replace(microsecond=0)
    for number in range(12):
        world.put_order(f"P'{number}/50%", price=f"{number}.25", at=today)
    world.put_supplier("S1")
    supplier = world.box.ifs.rows("SupplierSet")[0]
    world.box.ifs.put("SupplierSet", supplier, modified=today)
    result = world.run("cin7", today.date().isoformat())
    assert result.success
    totals = {
        p["AdditionalAttributes"]["AdditionalAttribute1"]: p["Order"]["Total"]
        for p in world.box.cin7.purchases.values()
    }
    expected = {f"0010/P'{n}%2F50%25": n * 2 + 0.5 for n in range(1, 12)}
    assert {marker: float(total) for marker, total in totals.items() if marker in expected} == expected
    writes = len(world.box.journal("cin7"))
    assert world.run("cin7", today.date().isoformat()).success
    assert len(world.box.journal("cin7")) == writes
