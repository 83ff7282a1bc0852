"""What moves from Airbase into the ERP's books, and the word back that it arrived. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mlc_dagster import rules
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.systems.airbase.spend import rules as own
from mlc_dagster.systems.airbase.spend.records import (
    ACKNOWLEDGEMENTS,
    PAYMENTS,
    PURCHASE_REQUESTS,
    Acknowledgement,
    AcknowledgementField,
    Payment,
    PurchaseRequest,
    Spend,
)
from mlc_dagster.systems.airbase.spend.vouchers import PAYMENT, REQUEST, entry_from_payment, entry_from_request
from mlc_dagster.systems.ifs.entry_records import ENTRIES

REQUESTS_FLOW, PAYMENTS_FLOW = "ifs/vouchers_from_airbase_requests", "ifs/vouchers_from_airbase_payments"
DONE = "in the ERP already"


def request_scope(request: PurchaseRequest, facts: Facts) -> str:
    """Approved, and not acknowledged. A list whose filter is not heeded has all the others, too."""
    return _scope(request, facts.options["request_status"])


def payment_scope(payment: Payment, facts: Facts) -> str:
    """Waiting for the ERP, and of a type that is entered."""
    if payment.type not in facts.options["payment_types"].split(","):
        return f"type {payment.type or '(none)'}"
    return _scope(payment, facts.options["ledger_status"])


def _scope(document: Spend, status: str) -> str:
    if document.erp_reference_id or document.status == "sync_complete":
        return DONE
    return "" if document.status == status else f"status {document.status or '(none)'}"


def acknowledgement_of_request(request: PurchaseRequest, facts: Facts) -> Acknowledgement:
    return _acknowledgement(request, PURCHASE_REQUESTS.path, REQUESTS_FLOW, "acknowledge_requests", facts)


def acknowledgement_of_payment(payment: Payment, facts: Facts) -> Acknowledgement:
    return _acknowledgement(payment, PAYMENTS.path, PAYMENTS_FLOW, "acknowledge_payments", facts)


def _acknowledgement(document: Spend, of: str, flow: str, template: str, facts: Facts) -> Acknowledgement:
    voucher = facts.remote_id(flow, key_text(document.id))

    def said(text: str) -> str:
        return text.replace("{voucher}", voucher or "").replace("{remote_id}", document.id)

    fields = (
        tuple(AcknowledgementField(name=name, text=said(text)) for name, text in facts.table(template).items())
        if voucher
        else ()
    )
    return Acknowledgement(key=document.id, of=of, voucher=voucher, fields=fields)


def _needs(flow: str) -> Callable[[Spend], Mapping[str, str]]:
    return lambda document: {flow: key_text(document.id)}


_BOOKED = (
    own.dimensions_are_mapped,
    own.lines_make_the_total,
    own.company_amount_is_known,
    rules.gl_accounts_exist,
    rules.code_parts_exist,
    rules.currency_is_known,
    own.voucher_balances,
    rules.period_is_open,
    rules.required_fields_are_given,
    rules.texts_fit,
)

SPEND = (
    Flow(
        REQUESTS_FLOW,
        PURCHASE_REQUESTS,
        ENTRIES,
        entry_from_request,
        rules=(own.subsidiary_is_a_company, own.purchase_type_has_an_account, *_BOOKED),
        scope=request_scope,
        marks=REQUEST,
        description=(
            "Purchase requests that were approved in Airbase, as vouchers in IFS: a debit for each line on its account "
            "or that of its purchase type, with its department, against the accrual account."
        ),
    ),
    Flow(
        PAYMENTS_FLOW,
        PAYMENTS,
        ENTRIES,
        entry_from_payment,
        rules=(own.subsidiary_is_a_company, own.payment_has_its_accounts, *_BOOKED),
        scope=payment_scope,
        marks=PAYMENT,
        description=(
            "Payments of Airbase as vouchers in IFS: accounts payable, or the accounts of the lines, against the bank. "
            "The voucher is looked for by Airbase's id before it is entered, so that no payment is booked twice."
        ),
    ),
    Flow(
        "airbase/requests_acknowledged",
        PURCHASE_REQUESTS,
        ACKNOWLEDGEMENTS,
        acknowledgement_of_request,
        rules=(own.voucher_is_in_the_ledger, rules.texts_fit),
        needs=(REQUESTS_FLOW,),
        needs_key=_needs(REQUESTS_FLOW),
        needs_settled=True,
        checks_accounts=False,
        scope=request_scope,
        description="Word to Airbase that a purchase request is in the ERP's books, with the number of its voucher.",
    ),
    Flow(
        "airbase/payments_acknowledged",
        PAYMENTS,
        ACKNOWLEDGEMENTS,
        acknowledgement_of_payment,
        rules=(own.voucher_is_in_the_ledger, rules.texts_fit),
        needs=(PAYMENTS_FLOW,),
        needs_key=_needs(PAYMENTS_FLOW),
        needs_settled=True,
        checks_accounts=False,
        scope=payment_scope,
        description="Word to Airbase that a payment is in the ERP's books, with the number of its voucher.",
    ),
)
