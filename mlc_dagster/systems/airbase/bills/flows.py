"""What moves of supplier invoices from IFS Cloud into Airbase."""

from __future__ import annotations

from collections.abc import Mapping

from mlc_dagster import rules
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.stakes import document_key
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.systems.airbase.bills.mapping import (
    ORDER_INVOICES_FLOW,
    SUPPLIER_INVOICES_FLOW,
    bill_from_proposal,
    invoice_on_its_order,
)
from mlc_dagster.systems.airbase.bills.records import BILLS, ORDER_INVOICES
from mlc_dagster.systems.airbase.mapping import PURCHASE_ORDERS_FLOW, VENDORS_FLOW
from mlc_dagster.systems.airbase.rules import subsidiary_exists
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.origins import is_expected_only


def _refers_to(proposal: ifs.PostingProposal) -> Mapping[str, str]:
    supplier = {VENDORS_FLOW: key_text(proposal.supplier_id)} if proposal.supplier_id else {}
    return {**supplier, **_order_of(proposal)}


def _order_of(proposal: ifs.PostingProposal) -> Mapping[str, str]:
    return {PURCHASE_ORDERS_FLOW: key_text(proposal.po_reference)} if proposal.po_reference else {}


def names_no_order(proposal: ifs.PostingProposal, facts: Facts) -> str:
    """Why an invoice stands on no order, or ""."""
    return is_expected_only(proposal, facts) or ("" if proposal.po_reference else "an invoice that names no order")


FLOWS = (
    Flow(
        SUPPLIER_INVOICES_FLOW,
        ifs.POSTING_PROPOSALS,
        BILLS,
        bill_from_proposal,
        reads=("company", "supplier_id", "invoice_no", "currency_code", "gross_amount"),
        scope=is_expected_only,
        rules=(
            rules.gl_accounts_exist,
            rules.company_is_mapped,
            subsidiary_exists,
            rules.is_not_cancelled,
            rules.is_not_registered_anew,
            rules.is_not_a_credit_note,
            rules.dates_can_be_meant,
            rules.required_fields_are_given,
            rules.supplier_is_delivered,
            rules.order_is_delivered,
            rules.texts_fit,
            rules.amounts_fit,
            rules.payable_is_net_plus_tax,
            rules.amounts_add_up,
        ),
        needs=(VENDORS_FLOW, PURCHASE_ORDERS_FLOW),
        needs_key=_refers_to,
        document=lambda bill: document_key(bill.company, bill.supplier_no, bill.invoice_number),
        description=(
            "Supplier invoices of IFS (posting proposals) in Airbase, as bills beside their purchase orders, each line "
            "on its GL account and the tax in a line of its own. A bill of the same vendor and number that was entered "
            "in Airbase by hand becomes that invoice where both say the same amount, and holds it where they do not."
        ),
    ),
    Flow(
        ORDER_INVOICES_FLOW,
        ifs.POSTING_PROPOSALS,
        ORDER_INVOICES,
        invoice_on_its_order,
        reads=("company", "invoice_no", "currency_code", "gross_amount", "po_reference"),
        scope=names_no_order,
        rules=(
            rules.company_is_mapped,
            rules.is_not_registered_anew,
            rules.dates_can_be_meant,
            rules.required_fields_are_given,
            rules.order_is_delivered,
            rules.texts_fit,
        ),
        needs=(PURCHASE_ORDERS_FLOW,),
        needs_key=_order_of,
        document=lambda one: document_key(one.company, one.supplier_no, one.invoice_number) if one.counts else None,
        checks_accounts=False,
        description=(
            "Supplier invoices of IFS on their purchase orders in Airbase, where its API takes no bills: number, "
            "amount and state of each, and what is invoiced in all. A cancelled one stays in sight, and counts for "
            "nothing."
        ),
    ),
)
