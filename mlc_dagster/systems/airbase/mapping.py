"""IFS suppliers and orders become Airbase vendors and purchase orders. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mlc_dagster.core.amounts import currency_decimals, round_half_up, times
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.rules.chart_agreement import subsidiary_of
from mlc_dagster.systems.airbase.records import DECIMALS, LineField, OrderLine, PurchaseOrder, Vendor
from mlc_dagster.systems.airbase.vendors.vendor_details import main_address, primary_of
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.supplier_records import owners_from
from mlc_dagster.systems.shared.order_lines import has_another_price, one_costs, ordered, stated_total
from mlc_dagster.systems.shared.order_progress import LineProgress, received

VENDORS_FLOW, PURCHASE_ORDERS_FLOW = "airbase/vendors", "airbase/purchase_orders"


def vendor_from_supplier(supplier: ifs.Supplier, facts: Facts) -> Vendor:
    """An IFS supplier becomes an Airbase vendor; a blocked one is not active there."""
    places, main = facts.table("vendor_details"), facts.options.get("main_address_type", "")
    has_contact, has_address = "contact_name" in places and supplier.contacts is not None, "address1" in places
    return Vendor(
        key=key_text(supplier.supplier_id),
        name=(supplier.name or "").strip() or None,
        is_active=not supplier.blocked,
        email=(supplier.email or "").strip() or None,
        subsidiaries=_all_subsidiaries(facts),
        payment_term=facts.payment_terms.get(supplier.payment_terms or ""),
        owners=owners_from(facts.table("supplier_owners")),
        contacts=primary_of(supplier.contacts) if has_contact else None,
        addresses=main_address(supplier.addresses, main) if has_address and supplier.addresses is not None else None,
        bank_mark=supplier.bank_account if facts.options.get("bank_details") else None,
    )


def order_from_order(order: ifs.PurchaseOrder, facts: Facts) -> PurchaseOrder:
    """An IFS order becomes an Airbase order under the same number, each line with its GL account."""
    known = {each.where: each for each in received(order, facts).lines} if facts.table("order_line_fields") else {}
    return PurchaseOrder(
        key=key_text(order.order_no),
        company=order.company or "",
        subsidiary=subsidiary_of(order.company or "", facts.companies),
        supplier_no=order.vendor_no,
        supplier_id=facts.remote_id(VENDORS_FLOW, key_text(order.vendor_no)),
        currency=order.currency_code,
        decimals=currency_decimals(order.currency_code, facts.companies.get(order.company or "")),
        order_date=order.order_date,
        remark=order.notes,
        stated_total=stated_total(order, facts),
        lines=tuple(
            _line(order, line, place, known.get(f"{line.line_no}/{line.release_no}"), facts)
            for place, line in enumerate(ordered(order, facts), 1)
        ),
        status=facts.table("order_statuses").get(order.obj_state or ""),
    )


def _all_subsidiaries(facts: Facts) -> tuple[str, ...]:
    """A supplier of IFS belongs to no company: it is open to every subsidiary that mlc.yaml and Airbase both know."""
    named = {subsidiary_of(company, facts.companies) for company in facts.companies} - {""}
    known = facts.books.subsidiaries
    return tuple(sorted(named if known is None else named & known))


def _line(
    order: ifs.PurchaseOrder, line: ifs.PurchaseOrderLine, place: int, progress: LineProgress | None, facts: Facts
) -> OrderLine:
    """A line that states only an amount is a quantity of one. The unit stands in the text: no field of it is known."""
    lump = line.buy_qty_due is None and line.buy_unit_price is None
    unit = "" if lump else unit_of(line, facts)
    text = (line.description or line.part_no or "").strip()
    return OrderLine(
        where=f"line {line.line_no}/{line.release_no}",
        key=key_text(order.order_no, line.line_no, line.release_no),
        number=place,
        description=(f"{text} ({unit})" if unit else text) if text else None,
        quantity=Decimal(1) if lump else line.buy_qty_due,
        price=line.line_amount if lump else _price(order, line, facts),
        stated=line.line_amount,
        account=facts.account_in_target(line.account) if line.account else None,
        more=tuple(_more(progress, facts)) if progress else (),
    )


def _more(progress: LineProgress, facts: Facts) -> Iterator[LineField]:
    """What was received of it, and when it is due, under the names that this tenant has for these."""
    names = facts.table("order_line_fields")
    if (name := names.get("received_quantity")) and progress.done is not None:
        yield LineField(name=name, number=progress.done)
    if name := names.get("expected_date"):
        yield LineField(name=name, day=progress.due)


def unit_of(line: ifs.PurchaseOrderLine, facts: Facts) -> str:
    """What the quantity is counted in, through the table of units; empty where nobody says it."""
    return facts.stands_for("units", (line.buy_unit_meas,), line.buy_unit_meas) or ""


def _price(order: ifs.PurchaseOrder, line: ifs.PurchaseOrderLine, facts: Facts) -> Decimal | None:
    """What one costs after a discount, where that makes the amount."""
    if has_another_price(order, line, facts):
        each = one_costs(line, DECIMALS)
        decimals = currency_decimals(order.currency_code, facts.companies.get(order.company or ""))
        if round_half_up(times(each, line.buy_qty_due or Decimal(0)), decimals) == line.line_amount:
            return each
    return line.buy_unit_price
