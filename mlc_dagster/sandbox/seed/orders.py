"""The demo's purchase orders and customer orders, with the flaws that a tenant has in a few of a hundred."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from mlc_dagster.sandbox.ifs.api import IfsSandbox
from mlc_dagster.sandbox.seed.books import (
    BLOCKED,
    CODE_PARTS,
    COMPANIES,
    COSTS,
    EXPIRED,
    NOT_IN_CIN7,
    NOT_IN_IFS,
    UNMAPPED_COMPANY,
)
from mlc_dagster.sandbox.seed.partners import DAYS, Partner, Season
from mlc_dagster.sandbox.seed.texts import PARTS, SERVICES, UNKNOWN_PARTS, part_name

ORDERS, CUSTOMER_ORDERS = 600, 100
RATES = {"EUR": Decimal("11.4235"), "USD": Decimal("10.5512")}
_STATES = ("Planned", "Released", "Released", "Released", "Confirmed", "Confirmed", "Received", "Closed")
_KEYS = ("P'100", "P/100 %", "ÖRDER 1", "00017", "17", "P-1 #2", "P%2F9", "注文-3")

THIRD_DECIMAL = "third decimal"

Row = dict[str, Any]
Flaw = tuple[str, Callable[[Row], object]]


def rounded(amount: Decimal, decimals: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def sow_orders(ifs: IfsSandbox, season: Season, partners: list[Partner]) -> list[tuple[Row, int]]:
    """(order, its day) of every good order, for invoices to refer to."""
    good = []
    for number in range(ORDERS):
        flaw = FLAWS[number // 17 % len(FLAWS)] if number % 17 == 5 else None
        kuwaiti = flaw is not None and flaw[0] == THIRD_DECIMAL
        fitting = [each for each in partners if each.currency == "KWD"] if kuwaiti else partners
        order, day = _order(season, number, season.rng.choice(fitting))
        if flaw:
            flaw[1](order)
            season.flawed(flaw[0], order["OrderNo"])
        else:
            good.append((order, day))
        ifs.put("PurchaseOrderSet", order)
    return good


def _order(season: Season, number: int, partner: Partner) -> tuple[Row, int]:
    rng, company = season.rng, COMPANIES[partner.company]
    day = rng.randrange(partner.from_day, DAYS) if rng.random() < 0.95 else rng.randrange(DAYS)
    ordered = season.day(day) - timedelta(days=rng.randrange(4))
    lines = [_line(season, partner, line) for line in range(1, rng.choice((1, 1, 2, 2, 3, 4, 5, 8)) + 1)]
    _each_part_once(lines)
    order = {
        "OrderNo": _KEYS[number // 80] if number % 80 == 40 else f"P{100000 + number}",
        "Company": partner.company,
        "Contract": _site(company, number),
        "VendorNo": partner.number,
        "OrderDate": ordered.isoformat(),
        "WantedReceiptDate": (ordered + timedelta(days=rng.randrange(7, 60))).isoformat(),
        "CurrencyCode": partner.currency,
        "CurrencyRate": RATES.get(partner.currency, Decimal(1)),
        "BuyerCode": rng.choice(("ANNA", "KENJI", "LAYLA", "OVE")),
        "TotalAmount": total(lines),
        "Notes": rng.choice((None, None, None, "Urgent", 'Call "Per" first', "Gate 4 → ramp B")),
        "ObjState": rng.choice(_STATES),
        "LastModified": season.moment(day),
        "PurchaseOrderLines": lines,
    }
    if order["OrderNo"] in _KEYS:
        season.flawed("hostile key of an order", order["OrderNo"])
    return order, day


def _site(company: Row, number: int) -> str:
    """Every third order of a company with two plants is of the second."""
    sites = list(company.get("sites", [company["site"]]))
    return str(sites[1 if number % 3 == 1 and len(sites) > 1 else 0])


def _each_part_once(lines: list[Row]) -> None:
    """Cin7 takes a product once in an order: a part that was drawn again is the next one in the list."""
    seen: set[str] = set()
    for line in lines:
        if line["PartNo"] is None:
            continue
        start = PARTS.index(line["PartNo"])
        part = next(each for each in (*PARTS[start:], *PARTS) if each not in seen)
        seen.add(part)
        line.update(PartNo=part, Description=part_name(part), BuyUnitMeas=unit_of(part))


def unit_of(part: str | None) -> str:
    return "m" if part and part.startswith("CBL") else "pcs"


def total(lines: list[Row]) -> Decimal:
    return sum((line["LineAmount"] for line in lines), Decimal(0))


def price(season: Season, currency: str) -> Decimal:
    """A believable price; Kuwaiti ones have three decimals of which the last is zero, as Cin7 has but two."""
    rng = season.rng
    if currency == "JPY":
        return Decimal(rng.randrange(5, 5000) * 10)
    return Decimal(rng.randrange(500, 250000)).scaleb(-2) + (Decimal("0.000") if currency == "KWD" else 0)


def _line(season: Season, partner: Partner, number: int) -> Row:
    rng, company = season.rng, COMPANIES[partner.company]
    part = None if rng.random() < 0.05 else rng.choice(PARTS)
    fraction = partner.company == "0010" and part and part.startswith("CBL")
    quantity = Decimal(rng.randrange(10, 400)).scaleb(-1) + 1 if fraction else Decimal(rng.randrange(1, 40))
    each = price(season, partner.currency)
    return {
        "LineNo": str(number),
        "ReleaseNo": "1",
        "PartNo": part,
        "Description": part_name(part) if part else rng.choice(SERVICES),
        "BuyQtyDue": quantity,
        "BuyUnitMeas": unit_of(part),
        "BuyUnitPrice": each,
        "LineAmount": rounded(quantity * each, company["decimals"]),
        "TaxCode": rng.choice(company["tax"]),
        "WantedDeliveryDate": None,
        "Account": rng.choice(COSTS),
        "CodeB": rng.choice(CODE_PARTS["B"]),
        "CodeC": rng.choice((None, *CODE_PARTS["C"])),
    }


# --- flaws ----------------------------------------------------------------------------------------------------------


def _first_line(**fields: Any) -> Callable[[Row], object]:
    return lambda order: order["PurchaseOrderLines"][0].update(fields)


def _header(**fields: Any) -> Callable[[Row], object]:
    return lambda order: order.update(fields)


def _third_decimal(order: Row) -> None:
    """One piece at 12.345: Cin7 computes with two decimals."""
    line = order["PurchaseOrderLines"][0]
    line.update(BuyQtyDue=Decimal(1), BuyUnitPrice=Decimal("12.345"), LineAmount=Decimal("12.345"))
    order["TotalAmount"] = total(order["PurchaseOrderLines"])


def _negative(order: Row) -> None:
    line = order["PurchaseOrderLines"][0]
    line.update(BuyUnitPrice=-line["BuyUnitPrice"], LineAmount=-line["LineAmount"])
    order["TotalAmount"] = total(order["PurchaseOrderLines"])


def _wrong_total(order: Row) -> None:
    order["TotalAmount"] += Decimal("0.01") if order["CurrencyCode"] != "JPY" else 1


def _other_company(order: Row) -> None:
    order["Company"] = UNMAPPED_COMPANY


FLAWS: tuple[Flaw, ...] = (
    ("account not in Cin7", _first_line(Account=NOT_IN_CIN7[0])),
    ("account not in IFS", _first_line(Account=NOT_IN_IFS)),
    ("account blocked", _first_line(Account=BLOCKED)),
    ("account expired", _first_line(Account=EXPIRED)),
    ("account missing", _first_line(Account=None)),
    ("company not mapped", _other_company),
    ("total does not add up", _wrong_total),
    ("currency missing", _header(CurrencyCode=None)),
    ("cancelled", _header(ObjState="Cancelled")),
    ("supplier does not exist", _header(VendorNo="99999")),
    ("supplier trades in another currency", _header(CurrencyCode="CHF")),
    (THIRD_DECIMAL, _third_decimal),
    ("part unknown to Cin7", _first_line(PartNo=UNKNOWN_PARTS[0])),
    ("negative amount", _negative),
    ("modified is null", _header(LastModified=None)),
    ("tax code unknown", _first_line(TaxCode="X9")),
    ("no lines", _header(PurchaseOrderLines=[], TotalAmount=Decimal(0))),
    ("modified in 2999", _header(LastModified="2999-12-31T23:59:59Z")),
)


# --- sales ----------------------------------------------------------------------------------------------------------


def sow_customer_orders(ifs: IfsSandbox, season: Season, customers: list[str]) -> None:
    for number in range(CUSTOMER_ORDERS):
        rng, day = season.rng, season.rng.randrange(DAYS)
        lines = [_sale(season, line) for line in range(1, rng.randrange(1, 6))]
        order = {
            "OrderNo": f"C{20000 + number}",
            "Company": "0010",
            "Contract": "S10",
            "CustomerNo": rng.choice(customers),
            "OrderDate": season.day(day).isoformat(),
            "CurrencyCode": "SEK",
            "CurrencyRate": Decimal(1),
            "TotalAmount": total(lines),
            "ObjState": rng.choice(("Planned", "Released", "Delivered", "Invoiced")),
            "LastModified": season.moment(day),
            "CustomerOrderLines": lines,
        }
        _ship(order, number)
        ifs.put("CustomerOrderSet", order)


def _ship(order: Row, number: int) -> None:
    """What is delivered is shipped; of every fourth released order the first line."""
    for line in order["CustomerOrderLines"]:
        is_first = order["ObjState"] == "Released" and number % 4 == 0 and line["LineNo"] == "1"
        is_out = order["ObjState"] in ("Delivered", "Invoiced") or is_first
        line["QtyShipped"] = line["BuyQtyDue"] if is_out else Decimal(0)


def _sale(season: Season, number: int) -> Row:
    rng = season.rng
    quantity, each, part = Decimal(rng.randrange(1, 20)), price(season, "SEK"), rng.choice(PARTS)
    amounts = {"BuyQtyDue": quantity, "SaleUnitPrice": each, "LineAmount": rounded(quantity * each, 2)}
    told = {"CatalogNo": part, "Description": part_name(part), "SalesUnitMeas": unit_of(part)}
    return {"LineNo": str(number), "RelNo": "1", **told, **amounts}
