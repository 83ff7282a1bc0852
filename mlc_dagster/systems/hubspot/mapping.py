"""IFS suppliers, customers and posting proposals become HubSpot companies, invoices and deals. Pure."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Any

import msgspec

from mlc_dagster.core.amounts import times
from mlc_dagster.core.facts import ExtraField, Facts
from mlc_dagster.core.vocabulary import Record, key_text
from mlc_dagster.rules import placed_difference
from mlc_dagster.systems.hubspot.company_accounts import SHOWN, accounts_of, by_company, companies_in, joined
from mlc_dagster.systems.hubspot.records import Company, Deal, Invoice, Line
from mlc_dagster.systems.hubspot.web_domains import domain_of
from mlc_dagster.systems.ifs import records as ifs

CUSTOMERS_FLOW = "hubspot/customer_companies"
CUSTOMER_INVOICES_FLOW = "hubspot/customer_invoices"
SUPPLIERS_FLOW, INVOICES_FLOW = "hubspot/supplier_companies", "hubspot/invoices"
STATUS = "invoice_status"
"""The option with the status of an invoice; "invoice_status.Cancelled" is that of the cancelled ones."""

PRICE_DECIMALS = 6
DIFFERENCE = "Difference of the payable"

Invoiced = ifs.PostingProposal | ifs.CustomerInvoice
InvoicedLine = ifs.PostingProposalLine | ifs.CustomerInvoiceLine


# --- companies ------------------------------------------------------------------------------------------------------


def company_from_supplier(supplier: ifs.Supplier, facts: Facts) -> Company:
    """An IFS supplier becomes a company, tagged with its GL account, cost centre and dimensions."""
    company = _company("Supplier", supplier.supplier_id, supplier, facts, facts.extras(SUPPLIERS_FLOW, supplier))
    return msgspec.structs.replace(
        company,
        vat_no=supplier.vat_no or "",
        association_no=supplier.association_no or "",
        blocked=bool(supplier.blocked),
        domain=domain_of(str(getattr(supplier, facts.options.get("domain_field", ""), None) or "")),
    )


def company_from_customer(customer: ifs.Customer, facts: Facts) -> Company:
    """An IFS customer becomes a company; one that is a supplier as well is two companies, one for each role."""
    return _company("Customer", customer.customer_id, customer, facts, facts.extras(CUSTOMERS_FLOW, customer))


def _company(
    role: str,
    number: str,
    partner: ifs.Supplier | ifs.Customer,
    facts: Facts,
    extra: tuple[ExtraField, ...],
) -> Company:
    accounts = accounts_of(partner, facts)
    shown: dict[str, Any] = {name: joined(accounts, name) for name in SHOWN}
    return Company(
        key=unique(key_text(role.upper(), number)),
        role=role,
        number=number,
        name=(partner.name or "").strip() or None,
        company_code=companies_in(accounts),
        **shown,
        country=partner.country or "",
        currency=partner.currency_code or "",
        payment_terms=facts.payment_terms.get(partner.payment_terms or "", partner.payment_terms or ""),
        extra=(*extra, *by_company(accounts, facts)),
        defaults=_defaults("companies", partner, facts),
    )


def _defaults(kind: str, source: Record, facts: Facts) -> tuple[ExtraField, ...]:
    """The fields of the ERP that hubspot.defaults gives to new objects of this type."""
    named = facts.table(f"default_fields.{kind}")
    return tuple(ExtraField(name=name, text=str(getattr(source, field, "") or "")) for name, field in named.items())


# --- invoices -------------------------------------------------------------------------------------------------------


def invoice_from_proposal(proposal: ifs.PostingProposal, facts: Facts) -> Invoice:
    """An IFS posting proposal becomes a non-billable invoice: its lines, and one more for the VAT."""
    return Invoice(
        key=unique(key_text("INVOICE", proposal.company, proposal.proposal_id)),
        company=proposal.company,
        number=proposal.invoice_no,
        supplier_no=proposal.supplier_id,
        supplier_id=facts.remote_id(SUPPLIERS_FLOW, key_text(proposal.supplier_id)),
        currency=proposal.currency_code,
        invoice_date=proposal.invoice_date,
        due_date=proposal.due_date,
        status=status_of(proposal.obj_state, facts),
        order_no=proposal.po_reference or "",
        remark=proposal.text or "",
        stated_net=_net(proposal, facts),
        stated_vat=proposal.vat_amount,
        stated_gross=proposal.gross_amount,
        lines=_lines(proposal, ("LINE", proposal.company, proposal.proposal_id), facts),
        vat=_vat(proposal, ("LINE", proposal.company, proposal.proposal_id)),
        defaults=_defaults("invoices", proposal, facts),
    )


def invoice_from_customer_invoice(invoice: ifs.CustomerInvoice, facts: Facts) -> Invoice:
    """A customer invoice of IFS becomes a non-billable invoice of the customer's company: IFS bills, HubSpot shows."""
    lines = ("LINE", "CUSTOMER", invoice.company, invoice.invoice_id)
    return Invoice(
        key=unique(key_text("CUSTOMER_INVOICE", invoice.company, invoice.invoice_id)),
        company=invoice.company,
        number=invoice.invoice_no,
        supplier_no=None,
        supplier_id=facts.remote_id(CUSTOMERS_FLOW, key_text(invoice.customer_id)),
        party_key=unique(key_text("CUSTOMER", invoice.customer_id or "")),
        customer_no=invoice.customer_id or "",
        currency=invoice.currency_code,
        invoice_date=invoice.invoice_date,
        due_date=invoice.due_date,
        status=status_of(invoice.obj_state, facts),
        order_no=invoice.order_no or "",
        remark=invoice.text or "",
        stated_net=_net(invoice, facts),
        stated_vat=invoice.vat_amount,
        stated_gross=invoice.gross_amount,
        lines=_lines(invoice, lines, facts),
        vat=_vat(invoice, lines),
        defaults=_defaults("invoices", invoice, facts),
    )


def status_of(state: str | None, facts: Facts) -> str:
    """What mlc.yaml says of this state of the ERP, else of all."""
    return facts.options.get(f"{STATUS}.{state}") or facts.options.get(STATUS, "open")


def _lines(invoice: Invoiced, key: tuple[object, ...], facts: Facts) -> tuple[Line, ...]:
    """By their numbers. `key`: what the keys of the line items begin with."""
    rows: list[InvoicedLine] = sorted(invoice.lines, key=lambda line: line.row_id)
    lines = [_line(invoice, row, key, facts) for row in rows]
    return tuple(_with_difference(lines, unique(key_text(*key, "DIFFERENCE")), _difference(invoice, facts), facts))


def _difference(invoice: Invoiced, facts: Facts) -> Decimal:
    return placed_difference(invoice.net_amount, invoice.vat_amount, invoice.gross_amount, facts)


def _net(invoice: Invoiced, facts: Facts) -> Decimal | None:
    """What the lines come to: net, with what is payable beside net plus tax where that has an account."""
    return None if invoice.net_amount is None else invoice.net_amount + _difference(invoice, facts)


def _with_difference(lines: list[Line], key: str, rest: Decimal, facts: Facts) -> list[Line]:
    """What is payable beside net plus tax: a line of its own, or, below zero, less on the largest line, which says so:
    HubSpot takes no negative price.
    """
    account, one = facts.account_in_target(facts.options.get("payable_difference_account", "")), Decimal(1)
    if rest > 0:
        line = Line(key=key, where="the difference", name=DIFFERENCE, quantity=one, price=rest, stated=rest)
        return [*lines, msgspec.structs.replace(line, account=account)]
    if not rest or not lines or any(line.stated is None for line in lines):
        return lines
    most = max(lines, key=lambda line: abs(line.stated or Decimal(0)))
    amount, name = (most.stated or 0) + rest, f"{most.name} ({DIFFERENCE.lower()} {rest})"
    less = msgspec.structs.replace(most, name=name, quantity=one, price=amount, stated=amount)
    return [less if line is most else line for line in lines]


def _line(invoice: Invoiced, line: InvoicedLine, key: tuple[object, ...], facts: Facts) -> Line:
    amount = _in_invoice_currency(invoice, line, facts)
    quantity, price = _priced(amount, line.quantity)
    return Line(
        key=unique(key_text(*key, line.row_id)),
        where=f"line {line.row_id}",
        name=line.text or invoice.text or f"{invoice.invoice_no or ''} {line.row_id}".strip(),
        quantity=quantity,
        price=price,
        stated=amount,
        account=facts.account_in_target(line.account or ""),
        tax_code=line.tax_code or "",
        code_b=line.code_b or "",
        code_c=line.code_c or "",
        code_d=line.code_d or "",
        code_e=line.code_e or "",
        code_f=line.code_f or "",
        code_g=line.code_g or "",
        code_h=line.code_h or "",
        code_i=line.code_i or "",
        code_j=line.code_j or "",
    )


def _vat(invoice: Invoiced, key: tuple[object, ...]) -> Line | None:
    amount = invoice.vat_amount
    if not amount:
        return None
    named = unique(key_text(*key, "VAT"))
    return Line(key=named, where="VAT", name="VAT", quantity=Decimal(1), price=amount, stated=amount)


def _priced(amount: Decimal | None, quantity: Decimal | None) -> tuple[Decimal, Decimal | None]:
    """Quantity and price where their product is the amount to the last digit; else a quantity of one."""
    if amount is not None and quantity is not None and quantity > 0 and quantity != 1:
        price = (amount / quantity).quantize(Decimal(1).scaleb(-PRICE_DECIMALS))
        if times(quantity, price) == amount:
            return quantity, price
    return Decimal(1), amount


def _in_invoice_currency(invoice: Invoiced, line: InvoicedLine, facts: Facts) -> Decimal | None:
    """`Amount` is in the company's currency; it stands for the invoice's own where the two are one."""
    company = facts.companies.get(invoice.company)
    own = company is not None and company.currency == invoice.currency_code
    return line.amount if line.currency_amount is None and own else line.currency_amount


# --- deals ----------------------------------------------------------------------------------------------------------


def deal_from_proposal(proposal: ifs.PostingProposal, facts: Facts) -> Deal:
    """An IFS posting proposal becomes a deal that is closed and won."""
    return Deal(
        key=unique(key_text("DEAL", proposal.company, proposal.proposal_id)),
        company=proposal.company,
        number=proposal.invoice_no,
        supplier_no=proposal.supplier_id,
        supplier_id=facts.remote_id(SUPPLIERS_FLOW, key_text(proposal.supplier_id)),
        invoice_id=facts.remote_id(INVOICES_FLOW, key_text(proposal.company, proposal.proposal_id)),
        currency=proposal.currency_code,
        invoice_date=proposal.invoice_date,
        status=status_of(proposal.obj_state, facts),
        stated_gross=proposal.gross_amount,
        name=f"Invoice {proposal.invoice_no or proposal.proposal_id}, company {proposal.company}",
        defaults=_defaults("deals", proposal, facts),
        tie=str(getattr(proposal, facts.options.get("deal_key_field", ""), "") or ""),
    )


def unique(key: str) -> str:
    """The key as a unique value. HubSpot may fold case and trim: a key that this could change carries a mark of its
    own, so that s1 and S1 stay two.
    """
    if key == key.upper() and key == key.strip():
        return key
    return f"{key.strip()}~{hashlib.blake2b(key.encode(), digest_size=4).hexdigest()}"
