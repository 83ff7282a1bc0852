"""What moves from IFS Cloud to monday.com."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlc_dagster import rules
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.stakes import document_key
from mlc_dagster.core.vocabulary import key_parts, key_text
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.line_records import CodeString
from mlc_dagster.systems.ifs.origins import is_expected_only
from mlc_dagster.systems.monday.mapping import (
    ACCOUNTS_FLOW,
    SUPPLIERS_FLOW,
    account_key,
    invoice_from_proposal,
    item_from_account,
    item_from_customer_order,
    item_from_order,
    item_from_supplier,
    item_from_voucher,
)
from mlc_dagster.systems.monday.records import (
    ACCOUNTS,
    CUSTOMER_ORDERS,
    INVOICES,
    JOURNAL_ENTRIES,
    PURCHASE_ORDERS,
    SUPPLIERS,
)
from mlc_dagster.systems.monday.rules import accounts_are_linked
from mlc_dagster.systems.shared.order_lines import is_not_ordered_yet
from mlc_dagster.systems.shared.progress_rules import progress_can_be_told

Refers = Mapping[str, str | tuple[str, ...]]


def _order_refers_to(order: ifs.PurchaseOrder) -> Refers:
    return {**_supplier(order.vendor_no), **_accounts(order.company, order.lines)}


def _proposal_refers_to(proposal: ifs.PostingProposal) -> Refers:
    return {**_supplier(proposal.supplier_id), **_accounts(proposal.company, proposal.lines)}


def _voucher_refers_to(voucher: ifs.Voucher) -> Refers:
    return _accounts(voucher.company, voucher.lines)


def _supplier(number: str | None) -> Refers:
    return {SUPPLIERS_FLOW: key_text(number)} if number else {}


def _accounts(company: str | None, lines: Sequence[CodeString]) -> Refers:
    named = {line.account for line in lines if line.account}
    return {ACCOUNTS_FLOW: tuple(account_key(company, account) for account in sorted(named))} if named else {}


ITEM = (rules.required_fields_are_given, rules.texts_fit)
POSTED = (rules.gl_accounts_exist, rules.company_is_mapped, rules.dates_can_be_meant)

FLOWS = (
    Flow(
        SUPPLIERS_FLOW,
        ifs.SUPPLIERS,
        SUPPLIERS,
        item_from_supplier,
        reads=("name",),
        rules=(rules.payment_term_has_a_name, *ITEM, rules.is_not_known_under_another_key),
        checks_accounts=False,
        description=(
            "Suppliers of IFS as items of a reference board: invoices and orders link to them, and show their name."
        ),
    ),
    Flow(
        "monday/accounts",
        ifs.ACCOUNTS,
        ACCOUNTS,
        item_from_account,
        rules=(rules.company_is_mapped, *ITEM),
        checks_accounts=False,
        description="The charts of accounts of IFS as items of a reference board, for filters and lookups; by company.",
    ),
    Flow(
        "monday/purchase_orders",
        ifs.PURCHASE_ORDERS,
        PURCHASE_ORDERS,
        item_from_order,
        reads=("company", "vendor_no", "currency_code", "total_amount"),
        scope=is_not_ordered_yet,
        rules=(
            *(*POSTED, rules.order_is_a_purchase, rules.site_is_mapped, rules.supplier_is_delivered),
            *(accounts_are_linked, progress_can_be_told, *ITEM),
        ),
        needs=(SUPPLIERS_FLOW,),
        links=(ACCOUNTS_FLOW,),
        names=(SUPPLIERS_FLOW,),
        needs_key=_order_refers_to,
        description=(
            "Purchase orders of IFS as items: state, receipts, delivery dates and amount follow the ERP, a cancelled "
            "order included."
        ),
    ),
    Flow(
        "monday/invoices",
        ifs.POSTING_PROPOSALS,
        INVOICES,
        invoice_from_proposal,
        reads=("company", "invoice_no", "currency_code", "gross_amount"),
        scope=is_expected_only,
        rules=(
            *(*POSTED, rules.is_not_registered_anew, rules.site_is_mapped, rules.supplier_is_delivered),
            *(accounts_are_linked, *ITEM),
        ),
        needs=(SUPPLIERS_FLOW,),
        links=(ACCOUNTS_FLOW,),
        names=(SUPPLIERS_FLOW,),
        needs_key=_proposal_refers_to,
        document=lambda item: document_key(key_parts(item.key, 2)[0], item.supplier_no, item.name),
        description=(
            "Supplier invoices of IFS (posting proposals) as items of the board where they are approved: number, "
            "supplier, dates, amounts, state, GL accounts and departments. What people write in other columns stays."
        ),
    ),
    Flow(
        "monday/journal_entries",
        ifs.VOUCHERS,
        JOURNAL_ENTRIES,
        item_from_voucher,
        reads=("voucher_date", "lines.account", "lines.debit_amount", "lines.credit_amount"),
        rules=(*POSTED, rules.company_amount_is_known, accounts_are_linked, *ITEM),
        links=(ACCOUNTS_FLOW,),
        needs_key=_voucher_refers_to,
        description=(
            "Journal entries (vouchers) of IFS as items, with the GL accounts and departments of their rows, debit and "
            "credit."
        ),
    ),
    Flow(
        "monday/customer_orders",
        ifs.CUSTOMER_ORDERS,
        CUSTOMER_ORDERS,
        item_from_customer_order,
        reads=("company", "customer_no", "currency_code", "total_amount"),
        rules=(
            *(rules.company_is_mapped, rules.site_is_mapped, rules.dates_can_be_meant),
            *(progress_can_be_told, *ITEM),
        ),
        checks_accounts=False,
        description=(
            "Customer orders of IFS as items of the sales board: customer, dates, amount, state, and what was shipped."
        ),
    ),
)
