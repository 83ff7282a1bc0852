"""What moves between IFS Cloud and Cin7 Core."""

from __future__ import annotations

from collections.abc import Mapping

from mlc_dagster import rules
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.stakes import document_key
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.systems.cin7.mapping import (
    PURCHASES_FLOW,
    SUPPLIERS_FLOW,
    invoice_from_proposal,
    purchase_from_order,
    supplier_from_ifs,
)
from mlc_dagster.systems.cin7.records import PURCHASE_INVOICES, PURCHASES, SUPPLIERS
from mlc_dagster.systems.cin7.rules import (
    period_is_open,
    products_stand_once,
    rate_agrees_with_the_lines,
    rate_is_known,
    units_are_the_products,
)
from mlc_dagster.systems.cin7.suppliers.address_types import address_type_is_mapped
from mlc_dagster.systems.cin7.suppliers.inbound import FLOWS as INBOUND
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.origins import is_expected_only
from mlc_dagster.systems.shared.order_lines import is_not_ordered_yet
from mlc_dagster.systems.shared.progress_rules import progress_can_be_told


def _order_refers_to(order: ifs.PurchaseOrder) -> Mapping[str, str]:
    return {SUPPLIERS_FLOW: key_text(order.vendor_no)} if order.vendor_no else {}


def _proposal_refers_to(proposal: ifs.PostingProposal) -> Mapping[str, str]:
    supplier = {SUPPLIERS_FLOW: key_text(proposal.supplier_id)} if proposal.supplier_id else {}
    return {**supplier, PURCHASES_FLOW: key_text(proposal.po_reference)} if proposal.po_reference else supplier


FLOWS = (
    Flow(
        SUPPLIERS_FLOW,
        ifs.SUPPLIERS,
        SUPPLIERS,
        supplier_from_ifs,
        reads=("name", "currency_code", "payment_terms"),
        rules=(
            rules.required_fields_are_given,
            rules.payment_term_is_mapped,
            rules.tax_rule_is_mapped,
            rules.texts_fit,
            address_type_is_mapped,
            rules.is_not_known_under_another_key,
        ),
        checks_accounts=False,
        pair=SUPPLIERS_FLOW,
        description=(
            "Suppliers of IFS in Cin7: name, currency, payment term, tax number, mail address, country, and where "
            "cin7.supplier_details is on contact persons with their phones, and addresses by their types. A supplier "
            "that is blocked in IFS is deprecated in Cin7. What people keep in Cin7 beside it stays as it is."
        ),
    ),
    Flow(
        PURCHASES_FLOW,
        ifs.PURCHASE_ORDERS,
        PURCHASES,
        purchase_from_order,
        reads=("company", "vendor_no", "currency_code", "lines.buy_qty_due", "lines.line_amount"),
        scope=is_not_ordered_yet,
        rules=(
            rules.gl_accounts_exist,
            rules.company_is_mapped,
            rules.is_not_cancelled,
            rules.order_is_a_purchase,
            rules.dates_can_be_meant,
            rules.required_fields_are_given,
            rules.supplier_is_delivered,
            rules.currency_is_the_suppliers,
            rate_is_known,
            rules.site_is_mapped,
            progress_can_be_told,
            rules.location_exists,
            rules.products_exist,
            products_stand_once,
            units_are_the_products,
            rules.tax_rule_is_mapped,
            rules.texts_fit,
            rules.amounts_fit,
            rules.amounts_add_up,
        ),
        needs=(SUPPLIERS_FLOW,),
        needs_key=_order_refers_to,
        looks_up=True,
        description=(
            "Purchase orders of IFS in Cin7's purchases, as draft orders. Parts are lines, everything else is an "
            "additional charge; planned orders, and lines that are cancelled, are none. The GL account of each line is "
            "checked in both charts of accounts and stands in the line's comment. The note begins with IFS, the "
            "company and the order number."
        ),
    ),
    Flow(
        "cin7/purchase_invoices",
        ifs.POSTING_PROPOSALS,
        PURCHASE_INVOICES,
        invoice_from_proposal,
        reads=("company", "supplier_id", "invoice_no", "currency_code", "lines.account"),
        scope=is_expected_only,
        rules=(
            rules.gl_accounts_exist,
            rules.company_is_mapped,
            rules.is_not_cancelled,
            rules.is_not_registered_anew,
            rules.is_not_a_credit_note,
            rules.dates_can_be_meant,
            rules.required_fields_are_given,
            rules.supplier_is_delivered,
            rules.order_is_delivered,
            rules.currency_is_the_suppliers,
            rate_is_known,
            rules.site_is_mapped,
            rules.location_exists,
            rules.tax_rule_is_mapped,
            rules.texts_fit,
            rules.amounts_fit,
            rules.payable_is_net_plus_tax,
            rules.amounts_add_up,
            period_is_open,
            rate_agrees_with_the_lines,
        ),
        needs=(SUPPLIERS_FLOW, PURCHASES_FLOW),
        needs_key=_proposal_refers_to,
        document=lambda invoice: document_key(invoice.company, invoice.supplier_no, invoice.invoice_number),
        looks_up=True,
        description=(
            "Supplier invoices of IFS (posting proposals) in Cin7: on the purchase of their order, or on a purchase of "
            "their own, each line on its GL account; what is a product of the order as a line of it, so that goods "
            "have their cost, the rest as charges. The order is authorised in Cin7 when its first invoice arrives."
        ),
    ),
    *INBOUND,
)
