"""IFS suppliers and orders become Airbase vendors and purchase orders. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from mlc_dagster.core.amounts import currency_decimals
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.rules.chart_agreement import subsidiary_of
from mlc_dagster.systems.airbase.records import OrderLine, PurchaseOrder, Vendor
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.supplier_records import owners_from

VENDORS_FLOW, PURCHASE_ORDERS_FLOW = "airbase/vendors", "airbase/purchase_orders"


def vendor_from_supplier(supplier: ifs.Supplier, facts: Facts) -> Vendor:
    """An IFS supplier becomes an Airbase vendor; a blocked one is not active there."""
    return Vendor(
        key=key_text(supplier.supplier_id),
        name=(supplier.name or "").strip() or None,
        is_active=not supplier.blocked,
        email=(supplier.email or "").strip() or None,
        subsidiaries=_all_subsidiaries(facts),
        payment_term=facts.payment_terms.get(supplier.payment_terms or ""),
        owners=owners_from(facts.table("supplier_owners")),
    )


def order_from_order(order: ifs.PurchaseOrder, facts: Facts) -> PurchaseOrder:
    """An IFS order becomes an Airbase order under the same number, each line with its GL account."""
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
        stated_total=order.total_amount if order.total_amount is not None else _stated(order.lines),
        lines=tuple(_line(order, line, place, facts) for place, line in enumerate(_ordered(order), 1)),
    )


def _all_subsidiaries(facts: Facts) -> tuple[str, ...]:
    """A supplier of IFS belongs to no company: it is open to every subsidiary that mlc.yaml and Airbase both know."""
    named = {subsidiary_of(company, facts.companies) for company in facts.companies} - {""}
    known = facts.books.subsidiaries
    return tuple(sorted(named if known is None else named & known))


def _ordered(order: ifs.PurchaseOrder) -> list[ifs.PurchaseOrderLine]:
    """By line and release, numbers by their value: in which order a tenant gives the lines must change nothing."""
    return sorted(
        order.lines, key=lambda line: (len(line.line_no), line.line_no, len(line.release_no), line.release_no)
    )


def _line(order: ifs.PurchaseOrder, line: ifs.PurchaseOrderLine, place: int, facts: Facts) -> OrderLine:
    """A line that states only an amount is a quantity of one."""
    lump = line.buy_qty_due is None and line.buy_unit_price is None
    return OrderLine(
        where=f"line {line.line_no}/{line.release_no}",
        key=key_text(order.order_no, line.line_no, line.release_no),
        number=place,
        description=(line.description or line.part_no or "").strip() or None,
        quantity=Decimal(1) if lump else line.buy_qty_due,
        price=line.line_amount if lump else line.buy_unit_price,
        stated=line.line_amount,
        account=facts.account_in_target(line.account) if line.account else None,
    )


def _stated(lines: Sequence[ifs.PurchaseOrderLine]) -> Decimal | None:
    """The sum of the ERP's line amounts, None where one of them is missing or there are none."""
    known = [line.line_amount for line in lines if line.line_amount is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(lines) else None
