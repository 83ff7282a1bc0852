"""A flow keeps what it needs of the flows that are on, and asks nothing of those that are off."""

from __future__ import annotations

from mlc_dagster.core.flows import Flow
from mlc_dagster.orchestration.automation.planning import in_order_of_need
from mlc_dagster.orchestration.location import switched_on
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.registry import systems

ORDER = ifs.PurchaseOrder(
    order_no="P1",
    company="0010",
    vendor_no="S1",
    lines=(ifs.PurchaseOrderLine(line_no="1", release_no="1", account="4010"),),
)


def on(system: str, off: str = "") -> dict[str, Flow]:
    flows = switched_on(systems()[system].flows, {off: "off"} if off else {})
    return {flow.name: flow for flow in flows}


def test_orders_still_know_their_supplier_where_the_accounts_board_is_off() -> None:
    flow = on("monday", "monday/accounts")["monday/purchase_orders"]
    assert (flow.needs, flow.links, flow.names) == (("monday/suppliers",), (), ("monday/suppliers",))
    assert flow.needs_key and flow.needs_key(ORDER) == {"monday/suppliers": "S1"}


def test_orders_still_link_to_accounts_where_the_suppliers_board_is_off() -> None:
    flow = on("monday", "monday/suppliers")["monday/purchase_orders"]
    assert (flow.needs, flow.links, flow.names) == ((), ("monday/accounts",), ())
    assert flow.needs_key and flow.needs_key(ORDER) == {"monday/accounts": ("0010/4010",)}


def test_an_invoice_still_knows_its_supplier_where_purchases_are_off() -> None:
    """Without that each of them would be held for a supplier that is there."""
    flow = on("cin7", "cin7/purchases")["cin7/purchase_invoices"]
    invoice = ifs.PostingProposal(company="0010", proposal_id=1, supplier_id="S1", po_reference="P1")
    assert flow.needs == ("cin7/suppliers",) and flow.needs_key
    assert flow.needs_key(invoice) == {"cin7/suppliers": "S1"}


def test_what_a_second_account_refers_to_is_its_own() -> None:
    flows = tuple(flow.under("monday_us") for flow in systems()["monday"].flows)
    (flow,) = (each for each in switched_on(flows, {"monday_us/accounts": "off"}) if each.name == "monday_us/invoices")
    assert (flow.needs, flow.links, flow.names) == (("monday_us/suppliers",), (), ("monday_us/suppliers",))
    invoice = ifs.PostingProposal(company="0010", proposal_id=1, supplier_id="S1")
    assert flow.needs_key and flow.needs_key(invoice) == {"monday/suppliers": "S1"}  # by its system's own names


def test_a_plan_has_accounts_before_what_links_to_them() -> None:
    names = [name for name, _ in in_order_of_need(list(on("monday").values()), ["2026-11-30"])]
    assert names.index("monday/accounts") < names.index("monday/purchase_orders")
