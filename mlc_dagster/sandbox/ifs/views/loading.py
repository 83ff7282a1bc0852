"""What the actions of an external load do: the check tells each row's error; creation enters all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mlc_dagster.sandbox.ifs import write
from mlc_dagster.sandbox.ifs.catalogue import Tenant
from mlc_dagster.sandbox.ifs.names import Collection
from mlc_dagster.sandbox.ifs.posting_rules import RefusalError, Touch, judge
from mlc_dagster.sandbox.ifs.rows import RowSet, Stored
from mlc_dagster.sandbox.ifs.transactions import Transaction
from mlc_dagster.sandbox.ifs.views import loads

_ETAG = "@odata.etag"
Sets = Mapping[str, RowSet]
Row = dict[str, Any]


def check(sets: Sets, kind: str, load: Stored, work: Transaction, tenant: Tenant) -> None:
    """Each document of the load is judged as if it were entered; the error stands on its rows."""
    lines = [dict(line.fields) for line in load.lines]
    for rows, document in _documents(kind, lines):
        error = _judged(sets, kind, load, document, tenant)
        for row in rows:
            code, text = _told(error, row) if error else (None, None)
            row.update(ErrorCode=code, ErrorText=text, ObjState="Error" if code else loads.CHECKED)
    is_faulty = not lines or any(row["ErrorCode"] for row in lines)
    _kept(sets[kind], load, loads.FAULTY if is_faulty else loads.CHECKED, lines, work)


def create(sets: Sets, kind: str, load: Stored, work: Transaction) -> None:
    """Partial creation is off: a load with an error makes nothing. What is made waits for another user."""
    if any(line.fields["ErrorCode"] for line in load.lines):
        raise RefusalError("ORA-20105: ExtLoadInfo.ERRORS: The load has rows with errors and cannot be created.")
    _kept(sets[kind], load, loads.AWAITING, [dict(line.fields) for line in load.lines], work)


def approve(sets: Sets, kind: str, load: Stored, work: Transaction) -> None:
    """What another user does then: the documents are entered, and their numbers stand on the rows."""
    lines = [dict(line.fields) for line in load.lines]
    for rows, document in _documents(kind, lines):
        target = _TARGETS[kind]
        made = write.create(Collection(Tenant(), sets[target]), {"Company": load.fields["Company"], **document}, work)
        number = {"VoucherNo": made.fields.get("VoucherNo"), "InvoiceId": made.fields.get("InvoiceId")}
        for row in rows:
            row.update({name: value for name, value in number.items() if value is not None}, ObjState=loads.CREATED)
    _kept(sets[kind], load, loads.CREATED, lines, work)


_TARGETS = {loads.VOUCHER_LOADS: "VoucherSet", loads.INVOICE_LOADS: "SupplierInvoiceSet"}


def _documents(kind: str, lines: list[Row]) -> Iterable[tuple[list[Row], Row]]:
    """(rows of the load, the document that they make), by the catalogue's names."""
    return _vouchers(lines) if kind == loads.VOUCHER_LOADS else _invoices(lines)


def _vouchers(lines: list[Row]) -> Iterable[tuple[list[Row], Row]]:
    for rows in _grouped(lines, lambda row: (row["VoucherType"], row["TransactionDate"], row["ReferenceNumber"])):
        first = rows[0]
        head = {name: first[name] for name in ("VoucherType", "AccountingYear", "UserGroup", "Text")}
        given = {**head, "VoucherDate": first["TransactionDate"], "ExternalRef": first["ReferenceNumber"]}
        yield rows, {**given, "VoucherRows": [_filled(row, _VOUCHER_ROW) for row in rows]}


def _invoices(lines: list[Row]) -> Iterable[tuple[list[Row], Row]]:
    for rows in _grouped(lines, lambda row: row["InvoiceNo"]):
        heads = [row for row in rows if row["RowKind"] == "ExtIncInv"]
        items = [row for row in rows if row["RowKind"] == "ExtIncInvItem"]
        head = heads[0] if heads else {}
        given = {**_filled(head, _INVOICE), "ExternalRef": head.get("ReferenceNumber")}
        yield rows, {**given, "SupplierInvoiceLines": [_filled(row, _INVOICE_LINE) for row in items]}


_CODE_STRING = ("Account", *(f"Code{letter}" for letter in "BCDEFGHIJ"))
_AMOUNTS = ("DebitAmount", "CreditAmount", "CurrencyCode", "CurrencyAmount", "CurrencyRate")
_VOUCHER_ROW = (*_CODE_STRING, *_AMOUNTS, "Text")
_INVOICE_LINE = (*_CODE_STRING, "Amount", "TaxCode", "Text")
_INVOICE = (
    *("SupplierId", "InvoiceNo", "InvoiceDate", "DueDate", "CurrencyCode", "CurrencyRate", "NetAmount", "VatAmount"),
    *("GrossAmount", "PoReference", "Text"),
)


def _filled(row: Mapping[str, Any], names: Iterable[str]) -> Row:
    return {name: row[name] for name in names if row.get(name) is not None}


def _grouped(lines: list[Row], by: Callable[[Row], Any]) -> Iterable[list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in lines:
        found.setdefault(by(row), []).append(row)
    return found.values()


def _judged(sets: Sets, kind: str, load: Stored, document: Row, tenant: Tenant) -> str:
    """What the ERP would say of the document; empty: it would take it."""
    rows = sets[_TARGETS[kind]]
    number = rows.kind.number or ""
    row = {**dict.fromkeys(rows.kind.keys, ""), **document, "Company": load.fields["Company"], number: 0}
    stored = RowSet(rows.kind).put({**row, "AccountingYear": row.get("AccountingYear") or 0})
    try:
        judge(Touch(rows, stored.key, is_new=True), stored, sets, tenant)
    except RefusalError as error:
        return error.detail
    return _unapproved(document, sets)


def _unapproved(document: Row, sets: Sets) -> str:
    supplier = sets["SupplierSet"].by_key.get((document.get("SupplierId"),))
    if supplier is not None and supplier.fields.get("IsApproved") is False:
        return f"ORA-20119: SupplierInfo.NOTAPPROVED: Supplier {document['SupplierId']} is not approved."
    return ""


def _told(error: str, row: Row) -> tuple[str | None, str | None]:
    """(code, text) of the ERP's word, on the rows that it names; on all where it names none."""
    _, code, text = (part.strip() for part in error.split(":", 2))
    if code.startswith("Account.") and str(row.get("Account")) not in text.split():
        return None, None
    return code, text


def _kept(rows: RowSet, load: Stored, state: str, lines: list[Row], work: Transaction) -> None:
    work.touch(rows, load.key)
    navigation = rows.kind.lines.navigation if rows.kind.lines else ""
    rows.put({**load.fields, "ObjState": state, navigation: lines})
