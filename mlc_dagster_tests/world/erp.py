"""What people do in the ERP: on orders, proposals, vouchers, suppliers, accounts. Each leaves a stamp, or none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.promises import tenant_books

Deed = Callable[[Sandbox, int, int], bool]
"""(sandbox, number of the record, which way): False where there was nothing to do it to."""
Row = dict[str, Any]

PRICES, NAMES, ACCOUNTS = (1, 2, 3, 5, 8), ("", "Nordlys", "Sol & Vind", "NORDLYS"), ("4010", "2990")
ORDERS, LINES = "PurchaseOrderSet", "PurchaseOrderLines"
PROPOSALS, SUPPLIERS, VOUCHERS = "PostingProposalHeadSet", "SupplierSet", "VoucherSet"


def now() -> datetime:
    """By the clock by which the ERP stamps what we write: of two edits the later one has the later stamp."""
    return datetime.now(UTC)


# --- rows as they are ---------------------------------------------------------------------------------------------


def found(box: Sandbox, set_name: str, **keys: Any) -> Row | None:
    """A copy without what the server says of it; None: there is none."""
    rows = box.ifs.rows(set_name)
    row = next((row for row in rows if all(row[name] == value for name, value in keys.items())), None)
    return None if row is None else {name: value for name, value in row.items() if not name.startswith("@")}


def change(box: Sandbox, set_name: str, row: Row | None, **fields: Any) -> bool:
    if row is None:
        return False
    box.ifs.put(set_name, {**row, **fields}, modified=now())
    return True


def delete(box: Sandbox, set_name: str, row: Row | None) -> bool:
    if row is None:
        return False
    box.ifs.delete(set_name, **{name: row[name] for name in box.ifs.sets[set_name].kind.keys})
    return True


def order(box: Sandbox, number: int) -> Row | None:
    return found(box, ORDERS, OrderNo=f"P{number}")


def proposal(box: Sandbox, number: int) -> Row | None:
    return found(box, PROPOSALS, Company="0010", ProposalId=number)


def supplier(box: Sandbox, number: int) -> Row | None:
    return found(box, SUPPLIERS, SupplierId=f"S{number}")


def voucher(box: Sandbox, number: int) -> Row | None:
    return found(box, VOUCHERS, ExternalRef=f"hand-{number}")


# --- suppliers and accounts -----------------------------------------------------------------------------------------


def a_supplier_is_entered_or_renamed(box: Sandbox, number: int, way: int) -> bool:
    name = NAMES[way % len(NAMES)]
    row = {"SupplierId": f"S{number}", "Name": f"{name or 'Supplier'} {number}", "Country": "SE"}
    row |= {"CurrencyCode": "SEK", "PaymentTerms": "30", "Email": f"s{number}.{way}@example.test"}
    box.ifs.put(SUPPLIERS, {**(supplier(box, number) or {}), **row}, modified=now())
    return True


def a_supplier_is_deleted(box: Sandbox, number: int, _: int) -> bool:
    return delete(box, SUPPLIERS, supplier(box, number))


def an_account_is_blocked_or_opened(box: Sandbox, number: int, way: int) -> bool:
    code = ACCOUNTS[number % 2]
    row = {"Company": "0010", "Account": code, "Description": code, "ValidFrom": "2015-01-01", "Blocked": way % 4 == 0}
    box.ifs.put("AccountSet", row, modified=now())
    return True


def an_account_ends_or_goes_on(box: Sandbox, number: int, way: int) -> bool:
    """A period of the chart is closed, and opened again."""
    code, until = ACCOUNTS[number % 2], "2020-12-31" if way % 4 == 0 else None
    row = {"Company": "0010", "Account": code, "Description": code, "ValidFrom": "2015-01-01", "Blocked": False}
    box.ifs.put("AccountSet", {**row, "ValidUntil": until}, modified=now())
    return True


# --- orders ---------------------------------------------------------------------------------------------------------


def ordered(number: int, price: int, vendor: str, account: str) -> Row:
    amount = Decimal(2 * price)
    keys = {"OrderNo": f"P{number}", "LineNo": "1", "ReleaseNo": "1", "Company": "0010", "Description": "Service"}
    money = {"BuyQtyDue": Decimal(2), "BuyUnitPrice": Decimal(price), "LineAmount": amount}
    row = {"OrderNo": f"P{number}", "Company": "0010", "Contract": "A", "VendorNo": vendor, "ObjState": "Released"}
    row |= {"OrderDate": "2026-11-04", "CurrencyCode": "SEK", "CurrencyRate": Decimal(1), "TotalAmount": amount}
    return {**row, LINES: [{**keys, **money, "TaxCode": "V0", "Account": account}]}


def an_order_is_entered_or_edited(box: Sandbox, number: int, way: int) -> bool:
    """A buyer keeps its supplier."""
    known = order(box, number)
    vendor = known["VendorNo"] if known else f"S{way % 3 + 1}"
    box.ifs.put(ORDERS, ordered(number, PRICES[way % 5], vendor, "4010"), modified=now())
    return True


def an_order_gets_another_supplier(box: Sandbox, number: int, way: int) -> bool:
    return change(box, ORDERS, order(box, number), VendorNo=f"S{way % 3 + 1}")


def an_order_is_recoded(box: Sandbox, number: int, way: int) -> bool:
    if (row := order(box, number)) is None:
        return False
    return change(box, ORDERS, row, **{LINES: [{**line, "Account": ACCOUNTS[way % 2]} for line in row[LINES]]})


def a_line_is_edited_beside_its_header(box: Sandbox, number: int, way: int) -> bool:
    """No stamp moves: a sweep alone can see it."""
    if (row := order(box, number)) is None or row["ObjState"] == "Cancelled":
        return False
    price = Decimal(PRICES[way % 5])
    lines = [{**line, "BuyUnitPrice": price, "LineAmount": 2 * price} for line in row[LINES]]
    box.ifs.put(ORDERS, {**row, LINES: lines, "TotalAmount": 2 * price}, modified=row["LastModified"])
    return True


def a_line_of_an_old_order_is_edited(box: Sandbox, number: int, way: int) -> bool:
    """Its header was stamped days ago: no run reads that day by itself, and a sweep alone can see it."""
    if (row := order(box, number)) is None or row["ObjState"] == "Cancelled":
        return False
    edited = ordered(number, PRICES[way % 5], row["VendorNo"], "4010")
    box.ifs.put(ORDERS, edited, modified=now() - timedelta(days=2 + way % 3))
    return True


def an_order_is_stamped_an_hour_back(box: Sandbox, number: int, way: int) -> bool:
    """A clock was set back, and the order edited."""
    if (row := order(box, number)) is None:
        return False
    stamp, edited = now(), ordered(number, PRICES[way % 5], row["VendorNo"], "4010")
    back = max(stamp - timedelta(hours=1), stamp.replace(hour=0, minute=0, second=0, microsecond=0))
    box.ifs.put(ORDERS, {**edited, "ObjState": row["ObjState"]}, modified=back)
    return True


def an_order_is_cancelled(box: Sandbox, number: int, _: int) -> bool:
    return change(box, ORDERS, order(box, number), ObjState="Cancelled")


def an_order_is_taken_up_again(box: Sandbox, number: int, _: int) -> bool:
    """With its lines: they were cancelled with it."""
    row = order(box, number)
    if row is None or row["ObjState"] != "Cancelled":
        return False
    lines = [{**line, "ObjState": "Released"} for line in row[LINES]]
    return change(box, ORDERS, row, ObjState="Released", **{LINES: lines})


def an_order_is_deleted(box: Sandbox, number: int, _: int) -> bool:
    return delete(box, ORDERS, order(box, number))


def an_order_is_renumbered(box: Sandbox, number: int, _: int) -> bool:
    """Entered anew under another number, and deleted under its own."""
    if (row := order(box, number)) is None or order(box, number + 3) is not None:
        return False
    lines = [{**line, "OrderNo": f"P{number + 3}"} for line in row[LINES]]
    box.ifs.put(ORDERS, {**row, "OrderNo": f"P{number + 3}", LINES: lines}, modified=now())
    return delete(box, ORDERS, row)


# --- proposals ------------------------------------------------------------------------------------------------------


def proposed(number: int, net: int, vendor: str, account: str, on_order: str | None) -> Row:
    keys, amount = {"Company": "0010", "ProposalId": number}, Decimal(net)
    line = {**keys, "RowId": 1, "Amount": amount, "CurrencyAmount": amount, "Quantity": Decimal(1)}
    line |= {"TaxCode": "V0", "Account": account, "Text": "Service"}
    row = {**keys, "InvoiceId": 900 + number, "InvoiceNo": f"F-{number}", "SupplierId": vendor, "PoReference": on_order}
    row |= {"ObjState": "Balanced", "CurrencyCode": "SEK", "CurrencyRate": Decimal(1), "VatAmount": Decimal(0)}
    row |= {"NetAmount": amount, "GrossAmount": amount, "InvoiceDate": "2026-11-04", "DueDate": "2026-12-04"}
    return {**row, "PostingProposalLines": [line]}


def a_proposal_is_entered_or_edited(box: Sandbox, number: int, way: int) -> bool:
    known, of = proposal(box, number), order(box, number)
    vendor = known["SupplierId"] if known else of["VendorNo"] if of else f"S{way % 3 + 1}"
    on_order = known["PoReference"] if known else f"P{number}" if of and way > 4 else None
    box.ifs.put(PROPOSALS, proposed(number, PRICES[way % 5], vendor, "4010", on_order), modified=now())
    return True


def a_proposal_is_cancelled(box: Sandbox, number: int, _: int) -> bool:
    return change(box, PROPOSALS, proposal(box, number), ObjState="Cancelled")


def a_proposal_is_taken_up_again(box: Sandbox, number: int, _: int) -> bool:
    row = proposal(box, number)
    return bool(row and row["ObjState"] == "Cancelled") and change(box, PROPOSALS, row, ObjState="Balanced")


def a_proposal_is_deleted(box: Sandbox, number: int, _: int) -> bool:
    return delete(box, PROPOSALS, proposal(box, number))


def a_proposal_is_registered_anew(box: Sandbox, number: int, _: int) -> bool:
    """The same invoice under another number of its own."""
    if (row := proposal(box, number)) is None or proposal(box, number + 3) is not None:
        return False
    lines = [{**line, "ProposalId": number + 3} for line in row["PostingProposalLines"]]
    box.ifs.put(PROPOSALS, {**row, "ProposalId": number + 3, "PostingProposalLines": lines}, modified=now())
    return delete(box, PROPOSALS, row)


# --- vouchers -------------------------------------------------------------------------------------------------------


def a_voucher_is_entered_or_edited(box: Sandbox, number: int, way: int) -> bool:
    amount, row = Decimal(PRICES[way % 5]), tenant_books.voucher(number, box.tenant.fiscal_year_starts)
    debit, credit = row["VoucherRows"][0], row["VoucherRows"][2]
    coded = {"CodeB": "CC100", "CodeC": None, "CurrencyRate": Decimal(1)}
    rows = [
        {**debit, **coded, "Account": "4010", "DebitAmount": amount, "CurrencyAmount": amount},
        {**credit, **coded, "Account": "2440", "CreditAmount": amount, "CurrencyAmount": -amount},
    ]
    box.ifs.put(VOUCHERS, {**row, "Company": "0010", "VoucherRows": rows}, modified=now())
    return True


def a_voucher_is_cancelled(box: Sandbox, number: int, _: int) -> bool:
    return change(box, VOUCHERS, voucher(box, number), ObjState="Cancelled")


def a_voucher_is_deleted(box: Sandbox, number: int, _: int) -> bool:
    return delete(box, VOUCHERS, voucher(box, number))


MASTERS: tuple[Deed, ...] = (
    a_supplier_is_entered_or_renamed,
    a_supplier_is_entered_or_renamed,
    a_supplier_is_deleted,
)
CHART: tuple[Deed, ...] = (an_account_is_blocked_or_opened, an_account_ends_or_goes_on)
ON_ORDERS: tuple[Deed, ...] = (
    an_order_is_entered_or_edited,
    an_order_is_entered_or_edited,
    an_order_gets_another_supplier,
    an_order_is_recoded,
    a_line_is_edited_beside_its_header,
    a_line_of_an_old_order_is_edited,
    an_order_is_stamped_an_hour_back,
    an_order_is_cancelled,
    an_order_is_taken_up_again,
    an_order_is_deleted,
    an_order_is_renumbered,
)
ON_PROPOSALS: tuple[Deed, ...] = (
    a_proposal_is_entered_or_edited,
    a_proposal_is_entered_or_edited,
    a_proposal_is_cancelled,
    a_proposal_is_taken_up_again,
    a_proposal_is_deleted,
    a_proposal_is_registered_anew,
)
ON_VOUCHERS: tuple[Deed, ...] = (a_voucher_is_entered_or_edited, a_voucher_is_cancelled, a_voucher_is_deleted)
