"""Supplier invoices of IFS become Airbase's bills, or a line on their order. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mlc_dagster.core.amounts import currency_decimals
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.rules.chart_agreement import subsidiary_of
from mlc_dagster.rules.payables import placed_difference
from mlc_dagster.systems.airbase.bills.records import Bill, BillLine, OrderInvoice
from mlc_dagster.systems.airbase.mapping import PURCHASE_ORDERS_FLOW, VENDORS_FLOW
from mlc_dagster.systems.airbase.spend.vouchers import INVOICES_OUT_FLOW
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.shared.invoice_lines import in_invoice_currency

SUPPLIER_INVOICES_FLOW, ORDER_INVOICES_FLOW = INVOICES_OUT_FLOW, "airbase/order_invoices"


def bill_from_proposal(proposal: ifs.PostingProposal, facts: Facts) -> Bill:
    """A posting proposal becomes a bill: a line for each of its lines, and one for its tax."""
    order_no = proposal.po_reference or None
    rest = placed_difference(proposal.net_amount, proposal.vat_amount, proposal.gross_amount, facts)
    net = proposal.net_amount
    return Bill(
        key=_key(proposal),
        company=proposal.company,
        subsidiary=subsidiary_of(proposal.company, facts.companies),
        supplier_no=proposal.supplier_id,
        supplier_id=facts.remote_id(VENDORS_FLOW, key_text(proposal.supplier_id)),
        invoice_number=(proposal.invoice_no or "").strip() or None,
        order_no=order_no,
        purchase_id=facts.remote_id(PURCHASE_ORDERS_FLOW, key_text(order_no)) if order_no else None,
        currency=proposal.currency_code,
        decimals=currency_decimals(proposal.currency_code, facts.companies.get(proposal.company)),
        invoice_date=proposal.invoice_date,
        due_date=proposal.due_date,
        state=proposal.obj_state,
        remark=proposal.text,
        stated_net=net + rest if rest and net is not None else net,
        stated_tax=proposal.vat_amount,
        stated_gross=proposal.gross_amount,
        lines=tuple(_lines(proposal, rest, facts)),
    )


def invoice_on_its_order(proposal: ifs.PostingProposal, facts: Facts) -> OrderInvoice:
    """A posting proposal becomes a line of what its order shows; one that is cancelled stays in sight, at its state."""
    ended = facts.options.get("not_delivered_states", "Cancelled").split(",")
    order_no = proposal.po_reference or None
    return OrderInvoice(
        key=_key(proposal),
        company=proposal.company,
        order_no=order_no,
        purchase_id=facts.remote_id(PURCHASE_ORDERS_FLOW, key_text(order_no)) if order_no else None,
        supplier_no=proposal.supplier_id,
        invoice_number=(proposal.invoice_no or "").strip() or None,
        amount=proposal.gross_amount,
        net=proposal.net_amount,
        currency=proposal.currency_code,
        decimals=currency_decimals(proposal.currency_code, facts.companies.get(proposal.company)),
        state=proposal.obj_state,
        counts=proposal.obj_state not in {state.strip() for state in ended},
    )


def _lines(proposal: ifs.PostingProposal, rest: Decimal, facts: Facts) -> Iterator[BillLine]:
    key, rows = _key(proposal), sorted(proposal.lines, key=lambda line: line.row_id)
    for place, line in enumerate(rows, 1):
        amount = in_invoice_currency(proposal, line, facts)
        yield BillLine(
            where=f"line {line.row_id}",
            key=f"{key}/{line.row_id}",
            number=place,
            description=(line.text or proposal.text or f"{proposal.invoice_no or ''} {line.row_id}").strip(),
            price=amount,
            stated=amount,
            account=facts.account_in_target(line.account) if line.account else None,
        )
    if rest:
        account = facts.account_in_target(facts.options.get("payable_difference_account", ""))
        yield _extra(f"{key}/difference", len(rows) + 1, "Difference of the payable", rest, account)
    if tax := proposal.vat_amount:
        account = facts.options.get("bill_tax_account", "")
        yield _extra(f"{key}/tax", len(rows) + 1 + bool(rest), "Tax", tax, account, is_tax=True)


def _extra(key: str, place: int, text: str, amount: Decimal, account: str, *, is_tax: bool = False) -> BillLine:
    return BillLine(
        where=f"the {text.lower()}",
        key=key,
        number=place,
        description=text,
        price=amount,
        stated=amount,
        account=account or None,
        is_tax=is_tax,
    )


def _key(proposal: ifs.PostingProposal) -> str:
    return key_text(proposal.company, proposal.proposal_id)
