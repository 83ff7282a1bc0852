"""Found by the world machine: what a person had made again, while its source had changed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.world import erp, people, saas
from mlc_dagster_tests.world.erp import Deed
from mlc_dagster_tests.world.quiet import excused
from mlc_dagster_tests.world.scene import Scene, scene
from mlc_dagster_tests.world.views import VIEWS

SUPPLIERS = {
    "cin7/purchases": "cin7/suppliers",
    "airbase/purchase_orders": "airbase/vendors",
    "monday/purchase_orders": "monday/suppliers",
    "ifs/supplier_invoices_from_procurify": "ifs/suppliers_from_procurify",
}


def _cancelled(box: Sandbox, number: int, _: int) -> bool:
    return people.an_accountant_cancels_a_document(box, number, 0)


def _item_deleted(box: Sandbox, number: int, _: int) -> bool:
    return people.somebody_deletes_an_item(box, number, 1)


ORDER = erp.an_order_is_entered_or_edited
CASES: dict[str, tuple[Deed, Deed, str, tuple[int, int]]] = {
    "ifs/vouchers_from_airbase_requests": (saas.something_is_spent_or_amended, _cancelled, "rq-1", (3, 6)),
    "ifs/vouchers_from_airbase_payments": (saas.something_is_spent_or_amended, _cancelled, "pay-1", (1, 4)),
    "ifs/vouchers_from_airbase_bills": (saas.something_is_spent_or_amended, _cancelled, "bill-1", (2, 5)),
    "ifs/supplier_invoices_from_procurify": (
        *(saas.a_bill_is_entered_or_amended, _cancelled, saas.uuid_of(1)),
        (0, 1),
    ),
    "cin7/purchases": (ORDER, people.somebody_voids_a_purchase, "P1", (0, 1)),
    "airbase/purchase_orders": (ORDER, people.somebody_deletes_an_order, "P1", (0, 1)),
    "monday/purchase_orders": (ORDER, _item_deleted, "P1", (0, 1)),
}
"""Flow -> (what enters and amends it, what a person does to it in the target, its key, ways of two amounts)."""


@pytest.mark.promise("C40", "made again by a person while its source had changed: what differs is sent, held or told")
@pytest.mark.parametrize("flow", CASES)
def test_what_is_made_again_is_no_delivery_of_what_its_source_says_by_now(flow: str) -> None:
    """Seed 700214: the ledger took the source as it was by then for the one that was delivered."""
    enter, end, key, (first, then) = CASES[flow]
    with scene() as made:
        for number in (1, 2, 3):
            erp.a_supplier_is_entered_or_renamed(made.box, number, 0)
        enter(made.box, 1, first)
        made.go(*filter(None, [SUPPLIERS.get(flow)]), flow)
        assert end(made.box, 1, 0)
        enter(made.box, 1, then)
        made.look(flow)
        made.way(flow).recreate(key)
        assert _differs(made, flow, key)
        made.go(flow)
        made.look(flow)
        if flow.startswith("ifs/"):
            made.source_look(flow)
        assert not _differs(made, flow, key) or excused(made, VIEWS[flow]).get(key)


def _differs(made: Scene, flow: str, key: str) -> bool:
    view = VIEWS[flow]
    return _worth(view.source, made, key) != _worth(view.target, made, key)


def _worth(side: Callable[[Sandbox], Any], made: Scene, key: str) -> Decimal:
    found = dict(side(made.box))[key]
    return Decimal(found[0] if isinstance(found, tuple) else found)
