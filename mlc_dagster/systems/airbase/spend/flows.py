"""What moves from Airbase into the ERP's books, and the word back that it arrived. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from mlc_dagster import rules
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import fingerprint, key_text
from mlc_dagster.systems.airbase.approvals.purchase_types import (
    FLOWS_INTO,
    STATES_FLOW,
    VOUCHER,
    into,
    is_not_into,
    purchase_type_says_where_it_goes,
)
from mlc_dagster.systems.airbase.spend import rules as own
from mlc_dagster.systems.airbase.spend.entry_types import OWED, PAID, kind_of
from mlc_dagster.systems.airbase.spend.later_life import content_of, fate_of
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
from mlc_dagster.systems.airbase.spend.vouchers import (
    BILL,
    BILLS_FLOW,
    PAYMENT,
    PAYMENTS_FLOW,
    REQUEST,
    REQUESTS_FLOW,
    document_of,
    echo_of,
    entry_from_bill,
    entry_from_payment,
    entry_from_request,
    invoice_echoed,
    voucher_of,
)
from mlc_dagster.systems.ifs.entry_records import ENTRIES
from mlc_dagster.systems.ifs.reversal_records import OF_VOUCHERS

DONE = "in the ERP already"
LONGEST_REASON = 250  # characters: how many an error message of Airbase may have, nobody says


def request_scope(request: PurchaseRequest, facts: Facts) -> str:
    """Approved, and not acknowledged. A list whose filter is not heeded has all the others, too."""
    return _scope(request, facts.options["request_status"], facts)


def voucher_scope(request: PurchaseRequest, facts: Facts) -> str:
    """The same, of a purchase type that becomes a voucher."""
    return request_scope(request, facts) or is_not_into(VOUCHER, request, facts)


def bill_scope(entry: Payment, facts: Facts) -> str:
    """Waiting for the ERP, and of a type that is owed. Earlier releases entered some of these as payments."""
    invoice = invoice_echoed(entry, facts)
    echo = f"invoice {invoice} of the ERP, which was sent to Airbase" if invoice else ""
    return _entered_by(PAYMENTS_FLOW, entry, facts) or _entry_scope(entry, OWED, facts) or echo


def payment_scope(payment: Payment, facts: Facts) -> str:
    """Waiting for the ERP, and of a type that is paid."""
    return _entered_by(BILLS_FLOW, payment, facts) or _entry_scope(payment, PAID, facts)


def entry_scope(entry: Payment, facts: Facts) -> str:
    """Waiting for the ERP, and of a type that is entered."""
    return _entry_scope(entry, OWED | PAID, facts)


def _entered_by(flow: str, entry: Payment, facts: Facts) -> str:
    return f"entered by {flow}" if facts.remote_id(flow, key_text(entry.id)) else ""


def _entry_scope(entry: Payment, kinds: frozenset[str], facts: Facts) -> str:
    if kind_of(entry, facts) not in kinds:
        return f"type {entry.type or '(none)'}"
    return _scope(entry, facts.options["ledger_status"], facts)


def _scope(document: Spend, status: str, facts: Facts) -> str:
    if document.erp_reference_id or document.status == "sync_complete":
        return DONE
    waits = {status, facts.options.get("failed_status") or status} if isinstance(document, Payment) else {status}
    return "" if document.status in waits else f"status {document.status or '(none)'}"


def acknowledgement_of_request(request: PurchaseRequest, facts: Facts) -> Acknowledgement:
    numbers = [facts.remote_id(FLOWS_INTO[each], key_text(request.id)) for each in into(request, facts)]
    voucher = numbers[0] if all(numbers) else None
    return _acknowledgement(request, PURCHASE_REQUESTS.path, voucher, "acknowledge_requests", facts)


def acknowledgement_of_payment(payment: Payment, facts: Facts) -> Acknowledgement:
    owed = kind_of(payment, facts) in OWED
    voucher = voucher_of(payment.id, facts) or (invoice_echoed(payment, facts) if owed else None)
    return _acknowledgement(payment, PAYMENTS.path, voucher, "acknowledge_payments", facts)


def _acknowledgement(document: Spend, of: str, voucher: str | None, template: str, facts: Facts) -> Acknowledgement:
    def said(text: str) -> str:
        return text.replace("{voucher}", voucher or "").replace("{remote_id}", document.id)

    fields = (
        tuple(AcknowledgementField(name=name, text=said(text)) for name, text in facts.table(template).items())
        if voucher
        else ()
    )
    return Acknowledgement(key=document.id, of=of, voucher=voucher, fields=fields)


def failure_scope(entry: Payment, facts: Facts) -> str:
    """What waits for the ERP and is on hold."""
    return entry_scope(entry, facts) or ("" if _reason(entry, facts) else "not on hold")


def failure_of_entry(entry: Payment, facts: Facts) -> Acknowledgement:
    """Why the ERP does not have an entry. What Airbase makes of it, its status, is no content of the entry."""
    told = {"status": facts.options["failed_status"], "error_message": _reason(entry, facts)[:LONGEST_REASON]}
    return Acknowledgement(
        key=entry.id,
        of=PAYMENTS.path,
        voucher=None,
        fields=tuple(AcknowledgementField(name=name, text=text) for name, text in told.items()),
        content=fingerprint(msgspec.structs.replace(entry, status=None, supplier=None)),
    )


def _reason(entry: Payment, facts: Facts) -> str:
    key = key_text(entry.id)
    return facts.held.get(BILLS_FLOW, {}).get(key) or facts.held.get(PAYMENTS_FLOW, {}).get(key) or ""


def _needs(*flows: str) -> Callable[[Spend], Mapping[str, str]]:
    return lambda document: dict.fromkeys(flows, key_text(document.id))


def _payment_refers_to(payment: Payment) -> Mapping[str, tuple[str, ...]]:
    """What it pays, and itself: it may have been entered before. A payment of a reimbursement may stand in either."""
    keys = tuple(key_text(each) for each in (payment.id, *payment.applied_to))
    return {BILLS_FLOW: keys, PAYMENTS_FLOW: keys}


_BOOKED = (
    own.dimensions_are_mapped,
    own.lines_make_the_total,
    own.company_amount_is_known,
    rules.gl_accounts_exist,
    rules.accounts_are_in_the_following_ledger,
    rules.code_parts_exist,
    rules.account_demands_are_met,
    rules.currency_is_known,
    own.voucher_balances,
    rules.dates_can_be_meant,
    rules.posting_day_is_sure,
    rules.accounting_year_is_known,
    rules.period_is_open,
    rules.required_fields_are_given,
    rules.texts_fit,
    rules.may_be_there_already,
)

_OF_ENTRIES = (
    own.subsidiary_is_a_company,
    own.payment_has_its_accounts,
    own.transfer_is_no_expense,
    own.amortization_is_decided,
)

SPEND = (
    Flow(
        REQUESTS_FLOW,
        PURCHASE_REQUESTS,
        ENTRIES,
        entry_from_request,
        rules=(
            own.subsidiary_is_a_company,
            own.purchase_type_has_an_account,
            purchase_type_says_where_it_goes,
            *_BOOKED,
        ),
        scope=voucher_scope,
        looks_up=True,
        marks=REQUEST,
        fate=fate_of,
        substance=content_of,
        leaves_its_list=True,
        reversing=OF_VOUCHERS,
        twin=document_of,
        description=(
            "Purchase requests that were approved in Airbase, as vouchers in IFS: a debit for each line on its account "
            "or that of its purchase type, with its department, against the accrual account."
        ),
    ),
    Flow(
        BILLS_FLOW,
        PAYMENTS,
        ENTRIES,
        entry_from_bill,
        rules=(*_OF_ENTRIES, *_BOOKED),
        needs_key=_needs(PAYMENTS_FLOW),
        scope=bill_scope,
        echoes=echo_of,
        looks_up=True,
        marks=BILL,
        fate=fate_of,
        substance=content_of,
        leaves_its_list=True,
        reversing=OF_VOUCHERS,
        twin=document_of,
        description=(
            "Bills and reimbursements of Airbase as vouchers in IFS: a debit for each line on its account, with its "
            "department, against the account of what is owed. They go before what pays them."
        ),
    ),
    Flow(
        PAYMENTS_FLOW,
        PAYMENTS,
        ENTRIES,
        entry_from_payment,
        rules=(*_OF_ENTRIES, own.paid_bill_is_in_the_erp, own.settlement_is_entered, *_BOOKED),
        needs=(BILLS_FLOW,),
        needs_key=_payment_refers_to,
        scope=payment_scope,
        looks_up=True,
        marks=PAYMENT,
        fate=fate_of,
        substance=content_of,
        leaves_its_list=True,
        reversing=OF_VOUCHERS,
        twin=document_of,
        description=(
            "Payments of Airbase as vouchers in IFS: accounts payable, or the accounts of the lines, against the bank. "
            "A payment waits for the bill that it pays, and a transfer goes from account to account. The voucher is "
            "looked for by Airbase's id before it is entered, so that no payment is booked twice."
        ),
    ),
    Flow(
        "airbase/requests_acknowledged",
        PURCHASE_REQUESTS,
        ACKNOWLEDGEMENTS,
        acknowledgement_of_request,
        rules=(own.voucher_is_in_the_ledger, rules.texts_fit),
        needs=(REQUESTS_FLOW, STATES_FLOW),
        needs_key=_needs(REQUESTS_FLOW, STATES_FLOW),
        needs_settled=True,
        checks_accounts=False,
        scope=request_scope,
        description=(
            "Word to Airbase that a purchase request is in the ERP's books, with the number of its voucher, or of the "
            "invoice whose state it changed."
        ),
    ),
    Flow(
        "airbase/payments_acknowledged",
        PAYMENTS,
        ACKNOWLEDGEMENTS,
        acknowledgement_of_payment,
        rules=(own.voucher_is_in_the_ledger, rules.texts_fit),
        needs=(PAYMENTS_FLOW, BILLS_FLOW),
        needs_key=_needs(BILLS_FLOW, PAYMENTS_FLOW),
        echoes=echo_of,
        needs_settled=True,
        checks_accounts=False,
        scope=entry_scope,
        description="Word to Airbase that a bill or a payment is in the ERP's books, with the number of its voucher.",
    ),
    Flow(
        "airbase/failures_told",
        PAYMENTS,
        ACKNOWLEDGEMENTS,
        failure_of_entry,
        rules=(rules.texts_fit,),
        needs=(PAYMENTS_FLOW, BILLS_FLOW),
        tells=(PAYMENTS_FLOW, BILLS_FLOW),
        checks_accounts=False,
        scope=failure_scope,
        description=(
            "Word to Airbase that a bill or a payment is on hold, and why: once for each content of it. When the ERP "
            "has its voucher, the acknowledgement clears it."
        ),
    ),
)
