"""Found by the world machine: what was sent and not answered, and is gone in its source by the next run."""

from __future__ import annotations

import pytest

from mlc_dagster.core.difference_kinds import GONE_IN_THE_SOURCE
from mlc_dagster.pipeline.gone import UNANSWERED
from mlc_dagster_tests.world import erp, saas
from mlc_dagster_tests.world.breaking import Accidents
from mlc_dagster_tests.world.erp import Deed
from mlc_dagster_tests.world.scene import Scene, scene

SUPPLIER = (erp.a_supplier_is_entered_or_renamed, erp.a_supplier_is_deleted, "S1")
ORDER = (erp.an_order_is_entered_or_edited, erp.an_order_is_deleted, "P1")
PROPOSAL = (erp.a_proposal_is_entered_or_edited, erp.a_proposal_is_deleted, "0010/1")
PAYMENT = (saas.something_is_spent_or_amended, saas.something_is_deleted, "pay-1")
BILL = (saas.a_bill_is_entered_or_amended, saas.a_bill_is_deleted, saas.uuid_of(1))
CASES: dict[str, tuple[Deed, Deed, str]] = {
    "cin7/suppliers": SUPPLIER,
    "hubspot/supplier_companies": SUPPLIER,
    "airbase/vendors": SUPPLIER,
    "monday/suppliers": SUPPLIER,
    "procurify/vendors": SUPPLIER,
    "cin7/purchases": ORDER,
    "airbase/purchase_orders": ORDER,
    "monday/purchase_orders": ORDER,
    "hubspot/invoices": PROPOSAL,
    "cin7/purchase_invoices": PROPOSAL,
    "ifs/vouchers_from_airbase_payments": PAYMENT,
    "ifs/supplier_invoices_from_procurify": BILL,
}
BEFORE = {
    "cin7/purchases": "cin7/suppliers",
    "cin7/purchase_invoices": "cin7/suppliers",
    "hubspot/invoices": "hubspot/supplier_companies",
    "airbase/purchase_orders": "airbase/vendors",
    "monday/purchase_orders": "monday/suppliers",
    "ifs/supplier_invoices_from_procurify": "ifs/suppliers_from_procurify",
}
"""Flow -> that of the suppliers whom its documents name."""
WAY = 1  # a payment, of the things that are spent


@pytest.mark.promise("C39", "sent, killed before the answer, and deleted in the source by the next run: told by night")
@pytest.mark.parametrize("flow", CASES)
def test_what_was_sent_and_not_answered_and_is_gone_by_the_next_run_is_told(flow: str) -> None:
    """Seed 900023: nobody had an answer, no read showed the record any more, and nothing was told."""
    enter, delete, key = CASES[flow]
    broken: list[Accidents] = []
    with scene((), lambda call, when: broken[0].arrives(call, when) if broken else None) as made:
        _enter(made, flow, enter)
        broken.append(Accidents(made.ledger, at_call=(0, "after")))  # once the target has acted on the first write
        with broken[0].survived():
            made.go(flow)
        assert broken.pop().at_call is None, "nothing was sent"
        delete(made.box, 1, WAY)
        made.go(flow)
        _night(made, flow)
        told = [one for one in made.open(flow) if one.key == key and one.kind == GONE_IN_THE_SOURCE]
        assert [one.ours for one in told] == [UNANSWERED]
        enter(made.box, 1, WAY)  # entered once more: what is there is looked for, and what was told is over
        made.go(flow)
        _night(made, flow)
        assert not [one for one in made.open(flow) if one.kind == GONE_IN_THE_SOURCE]
        assert made.events(flow, key)[-1] != "sent"


def _enter(made: Scene, flow: str, enter: Deed) -> None:
    """With its supplier, who is delivered."""
    if flow in BEFORE and not flow.startswith("ifs/"):
        for number in (1, 2, 3):
            erp.a_supplier_is_entered_or_renamed(made.box, number, 0)
    enter(made.box, 1, WAY)
    made.go(*filter(None, [BEFORE.get(flow)]))


def _night(made: Scene, flow: str) -> None:
    if flow.startswith("ifs/"):
        made.source_look(flow)
    else:
        made.sweep(flow)
