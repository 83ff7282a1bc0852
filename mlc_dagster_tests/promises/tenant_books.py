"""What stands in the sandboxed ERP for C30, and what a client that reads it has to find: the sandbox's own truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from mlc_dagster.core.vocabulary import EntitySet, LineSet, Row, key_text
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.ifs.fiscal import year_and_period

COMPANIES = ("0010", "20")
SUPPLIERS, ORDERS, VOUCHERS = 12, 14, 9
RATE = Decimal("11.4235")
SMALL, TINY = Decimal("0.1234567891"), Decimal("0.12345678901234567891")  # ten and twenty decimals
Fields = dict[str, Any]


def now() -> datetime:
    """When rows were changed: before what is read now ends."""
    return datetime.now(UTC) - timedelta(seconds=2)


def fill(box: Sandbox) -> None:
    """Two companies' books, good in every respect, with what tenants differ in."""
    for number in range(SUPPLIERS):
        box.ifs.put("SupplierSet", _supplier(number), modified=now())
        box.ifs.put("CustomerSet", customer(number), modified=now())
    for company in COMPANIES:
        _fill_chart(box, company)
    for number in range(ORDERS):
        box.ifs.put("PurchaseOrderSet", _order(number), modified=now())
        box.ifs.put("CustomerOrderSet", sale(number), modified=now())
    for number in range(VOUCHERS):
        box.ifs.put("VoucherSet", voucher(number, box.tenant.fiscal_year_starts), modified=now())
    for number in range(6):
        box.ifs.put("PostingProposalHeadSet", _proposal(number), modified=now())


def _supplier(number: int) -> Fields:
    """The third has no purchase side; the fourth's number has what a URL minds."""
    said = {"CurrencyCode": ("SEK", "EUR")[number % 2], "PaymentTerms": "30", "Notes": "Quick" if number == 5 else None}
    return {
        "SupplierId": "S/4 'x'" if number == 4 else f"S{number}",
        "Name": f"Supplier {number} å",
        "AssociationNo": f"55{number:08d}",
        "Country": "SE",
        "DefaultLanguage": "en",
        "CreationDate": "2026-01-02",
        "Blocked": False,
        **(dict.fromkeys(said) if number == 3 else said),
    }


def customer(number: int) -> Fields:
    names = {"Name": f"Customer {number}", "Country": "NO", "CreationDate": "2026-01-03", "AssociationNo": None}
    return {"CustomerId": f"{number:03}", **names}


def _fill_chart(box: Sandbox, company: str) -> None:
    dates = {"ValidFrom": "2015-01-01", "ValidUntil": "2049-12-31"}
    for account in ("1930", "2440", "4010", "4020"):
        named = {"Description": f"Account {account}", "AccountType": "COST", "LogicalAccountType": "Cost"}
        box.ifs.put("AccountSet", {"Company": company, "Account": account, **named, **dates, "Blocked": False})
    for part in "BCDEFGHIJ":
        for value in ("CC100", f"{part}2"):
            row = {"Company": company, "CodePart": part, "CodePartValue": value, "Description": value}
            box.ifs.put("CodePartValueSet", {**row, **dates})


def _order(number: int) -> Fields:
    """Of one to three lines: with a part, without one, and rented; each second one in euros."""
    is_foreign = number % 2 == 1
    lines: list[Fields] = [
        {
            "LineNo": str(place),
            "PartNo": None if place == 2 else f"PART-{place}",
            "Description": f"Line {place}",
            "BuyQtyDue": Decimal(place),
            "BuyUnitMeas": "pcs",
            "BuyUnitPrice": Decimal("10.25"),
            "LineAmount": place * Decimal("10.25"),
            "TaxCode": "V0",
            "Account": "4010",
            "CodeB": "CC100",
            "WantedDeliveryDate": "2026-12-01",
            **({"Rental": True} if place == 3 else {}),
        }
        for place in range(1, number % 3 + 2)
    ]
    return {
        "OrderNo": f"P{number}",
        "Company": COMPANIES[0],
        "Contract": "A",
        "VendorNo": "S1" if is_foreign else "S0",
        "OrderDate": "2026-11-04",
        "CurrencyCode": "EUR" if is_foreign else "SEK",
        "CurrencyRate": RATE if is_foreign else Decimal(1),
        "BuyerCode": "ANNA",
        "TotalAmount": sum((line["LineAmount"] for line in lines), Decimal(0)),
        "ObjState": "Released",
        "PurchaseOrderLines": lines,
    }


def sale(number: int) -> Fields:
    money = {"BuyQtyDue": Decimal(2), "SaleUnitPrice": Decimal("7.50"), "LineAmount": Decimal(15)}
    lines = [{"LineNo": str(place), "CatalogNo": "X", "Description": "Sold", **money} for place in (1, 2)]
    keys = {"OrderNo": f"C{number}", "Company": "0010", "Contract": "A", "CustomerNo": f"{number % SUPPLIERS:03}"}
    rest = {"OrderDate": "2026-11-04", "CurrencyCode": "SEK", "CurrencyRate": Decimal(1), "TotalAmount": Decimal(30)}
    return {**keys, **rest, "ObjState": "Released", "CustomerOrderLines": lines}


def voucher(number: int, first_month: int) -> Fields:
    """Three rows; a rate of ten decimals, and an amount that no float holds."""
    year, period = year_and_period("2026-11-04", first_month)
    amount = Decimal("90071992547409.93") + number
    rows = [
        {"Account": "4010", "CodeB": "CC100", "DebitAmount": amount, "CurrencyAmount": amount},
        {"Account": "4020", "CodeC": "C2", "DebitAmount": Decimal("0.07"), "CurrencyAmount": Decimal("0.07")},
        {"Account": "2440", "CreditAmount": amount + Decimal("0.07"), "CurrencyAmount": -amount - Decimal("0.07")},
    ]
    each = {"CurrencyCode": "SEK", "CurrencyRate": SMALL, "Text": "Row"}
    return {
        "Company": COMPANIES[number % 2],
        "VoucherType": "M",
        "AccountingYear": year,
        "VoucherNo": 300000 + number,
        "AccountingPeriod": period,
        "VoucherDate": "2026-11-04",
        "UserGroup": "AC",
        "Text": "Accrual",
        "ExternalRef": f"hand-{number}",
        "ObjState": "AwaitingApproval",
        "VoucherRows": [{**row, **each, "RowNo": place} for place, row in enumerate(rows, 1)],
    }


def _proposal(number: int) -> Fields:
    line = {"RowId": 1, "Amount": Decimal(100), "CurrencyAmount": Decimal(100), "TaxCode": "V0", "Account": "4010"}
    money = {"NetAmount": Decimal(100), "VatAmount": Decimal(0), "GrossAmount": Decimal(100), "CurrencyCode": "SEK"}
    dates = {"InvoiceDate": "2026-11-04", "DueDate": "2026-12-04", "CurrencyRate": Decimal(1)}
    names = {"InvoiceId": 900 + number, "InvoiceNo": f"F-{number}", "SupplierId": "S0", "ObjState": "Balanced"}
    keys = {"Company": "0010", "ProposalId": number + 1}
    return {**keys, **names, **money, **dates, "PostingProposalLines": [{**line, "Quantity": Decimal(1)}]}


# --- the truth, as a record has it ------------------------------------------------------------------------------------

SETS = {
    "supplier_set": "SupplierSet",
    "customer_set": "CustomerSet",
    "purchase_order_set": "PurchaseOrderSet",
    "posting_proposal_head_set": "PostingProposalHeadSet",
    "voucher_set": "VoucherSet",
    "customer_order_set": "CustomerOrderSet",
    "account_set": "AccountSet",
    "code_part_value_set": "CodePartValueSet",
}
NOT_STORED = {"base_amount", "line_item_no", "line_state", "price_unit_meas"}
"""Fields of records that the catalogue's rows have no column for, or that the record makes itself."""


def truth(box: Sandbox, entity: EntitySet) -> dict[str, Row]:
    """Key -> what is to be read, as far as this tenant shows it: each field that is not absent, and its lines."""
    stored = box.ifs.rows(SETS[entity.name])
    allowed = box.tenant.allowed_companies
    seen = [row for row in stored if not allowed or row.get("Company") in (None, *allowed)]
    lines = entity.lines
    return {
        key_text(*(row[_catalogue_name(name)] for name in entity.keys)): {
            **_said(entity, row),
            **({lines.field: _lines(lines, row)} if lines else {}),
        }
        for row in seen
    }


def _lines(lines: LineSet, head: Mapping[str, Any]) -> list[Row]:
    navigation = next(name for name in head if name.endswith(("Lines", "Rows")))
    return [_said(lines, line) for line in head[navigation]]


def _said(entity: EntitySet | LineSet, row: Mapping[str, Any]) -> Row:
    absent = entity.absent
    if isinstance(entity, EntitySet):
        absent = absent - entity.sums.keys() - ({"company"} if entity.sites else set())
    names = [name for name in entity.record.__struct_fields__ if name not in absent and name not in NOT_STORED]
    return {name: plain(row[wire]) for name in names if (wire := _catalogue_name(name)) in row}


def _catalogue_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def plain(value: Any) -> Any:
    """One form for what is read and what is stored."""
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return Decimal(value).normalize()
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value


def differences(read: list[Row], expected: Mapping[str, Row], entity: EntitySet) -> Iterator[str]:
    """Keys, counts and values; what the truth does not say (absent fields) has to be None."""
    found = {key_text(*(row[name] for name in entity.keys)): row for row in read}
    if len(found) != len(read):
        yield f"{len(read)} rows have {len(found)} keys"
    if found.keys() != expected.keys():
        yield f"lost {sorted(expected.keys() - found.keys())}, not there {sorted(found.keys() - expected.keys())}"
    for key in found.keys() & expected.keys():
        yield from (f"{key}: {each}" for each in _unequal(found[key], expected[key], entity))


def _unequal(found: Row, expected: Row, entity: EntitySet) -> Iterator[str]:
    for name, wanted in expected.items():
        if entity.lines and name == entity.lines.field:
            yield from _unequal_lines(found[name] or [], wanted, entity.lines)
        elif plain(found[name]) != wanted:
            yield f"{name} is {found[name]!r}, stored is {wanted!r}"
    yield from (
        f"{name} is absent and reads {found[name]!r}"
        for name in entity.absent - expected.keys()
        if found.get(name) is not None
    )


def _unequal_lines(found: list[Row], expected: list[Row], lines: LineSet) -> Iterator[str]:
    own = [name for name in lines.keys if all(name in line for line in expected)]
    by_key = {tuple(str(plain(line[name])) for name in own): line for line in found}
    wanted = {tuple(str(line[name]) for name in own): line for line in expected}
    if by_key.keys() != wanted.keys() or len(found) != len(expected):
        yield f"lines {sorted(by_key)}, stored are {sorted(wanted)}"
        return
    for key, line in wanted.items():
        for name, value in line.items():
            if plain(by_key[key][name]) != value:
                yield f"line {key}: {name} is {by_key[key][name]!r}, stored is {value!r}"


def sums(rows: list[Row], entity: EntitySet) -> dict[str, Decimal]:
    """Amount -> its sum over all rows, and over all lines."""
    found: dict[str, Decimal] = {}
    for row in rows:
        each = [row, *(row.get(entity.lines.field) or () if entity.lines else ())]
        for values in each:
            for name, value in values.items():
                if name.endswith("amount") and value is not None:
                    found[name] = found.get(name, Decimal(0)) + Decimal(value)
    return found
