"""Procurify's bills, purchase orders and vendors become documents and suppliers of IFS, and back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.rules.payables import difference_account
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.entry_records import NUMBER, TEXT, Invoice, PayableLine, Proposal
from mlc_dagster.systems.ifs.supplier_records import Partner, codes_of, number_of, owners_from
from mlc_dagster.systems.procurify.coding import BILL as BILL
from mlc_dagster.systems.procurify.coding import BILLS_FLOW as BILLS_FLOW
from mlc_dagster.systems.procurify.coding import PROPOSALS_FLOW as PROPOSALS_FLOW
from mlc_dagster.systems.procurify.coding import SUPPLIERS_FLOW as SUPPLIERS_FLOW
from mlc_dagster.systems.procurify.coding import VENDORS_FLOW as VENDORS_FLOW
from mlc_dagster.systems.procurify.coding import account_of, codes, decimals_of
from mlc_dagster.systems.procurify.coding import company_of as company_of
from mlc_dagster.systems.procurify.coding import company_of_location as company_of_location
from mlc_dagster.systems.procurify.coding import cost_centre_of as cost_centre_of
from mlc_dagster.systems.procurify.coding import proposal_reference as proposal_reference
from mlc_dagster.systems.procurify.documents.line_amounts import (
    NOTHING,
    PostedAmounts,
    StatedAmounts,
    largest,
    most_of_rounding,
    posted_amounts,
)
from mlc_dagster.systems.procurify.part_bills import billed_by, billed_of, given_back, reduces
from mlc_dagster.systems.procurify.records import Allocation, Bill, PurchaseOrder, SpendDocument, Vendor, VendorRow
from mlc_dagster.systems.procurify.statuses import is_cancelled, is_closed
from mlc_dagster.systems.shared.countries import country_code

# --- bills and orders -----------------------------------------------------------------------------------------------


def invoice_from_bill(bill: Bill, facts: Facts) -> Invoice:
    """A Procurify bill becomes a supplier invoice: a line for each allocation, on its account and cost centre."""
    company = company_of(bill, facts) or ""
    stated = StatedAmounts(
        decimals_of(bill, company, facts),
        bill.exclusive_tax or NOTHING,
        bill.shipping or NOTHING,
        bill.payable,
        bill.total_cost,
    )
    posted = posted_amounts(bill.allocations, stated)
    lines = tuple(_lines(bill, posted, stated, facts, "shipping"))
    vat = NOTHING if facts.options.get("tax_account") else posted.tax
    is_owed = posted.net + posted.tax > 0  # a credit takes no expectation away
    ended = bill.orders if is_owed and not reduces(facts) else ()
    return Invoice(
        external_ref=facts.reference(BILL, bill.uuid),
        company=company,
        currency=bill.currency,
        text=_named(f"Procurify bill {bill.number} {bill.uuid}{_own_date(bill, facts)}", bill.order_numbers),
        supplier_id=_supplier(bill, facts),
        supplier_named=_vendor(bill),
        net_amount=posted.net + posted.tax - vat,
        vat_amount=vat,
        gross_amount=posted.net + posted.tax,
        stated_gross=None if bill.payable is None else posted.net + posted.tax,
        lines=lines,
        invoice_no=invoice_number(bill),
        invoice_date=posting_date(bill, facts),
        due_date=company_day(bill, bill.due_date, bill.due_date_moment, facts),
        orders=ended,
        proposals=tuple(proposal_reference(order, facts) for order in ended),
        billed=tuple(billed_by(bill, facts)) if reduces(facts) else (),
    ).with_demanded_texts(facts)


def posting_date(bill: Bill, facts: Facts) -> date | None:
    """What accounts payable entered for it; people may date a vendor's invoice back as they like."""
    wanted = facts.options.get("posting_date", "gl_post_date")
    entered = company_day(bill, bill.gl_post_date, bill.gl_post_date_moment, facts)
    return (entered if wanted == "gl_post_date" else None) or _invoiced(bill, facts)


def company_day(document: SpendDocument, day: date | None, moment: datetime | None, facts: Facts) -> date | None:
    """The day on which the company has the moment, where mlc.yaml says its time zone; else that of the location."""
    company = facts.companies.get(company_of(document, facts) or "")
    return company.calendar.day(moment) if moment and company and company.calendar.time_zone else day


def _invoiced(bill: Bill, facts: Facts) -> date | None:
    return company_day(bill, bill.invoice_date, bill.invoice_date_moment, facts)


def _own_date(bill: Bill, facts: Facts) -> str:
    """The vendor's date, where the ERP's document carries another one: it has one date alone."""
    invoiced = _invoiced(bill, facts)
    return f" dated {invoiced}" if invoiced and invoiced != posting_date(bill, facts) else ""


def proposal_from_order(order: PurchaseOrder, facts: Facts) -> Proposal:
    """A Procurify order becomes a posting proposal: what its bill is expected to post."""
    company = company_of(order, facts) or ""
    stated = _expected(order, decimals_of(order, company, facts))
    posted = posted_amounts(order.allocations, stated)
    vat = NOTHING if facts.options.get("tax_account") else posted.tax
    return Proposal(
        external_ref=proposal_reference(order.order_id, facts),
        company=company,
        currency=order.currency,
        text=_named(f"Procurify order {order.number or order.order_id}", ()),
        supplier_id=_supplier(order, facts),
        supplier_named=_vendor(order),
        net_amount=posted.net + posted.tax - vat,
        vat_amount=vat,
        gross_amount=posted.net + posted.tax,
        stated_gross=None if stated.payable is None else posted.net + posted.tax,
        lines=tuple(_lines(order, posted, stated, facts, "freight and other charges")),
        dated=company_day(order, order.dated, order.dated_moment, facts),
        is_cancelled=is_cancelled(order),
        is_foreign=_is_foreign(order, company, facts),
        is_final=reduces(facts) and is_closed(order) and not facts.options.get("backfill_closed"),
        charges=posted.shipping or None,
        bills=tuple(billed_of(order, facts)),
        given_back=tuple(dict.fromkeys(given_back(order, facts))),
    ).with_demanded_texts(facts)


def invoice_number(bill: Bill) -> str | None:
    """The vendor's own number; it may be empty, and then Procurify's stands for it."""
    return bill.invoice_number or (f"PFY-{bill.number}"[:NUMBER] if bill.number else None)


def _expected(order: PurchaseOrder, decimals: int) -> StatedAmounts:
    """Whether the order's total has the denied lines in it, Procurify does not say: the nearer sum is taken."""
    shipping, tax = (order.shipping or NOTHING) + (order.extras or NOTHING), order.tax or NOTHING
    expected = sum((each.amount for each in order.allocations), shipping + tax)
    total = order.total
    if total is not None and order.left_out and abs(total - order.left_out - expected) < abs(total - expected):
        total -= order.left_out
    return StatedAmounts(decimals, tax, shipping, total)


def _lines(
    document: SpendDocument, posted: PostedAmounts, stated: StatedAmounts, facts: Facts, charges: str
) -> Iterator[PayableLine]:
    """Those with an amount; what belongs to none goes to an account of its own, or to the largest."""
    if not document.allocations:
        return
    amounts, place = list(posted.amounts), largest(posted.amounts)
    if abs(posted.rest) <= most_of_rounding(len(amounts), stated.decimals):
        amounts[place] += posted.rest
    texts = [_cut(each.text or "") for each in document.allocations]
    shipping_account, tax_account = (facts.options.get(f"{name}_account") for name in ("shipping", "tax"))
    if posted.shipping and not shipping_account:
        amounts[place] += posted.shipping
        texts[place] = _with(texts[place], f"with {charges} {posted.shipping}")
    for each, amount, text in zip(document.allocations, amounts, texts, strict=True):
        if amount:
            yield _line(each, amount, text, account_of(each, facts), facts)
    main = document.allocations[place]
    if posted.shipping and shipping_account:
        yield _line(main, posted.shipping, charges.capitalize(), shipping_account, facts)
    if posted.tax and tax_account:
        yield _line(main, posted.tax, "Tax", tax_account, facts)
    rest = posted.rest if abs(posted.rest) > most_of_rounding(len(amounts), stated.decimals) else NOTHING
    if account := difference_account(rest, facts):
        yield _line(main, rest, "Difference of the payable", account, facts)


def _line(each: Allocation, amount: Decimal, text: str, account: str | None, facts: Facts) -> PayableLine:
    return PayableLine(account=account or None, amount=amount, text=text or None, **codes(each, facts))


def _is_foreign(document: SpendDocument, company: str, facts: Facts) -> bool:
    mapping = facts.companies.get(company)
    return mapping is not None and document.currency not in (None, mapping.currency)


def _supplier(document: SpendDocument, facts: Facts) -> str | None:
    """The ERP's own number: by the document's external id of the vendor, else as the flow of vendors linked it.

    Procurify lists active vendors alone, and empties the external id of one that is deactivated.
    """
    return number_of(document.vendor_external_id) or linked_supplier(document, facts)


def linked_supplier(document: SpendDocument, facts: Facts) -> str | None:
    return facts.remote_id(SUPPLIERS_FLOW, key_text(document.vendor_id)) if document.vendor_id else None


def _vendor(document: SpendDocument) -> str:
    return f"Vendor {document.vendor_id or '(none)'} {document.vendor_name or ''} of Procurify".replace("  ", " ")


# --- texts ----------------------------------------------------------------------------------------------------------


def _cut(text: str, most: int = TEXT) -> str:
    """On one line, without control characters; what is too long stays whole in Procurify."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _with(text: str, also: str) -> str:
    room = TEXT - len(also) - 3
    return f"{_cut(text, room)} ({also})" if text else also.capitalize()


def _named(start: str, orders: Sequence[str]) -> str:
    """As many of the orders as there is room for."""
    return _cut(f"{start}, {'orders' if len(orders) > 1 else 'order'} {', '.join(orders)}" if orders else start)


# --- vendors --------------------------------------------------------------------------------------------------------


def partner_from_vendor(vendor: VendorRow, facts: Facts) -> Partner:
    """A Procurify vendor becomes a supplier of IFS: the one that it is, or a new one."""
    codes = codes_of(vendor.payment_terms, facts.payment_terms)
    return Partner(
        external_ref=facts.reference("procurify-vendor-", vendor.vendor_id),
        supplier_id=number_of(vendor.external_id),
        name=_cut(vendor.name or "") or None,
        country=country_code(vendor.country),
        currency_code=vendor.currency,
        payment_terms=codes[0] if len(codes) == 1 else None,
        terms=codes if len(codes) > 1 else (),
        email=vendor.email,
        may_create=bool(facts.options.get("create_suppliers_in_ifs")),
        owners=owners_from(facts.table("supplier_owners")),
    )


def vendor_from_supplier(supplier: ifs.Supplier, facts: Facts) -> Vendor:
    """A supplier of IFS becomes a vendor of Procurify, whose countries are free text."""
    return Vendor(
        key=key_text(supplier.supplier_id),
        name=_cut(supplier.name or "") or None,
        country=country_code(supplier.country),
        email=_address(supplier.email),
        currency_code=supplier.currency_code,
        may_create=bool(facts.options.get("create_vendors")),
        owners=owners_from(facts.table("supplier_owners")),
    )


def _address(said: str | None) -> str | None:
    """None where it is no address, as "none" is not: Procurify refuses the whole vendor for it."""
    told = (said or "").strip()
    return told if "@" in told else None
