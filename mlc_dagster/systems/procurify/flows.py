"""What moves between Procurify and IFS Cloud."""

from __future__ import annotations

from collections.abc import Mapping

from mlc_dagster import rules
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.later_life import always_stands
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.entry_records import INVOICES, PROPOSALS, Invoice
from mlc_dagster.systems.ifs.origins import EXPECTED
from mlc_dagster.systems.ifs.reversal_records import OF_INVOICES
from mlc_dagster.systems.ifs.supplier_records import PARTNERS
from mlc_dagster.systems.procurify import later_life, statuses
from mlc_dagster.systems.procurify.mapping import (
    BILL,
    BILLS_FLOW,
    PROPOSALS_FLOW,
    SUPPLIERS_FLOW,
    VENDORS_FLOW,
    invoice_from_bill,
    partner_from_vendor,
    proposal_from_order,
    vendor_from_supplier,
)
from mlc_dagster.systems.procurify.records import (
    BILLS,
    PURCHASE_ORDERS,
    VENDOR_LIST,
    VENDORS,
    Bill,
    PurchaseOrder,
    VendorRow,
)
from mlc_dagster.systems.procurify.rules import (
    all_is_of_one_company,
    bill_still_stands,
    code_parts_are_mapped,
    credits_are_posted,
    dates_are_certain,
    department_is_mapped,
    document_is_active,
    invoice_total_agrees,
    one_currency,
    parts_of_orders_are_known,
    state_is_known,
    vendor_is_one_supplier,
    where_it_belongs_in_the_books,
    where_it_has_one_currency,
    where_its_company_is_known,
)

WRITER = "ifs/from_procurify"


def _bill_refers_to(bill: Bill) -> Mapping[str, str]:
    vendor = {SUPPLIERS_FLOW: key_text(bill.vendor_id)} if bill.vendor_id else {}
    return {**vendor, BILLS_FLOW: key_text(bill.uuid)}


def _order_refers_to(order: PurchaseOrder) -> Mapping[str, str | tuple[str, ...]]:
    vendor = {SUPPLIERS_FLOW: key_text(order.vendor_id)} if order.vendor_id else {}
    bills = {key_text(each.bill): None for each in order.billed}
    return {**vendor, PROPOSALS_FLOW: key_text(order.order_id), **({BILLS_FLOW: tuple(bills)} if bills else {})}


def _bill_scope(bill: Bill, facts: Facts) -> str:
    """A bill that was posted stays a matter of the flow, whatever becomes of it."""
    posted = facts.remote_id(BILLS_FLOW, key_text(bill.uuid))
    if statuses.is_of_no_known_state(bill):
        return ""  # held: `state_is_known`
    return "" if posted or statuses.belongs_in_the_books(bill, facts) else statuses.why_not_a_bill(bill, facts)


def _order_scope(order: PurchaseOrder, facts: Facts) -> str:
    delivered = facts.remote_id(PROPOSALS_FLOW, key_text(order.order_id)) is not None
    return statuses.why_not_an_order(order, delivered, facts)


def _vendor_scope(vendor: VendorRow, facts: Facts) -> str:
    if not statuses.listed(vendor.type, "vendor_types", facts):
        return statuses.word(vendor.type, statuses.VENDOR_TYPES, "type")
    return "" if vendor.is_active else "not active"


def _supplier_scope(supplier: ifs.Supplier, facts: Facts) -> str:
    return "blocked" if supplier.blocked else ""


def _taken_place_of(invoice: Invoice) -> Mapping[str, tuple[str, ...]]:
    return {PROPOSALS_FLOW: invoice.orders}


ALL_DOCUMENTS = (
    one_currency,
    document_is_active,
    dates_are_certain,
    where_its_company_is_known(rules.gl_accounts_exist),
    where_its_company_is_known(rules.accounts_are_in_the_following_ledger),
    where_its_company_is_known(rules.code_parts_exist),
    where_its_company_is_known(rules.account_demands_are_met),
    all_is_of_one_company,
    department_is_mapped,
    code_parts_are_mapped,
    vendor_is_one_supplier,
    rules.supplier_exists,
    rules.currency_is_known,
    rules.dates_can_be_meant,
)
"""What is true of bills and orders alike."""

FLOWS = (
    Flow(
        SUPPLIERS_FLOW,
        VENDOR_LIST,
        PARTNERS,
        partner_from_vendor,
        rules=(
            rules.required_fields_are_given,
            rules.payment_term_has_a_code,
            rules.texts_fit,
            rules.bank_details_confirmed("vendor_id"),
        ),
        checks_accounts=False,
        scope=_vendor_scope,
        writer="ifs/suppliers",
        fate=always_stands,
        pair=VENDORS_FLOW,
        description=(
            "Vendors of Procurify as suppliers of IFS: the supplier whose number is the vendor's external id, else the "
            "only one of the same name and country, else a new one. Other types than procurify.vendor_types stay out."
        ),
    ),
    Flow(
        PROPOSALS_FLOW,
        PURCHASE_ORDERS,
        PROPOSALS,
        proposal_from_order,
        rules=(
            state_is_known,
            *(
                where_it_belongs_in_the_books(rule)
                for rule in (
                    *ALL_DOCUMENTS,
                    rules.required_fields_are_given,
                    rules.texts_fit,
                    where_it_has_one_currency(rules.amounts_add_up),
                )
            ),
        ),
        needs=(SUPPLIERS_FLOW, BILLS_FLOW),
        needs_key=_order_refers_to,
        scope=_order_scope,
        looks_up=True,
        writer=WRITER,
        marks=EXPECTED,
        fate=always_stands,  # the flow itself ends the proposal of an order that is cancelled
        pair=PROPOSALS_FLOW,
        description=(
            "Purchase orders of Procurify as posting proposals of IFS: what is still expected to be posted, with "
            "account and cost centre. A bill of the order takes its part of it, so that nothing is posted twice."
        ),
    ),
    Flow(
        BILLS_FLOW,
        BILLS,
        INVOICES,
        invoice_from_bill,
        rules=(
            state_is_known,
            bill_still_stands,
            *(
                where_it_belongs_in_the_books(rule)
                for rule in (
                    *ALL_DOCUMENTS,
                    credits_are_posted,
                    parts_of_orders_are_known,
                    rules.period_is_open,
                    rules.not_posted_already,
                    rules.required_fields_are_given,
                    rules.texts_fit,
                    where_it_has_one_currency(invoice_total_agrees),
                    where_it_has_one_currency(rules.amounts_add_up),
                )
            ),
        ),
        needs=(SUPPLIERS_FLOW,),
        needs_key=_bill_refers_to,
        scope=_bill_scope,
        looks_up=True,
        writer=WRITER,
        marks=BILL,
        fate=later_life.fate_of,
        substance=later_life.content_of,
        reversing=OF_INVOICES,
        pair=PROPOSALS_FLOW,
        supersedes=_taken_place_of,
        description=(
            "Approved bills of Procurify as supplier invoices of IFS, a line for each allocation, on the account and "
            "the cost centre of its department. Posted once; a bill that is changed or denied later is held for review."
        ),
    ),
    Flow(
        VENDORS_FLOW,
        ifs.SUPPLIERS,
        VENDORS,
        vendor_from_supplier,
        reads=("name",),
        rules=(rules.required_fields_are_given, rules.texts_fit, rules.is_not_known_under_another_key),
        checks_accounts=False,
        scope=_supplier_scope,
        pair=VENDORS_FLOW,
        description=(
            "Suppliers of IFS in Procurify's vendors: the supplier's number as external id, and what differs. Off "
            "unless procurify.vendor_writeback is set: nothing is written into Procurify."
        ),
    ),
)
