"""IFS suppliers, orders and posting proposals become Cin7 suppliers, purchases and invoices. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache

import msgspec

from mlc_dagster.core.amounts import round_to, times
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.rules import placed_difference
from mlc_dagster.systems.cin7.order_lines import Price, merged, price_paid
from mlc_dagster.systems.cin7.rates import for_one, rate_of_the_order
from mlc_dagster.systems.cin7.records import (
    CENT,
    LEAST_QUANTITY,
    PROPOSAL,
    QUANTITY_DECIMALS,
    ZERO,
    Charge,
    OrderLine,
    Purchase,
    PurchaseInvoice,
    line_total,
)
from mlc_dagster.systems.cin7.suppliers.supplier_mapping import supplier_from_ifs as supplier_from_ifs
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.shared.invoice_lines import in_invoice_currency
from mlc_dagster.systems.shared.order_lines import ordered, stated_total, wanted_on
from mlc_dagster.systems.shared.order_progress import received, summary

SUPPLIERS_FLOW, PURCHASES_FLOW = "cin7/suppliers", "cin7/purchases"
_line_key = lru_cache(4096)(key_text)  # the lines of all orders are numbered alike
SMALLEST = Decimal(1).scaleb(-QUANTITY_DECIMALS)
REFERENCE = 256  # characters
HALF_A_CENT, HUNDREDTH = Decimal("0.005"), Decimal("0.01")


# --- orders ---------------------------------------------------------------------------------------------------------


def purchase_from_order(order: ifs.PurchaseOrder, facts: Facts) -> Purchase:
    """An IFS order becomes a Cin7 purchase at its order stage: parts become lines, the rest additional charges.

    Cin7's order lines have no GL account; it is carried in their comment, and set on the invoice.
    """
    lines = ordered(order, facts)
    parts = [line for line in lines if line.part_no]
    marker = key_text(order.company or "", order.order_no)
    rate, erp_rate = _rates(order.company, order.currency_code, _rate_of_order(order, facts), facts)
    return Purchase(
        company=order.company or "",
        marker=marker,
        slot=facts.options.get("external_key", ""),
        supplier_no=order.vendor_no,
        supplier_id=facts.remote_id(SUPPLIERS_FLOW, key_text(order.vendor_no)),
        currency=order.currency_code,
        location=_location(order.company, order.contract, facts),
        currency_rate=rate,
        erp_rate=erp_rate,
        dated=order.order_date,
        required_by=wanted_on(order, facts),
        progress_slot=(slot := facts.options.get("order_progress", "")),
        progress=summary(received(order, facts))[:REFERENCE] if slot else "",
        remark=order.notes,
        lines=merged(
            [_order_line(marker, order, line, facts) for line in parts], [line.buy_unit_meas for line in parts], facts
        ),
        charges=tuple([_order_charge(marker, order, line, facts) for line in lines if not line.part_no]),
        stated_total=stated_total(order, facts),
        least_quantity=SMALLEST if facts.options.get("quantities_below_one") == "send" else LEAST_QUANTITY,
    )


def ordered_parts(order: ifs.PurchaseOrder, facts: Facts) -> list[ifs.PurchaseOrderLine]:
    return [line for line in ordered(order, facts) if line.part_no]


def _order_line(marker: str, order: ifs.PurchaseOrder, line: ifs.PurchaseOrderLine, facts: Facts) -> OrderLine:
    tax_rule, price = _tax_rule(line.tax_code, facts), price_paid(order, line, facts)
    return OrderLine(
        where=f"line {line.line_no}/{line.release_no}",
        sku=line.part_no or "",
        name=line.description or line.part_no or "",
        quantity=line.buy_qty_due,
        price=price.each,
        discount=price.discount,
        stated=line.line_amount,
        tax_code=line.tax_code,
        tax_rule=tax_rule,
        tax=_tax(line_total(line.buy_qty_due, *price), tax_rule, facts),
        comment=_origin(marker, line, facts),
    )


def _order_charge(marker: str, order: ifs.PurchaseOrder, line: ifs.PurchaseOrderLine, facts: Facts) -> Charge:
    """A line without a part; one that states only an amount is a quantity of one."""
    lump = line.buy_qty_due is None and line.buy_unit_price is None
    small = line.buy_qty_due is not None and 0 < line.buy_qty_due < LEAST_QUANTITY
    lump = lump or (small and facts.options.get("quantities_below_one") == "one")
    quantity = Decimal(1) if lump else line.buy_qty_due
    price = Price(line.line_amount) if lump else price_paid(order, line, facts)
    tax_rule = _tax_rule(line.tax_code, facts)
    return Charge(
        where=f"line {line.line_no}/{line.release_no}",
        description=_service(line.description or "", facts),
        quantity=quantity,
        price=price.each,
        discount=price.discount,
        stated=line.line_amount,
        tax_code=line.tax_code,
        tax_rule=tax_rule,
        tax=_tax(line_total(quantity, *price), tax_rule, facts),
        comment=_with_text(_origin(marker, line, facts), line.description, facts),
    )


def _origin(marker: str, line: ifs.PurchaseOrderLine, facts: Facts) -> str:
    """ "IFS 0010/P1/1/1 account 4010": the ERP's line, and the account that its invoice will be posted on."""
    key = f"{marker}/{_line_key(line.line_no, line.release_no)}"
    return f"IFS {key} account {facts.account_in_target(line.account)}" if line.account else f"IFS {key}"


# --- invoices -------------------------------------------------------------------------------------------------------


def invoice_from_proposal(proposal: ifs.PostingProposal, facts: Facts) -> PurchaseInvoice:
    """An IFS posting proposal becomes a supplier invoice in Cin7, each of its lines a charge on its GL account.

    It goes on the purchase of its order; without an order it gets a purchase of its own.
    """
    order_no = proposal.po_reference or None
    rows = sorted(proposal.lines, key=lambda line: line.row_id)
    marker = key_text(proposal.company, proposal.proposal_id)
    rate, erp_rate = _rates(proposal.company, proposal.currency_code, proposal.currency_rate, facts, proposal)
    charges = [_invoice_charge(proposal, marker, line, facts) for line in rows]
    rest = placed_difference(proposal.net_amount, proposal.vat_amount, proposal.gross_amount, facts)
    whole = [*_with_the_stated_tax(charges, proposal.vat_amount), *_difference(marker, rest, facts)]
    return PurchaseInvoice(
        company=proposal.company,
        marker=f"{PROPOSAL}{marker}",
        slot=facts.options.get("external_key", ""),
        supplier_no=proposal.supplier_id,
        supplier_id=facts.remote_id(SUPPLIERS_FLOW, key_text(proposal.supplier_id)),
        currency=proposal.currency_code,
        location=_location(proposal.company, proposal.contract, facts),
        currency_rate=rate,
        erp_rate=erp_rate,
        dated=proposal.invoice_date,
        remark=proposal.text,
        order_no=order_no,
        purchase_id=facts.remote_id(PURCHASES_FLOW, key_text(order_no)) if order_no else None,
        invoice_number=proposal.invoice_no,
        invoice_date=proposal.invoice_date,
        due_date=proposal.due_date,
        status="AUTHORISED" if facts.options.get("invoice_status") == "AUTHORISED" else "DRAFT",
        charges=tuple(whole),
        stated_net=proposal.net_amount + rest if rest and proposal.net_amount is not None else proposal.net_amount,
        stated_tax=proposal.vat_amount,
        stated_gross=proposal.gross_amount,
        as_charges=facts.options.get("invoice_lines") == "charges",
    )


def _invoice_charge(proposal: ifs.PostingProposal, marker: str, line: ifs.PostingProposalLine, facts: Facts) -> Charge:
    amount = in_invoice_currency(proposal, line, facts)
    tax_rule = _tax_rule(line.tax_code, facts)
    text = line.text or proposal.text or f"{proposal.invoice_no or ''} {line.row_id}".strip()
    return Charge(
        where=f"line {line.row_id}",
        description=_service(text, facts),
        quantity=Decimal(1),
        price=amount,
        stated=amount,
        tax_code=line.tax_code,
        tax_rule=tax_rule,
        tax=_tax(line_total(Decimal(1), amount), tax_rule, facts),
        comment=_with_text(f"IFS {marker}/{line.row_id}", text, facts),
        account=facts.account_in_target(line.account or ""),
    )


def _difference(marker: str, rest: Decimal, facts: Facts) -> Iterator[Charge]:
    """What is payable beside net plus tax, a charge without tax on its own account."""
    if rest:
        text, code = "Difference of the payable", facts.options.get("payable_difference_account", "")
        yield Charge(
            where="the difference of the payable",
            description=_service(text, facts),
            quantity=Decimal(1),
            price=rest,
            stated=rest,
            tax_rule=_tax_rule(None, facts),
            comment=_with_text(f"IFS {marker}/difference", text, facts),
            account=facts.account_in_target(code),
        )


def _with_the_stated_tax(charges: Sequence[Charge], stated: Decimal | None) -> tuple[Charge, ...]:
    """IFS states VAT for the whole invoice, Cin7 takes it line by line: what rounding leaves, at most half a cent for
    each taxed line, goes to the line with the most tax. A larger difference stays, and is held by `amounts_add_up`.
    """
    taxed = [index for index, charge in enumerate(charges) if charge.tax]
    rest = (stated or Decimal(0)) - sum((charge.tax for charge in charges), Decimal(0))
    if not taxed or abs(rest) > HALF_A_CENT * len(taxed):
        return tuple(charges)
    most = max(taxed, key=lambda index: abs(charges[index].tax))
    adjusted = msgspec.structs.replace(charges[most], tax=charges[most].tax + rest)
    return (*charges[:most], adjusted, *charges[most + 1 :])


# --- both -----------------------------------------------------------------------------------------------------------


def _service(text: str, facts: Facts) -> str:
    """Cin7 names a charge by a service product; a line without a text is still told as one."""
    return (facts.options.get("service_product") or text) if text else ""


def _with_text(mark: str, text: str | None, facts: Facts) -> str:
    """The ERP's text behind its key, where a service product stands in its place: as much as a reference holds."""
    return f"{mark}: {text}"[:REFERENCE] if text and facts.options.get("service_product") else mark


def _location(company: str | None, site: str | None, facts: Facts) -> str:
    """The site's, else the company's, else the usual one."""
    mapping, of_site = facts.companies.get(company or ""), facts.site(company, site)
    own = {**(mapping.names if mapping else {}), **(of_site.names if of_site else {})}
    return own.get("location") or facts.options.get("location", "")


def _rate_of_order(order: ifs.PurchaseOrder, facts: Facts) -> Decimal | None:
    """As the ERP states it; of a tenant whose orders state none, the one that their lines' two amounts make."""
    mapping = facts.companies.get(order.company or "")
    if order.currency_rate is not None or mapping is None:
        return order.currency_rate
    for_one_unit = rate_of_the_order(order, mapping.decimals)
    units = Decimal(facts.table("rate_units").get(order.currency_code or "") or 1)
    return None if for_one_unit is None else times(for_one_unit, units)


def _rates(
    company: str | None,
    currency: str | None,
    rate: Decimal | None,
    facts: Facts,
    proposal: ifs.PostingProposal | None = None,
) -> tuple[Decimal | None, Decimal | None]:
    """(the rate that is sent, the ERP's that is compared alone): the second where Cin7's own counts by mlc.yaml."""
    found = _currency_rate(company, currency, rate, facts, proposal)
    is_base = currency == facts.books.base_currency
    return (None, found) if facts.options.get("rates") == "cin7" and not is_base else (found, None)


def _currency_rate(
    company: str | None,
    currency: str | None,
    rate: Decimal | None,
    facts: Facts,
    proposal: ifs.PostingProposal | None = None,
) -> Decimal | None:
    """Cin7 wants its base currency for one unit of the supplier's; IFS gives the company's currency for one unit, or
    for as many as its conversion factor says.
    """
    mapping = facts.companies.get(company or "")
    if currency and currency == facts.books.base_currency:
        return Decimal(1)
    units = facts.table("rate_units").get(currency or "")
    one = for_one(rate, Decimal(units) if units else None, proposal)
    return one if mapping and mapping.currency == facts.books.base_currency else None


def _tax_rule(code: str | None, facts: Facts) -> str | None:
    return facts.tax_rules.get(code) if code else facts.options.get("tax_rule")


def _tax(total: Decimal, rule: str | None, facts: Facts) -> Decimal:
    """The tax that a rule makes of a line's total: Cin7 wants it stated."""
    percent = facts.books.tax_percents.get(rule or "", ZERO)
    return round_to(times(times(total, percent), HUNDREDTH), CENT)
