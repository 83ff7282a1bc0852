"""An approval in Airbase leads the supplier invoice that it names, in the ERP, from one state to another."""

from __future__ import annotations

from typing import Any

from mlc_dagster import rules
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.systems.airbase.approvals.purchase_types import (
    FROM,
    INVOICE_STATE,
    MAY_AUTHORISE,
    STATES_FLOW,
    TO,
    is_not_into,
)
from mlc_dagster.systems.airbase.spend.flows import request_scope
from mlc_dagster.systems.airbase.spend.later_life import content_of, fate_of
from mlc_dagster.systems.airbase.spend.records import PURCHASE_REQUESTS, PurchaseRequest
from mlc_dagster.systems.airbase.spend.rules import subsidiary_is_a_company
from mlc_dagster.systems.airbase.spend.vouchers import company_of
from mlc_dagster.systems.ifs.state_records import INVOICE_STATES, NOT_PAYABLE, InvoiceState

APPROVED = "airbase-approval-"
"""What the references of such changes begin with; no document carries it."""


def state_scope(request: PurchaseRequest, facts: Facts) -> str:
    """The same, of a purchase type that changes the state of its invoice."""
    return request_scope(request, facts) or is_not_into(INVOICE_STATE, request, facts)


def state_from_request(request: PurchaseRequest, facts: Facts) -> InvoiceState:
    """An approved request leads the invoice that it names from the one state to the other."""
    kind = request.purchase_type or ""
    return InvoiceState(
        external_ref=facts.reference(APPROVED, request.id),
        company=company_of(request, facts),
        supplier_id=request.supplier,
        invoice_no=request.invoice_number,
        amount=request.total_amount,
        currency=request.currency,
        from_state=facts.table(FROM).get(kind, ""),
        to_state=facts.table(TO).get(kind, ""),
        text=_text(request),
    )


def _text(request: PurchaseRequest) -> str:
    who = f" by {request.approved_by}" if request.approved_by else ""
    on = f" on {request.approved_date}" if request.approved_date else ""
    return f"Approved in Airbase{who}{on}, request {request.number or request.id}"


# --- what must be true ------------------------------------------------------------------------------------------------


def request_names_its_invoice(source: PurchaseRequest, target: Any, facts: Facts) -> Problem | None:
    """A request whose approval changes an invoice names it: its number, and a vendor that has a number of the ERP."""
    missing = []
    if not source.invoice_number:
        missing.append("the number of an invoice (airbase.fields.requests.invoice_number)")
    if not source.supplier:
        missing.append("a vendor with a number of the ERP (airbase.fields.requests.supplier)")
    if not missing:
        return None
    return Problem("request_names_its_invoice", f"It does not name {' nor '.join(missing)}. Enter it in Airbase.")


def approval_is_by_somebody(source: PurchaseRequest, target: Any, facts: Facts) -> Problem | None:
    """Airbase says who approved it: that stands in the invoice's text."""
    if source.approved_by:
        return None
    where = "Say where your tenant has it: airbase.fields.requests.approved_by."
    return Problem(
        "approval_is_by_somebody", f"Airbase does not say who approved it, and an invoice would move. {where}"
    )


def invoice_is_not_made_payable(source: Any, target: InvoiceState, facts: Facts) -> Problem | None:
    """The state to which an invoice is led is one in which nothing is paid, or mlc.yaml says that we may authorise."""
    if target.to_state in NOT_PAYABLE or facts.options.get(MAY_AUTHORISE) == "true":
        return None
    reason = f"In state {target.to_state} an invoice may be paid, and policies.may_authorise is not true in mlc.yaml."
    cure = f"Lead it to another state (such as {' or '.join(sorted({'PrelPosted'} & NOT_PAYABLE))}), or set that."
    return Problem("invoice_is_not_made_payable", f"{reason} {cure}", target.to_state)


FLOWS = (
    Flow(
        STATES_FLOW,
        PURCHASE_REQUESTS,
        INVOICE_STATES,
        state_from_request,
        rules=(
            subsidiary_is_a_company,
            request_names_its_invoice,
            approval_is_by_somebody,
            invoice_is_not_made_payable,
            rules.dates_can_be_meant,
            rules.required_fields_are_given,
            rules.texts_fit,
        ),
        scope=state_scope,
        marks=APPROVED,
        fate=fate_of,
        substance=content_of,
        leaves_its_list=True,
        checks_accounts=False,
        description=(
            "Purchase requests that were approved in Airbase and name a supplier invoice of IFS: that invoice, where "
            "it is as it was approved, goes from the state that mlc.yaml names to the other one, by the tenant's own "
            "action, and who approved it stands in its text. Nothing is set back by itself."
        ),
    ),
)
