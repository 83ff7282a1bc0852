"""What moves from IFS Cloud to HubSpot."""

from __future__ import annotations

from collections.abc import Mapping

from mlc_dagster import rules
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.stakes import document_key
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.systems.hubspot import rules as own
from mlc_dagster.systems.hubspot.mapping import (
    CUSTOMER_INVOICES_FLOW,
    CUSTOMERS_FLOW,
    INVOICES_FLOW,
    SUPPLIERS_FLOW,
    company_from_customer,
    company_from_supplier,
    deal_from_proposal,
    invoice_from_customer_invoice,
    invoice_from_proposal,
)
from mlc_dagster.systems.hubspot.records import COMPANIES, DEALS, INVOICES
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.origins import is_expected_only


def _invoice_refers_to(proposal: ifs.PostingProposal) -> Mapping[str, str]:
    return {SUPPLIERS_FLOW: key_text(proposal.supplier_id)} if proposal.supplier_id else {}


def _deal_refers_to(proposal: ifs.PostingProposal) -> Mapping[str, str]:
    return {**_invoice_refers_to(proposal), INVOICES_FLOW: key_text(proposal.company, proposal.proposal_id)}


def _customer_invoice_refers_to(invoice: ifs.CustomerInvoice) -> Mapping[str, str]:
    return {CUSTOMERS_FLOW: key_text(invoice.customer_id)} if invoice.customer_id else {}


_OF_A_COMPANY = (
    own.gl_accounts_exist,
    own.company_field_exists,
    rules.payment_term_has_a_name,
    rules.required_fields_are_given,
    rules.texts_fit,
    rules.is_not_known_under_another_key,
)

FLOWS = (
    Flow(
        SUPPLIERS_FLOW,
        ifs.SUPPLIERS,
        COMPANIES,
        company_from_supplier,
        reads=("name",),
        rules=_OF_A_COMPANY,
        names_code_parts=True,
        description=(
            "Suppliers of IFS as companies in HubSpot, tagged with GL account, cost centre and financial dimensions "
            "of each company, with their names, currency and payment terms. What people keep in HubSpot beside that "
            "stays as it is."
        ),
    ),
    Flow(
        CUSTOMERS_FLOW,
        ifs.CUSTOMERS,
        COMPANIES,
        company_from_customer,
        reads=("name",),
        rules=_OF_A_COMPANY,
        names_code_parts=True,
        description=(
            "Customers of IFS as companies in HubSpot, tagged with GL account, cost centre and financial dimensions "
            "of each company, with their names, currency and payment terms. What people keep in HubSpot beside that "
            "stays as it is."
        ),
    ),
    Flow(
        INVOICES_FLOW,
        ifs.POSTING_PROPOSALS,
        INVOICES,
        invoice_from_proposal,
        reads=("company", "invoice_no", "currency_code", "gross_amount"),
        scope=is_expected_only,
        rules=(
            rules.gl_accounts_exist,
            rules.company_is_mapped,
            own.is_not_cancelled,
            rules.is_not_registered_anew,
            rules.dates_can_be_meant,
            rules.required_fields_are_given,
            rules.supplier_is_delivered,
            own.currency_is_in_the_portal,
            own.prices_are_not_negative,
            rules.texts_fit,
            rules.payable_is_net_plus_tax,
            rules.amounts_add_up,
        ),
        needs=(SUPPLIERS_FLOW,),
        needs_key=_invoice_refers_to,
        document=lambda invoice: document_key(invoice.company, invoice.supplier_no, invoice.number),
        description=(
            "Supplier invoices of IFS (posting proposals) as non-billable invoices in HubSpot: it shows them, and "
            "neither sends nor collects anything. One line item for each line, with GL account and code parts, one "
            "for the VAT, on the supplier's company. HubSpot's total is the gross amount of IFS."
        ),
    ),
    Flow(
        CUSTOMER_INVOICES_FLOW,
        ifs.CUSTOMER_INVOICES,
        INVOICES,
        invoice_from_customer_invoice,
        rules=(
            rules.gl_accounts_exist,
            rules.company_is_mapped,
            own.is_not_cancelled,
            rules.required_fields_are_given,
            rules.dates_can_be_meant,
            own.customer_is_delivered,
            own.currency_is_in_the_portal,
            own.prices_are_not_negative,
            rules.texts_fit,
            rules.payable_is_net_plus_tax,
            rules.amounts_add_up,
        ),
        reads=("company", "invoice_no", "customer_id", "currency_code", "gross_amount"),
        needs=(CUSTOMERS_FLOW,),
        needs_key=_customer_invoice_refers_to,
        description=(
            "Customer invoices of IFS as non-billable invoices in HubSpot, on the customer's company: IFS bills, "
            "HubSpot shows. Off unless mlc.yaml names the set, ifs.entity_sets.customer_invoice_set."
        ),
    ),
    Flow(
        "hubspot/deals",
        ifs.POSTING_PROPOSALS,
        DEALS,
        deal_from_proposal,
        reads=("company", "invoice_no", "currency_code", "gross_amount"),
        scope=is_expected_only,
        rules=(
            rules.gl_accounts_exist,
            rules.company_is_mapped,
            own.is_not_cancelled,
            own.invoice_is_not_voided,
            rules.dates_can_be_meant,
            rules.required_fields_are_given,
            rules.supplier_is_delivered,
            own.invoice_is_delivered,
            own.currency_is_in_the_portal,
            rules.texts_fit,
        ),
        needs=(SUPPLIERS_FLOW, INVOICES_FLOW),
        needs_key=_deal_refers_to,
        description=(
            "Invoices of IFS as deals in HubSpot, closed and won, worth the gross amount, on the supplier's company "
            "and its invoice. Off unless mlc.yaml says hubspot.deals: true."
        ),
    ),
)
