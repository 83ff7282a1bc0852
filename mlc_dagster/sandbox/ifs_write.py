"""Creates, changes and deletions in the sandboxed IFS: ETags, numbers given by the server, and refusals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox.ifs_names import Collection
from mlc_dagster.sandbox.ifs_rows import RowSet, Stored, exact
from mlc_dagster.sandbox.odata import ODataError


class RefusalError(ODataError):
    """The database's own word: a general message, and the useful text in details[0]."""

    def __init__(self, detail: str, status: int = 400, code: str = "ODP_DATABASE_ERROR") -> None:
        super().__init__("Error in the database, see details.", status, code)
        self.detail = detail


def fields_from(collection: Collection, body: Any) -> dict[str, Any]:
    """The body of a create or a change under the catalogue's names. Raises ODataError."""
    if not isinstance(body, dict):
        raise ODataError("Error while de-serializing contents.", code="ODP_DESERIALIZATION_ERROR")
    names, fields = collection.names, {}
    for wire, value in body.items():
        if wire == collection.navigation and collection.rows.kind.lines:
            rows = value if isinstance(value, list) else [value]
            fields[collection.rows.kind.lines.navigation] = [fields_from(collection.lines(), row) for row in rows]
        elif wire in names:
            fields[names[wire][0]] = _typed(wire, value, names[wire][1])
        elif not wire.startswith("@"):
            raise ODataError(
                f"The property '{wire}' is not defined in '{collection.set}'.", code="ODP_DESERIALIZATION_ERROR"
            )
    return fields


def _typed(wire: str, value: Any, kind: str) -> Any:
    accepted = {"decimal": (int, Decimal), "int": (int,), "bool": (bool,)}.get(kind, (str,))
    wrong = not isinstance(value, accepted) or (isinstance(value, bool) and kind != "bool")
    if value is not None and wrong:
        text = f"Error while de-serializing contents. '{wire}' is a {kind}; found {value!r}."
        raise ODataError(text, code="ODP_DESERIALIZATION_ERROR")
    return value


def precondition(stored: Stored, headers: Mapping[str, str]) -> None:
    """If-Match: missing is 428, stale 412, `*` skips the comparison."""
    sent = headers.get("if-match")
    if sent is None:
        raise ODataError("A precondition is missing in the request.", 428, "ODP_MISSING_PRECONDITION")
    if sent.strip() not in ("*", stored.etag):
        raise ODataError("The precondition has failed: the record was modified.", 412, "ODP_PRECONDITION_FAILED")


def create(collection: Collection, body: Any, sets: Mapping[str, RowSet]) -> Stored:
    """A new row, with the number that the server gives. Raises ODataError."""
    rows, row = collection.rows, fields_from(collection, body)
    _give_number(rows, row)
    for key in rows.kind.keys:
        if row.get(key) is None:
            raise RefusalError(
                f"ORA-20124: {rows.kind.set.removesuffix('Set')}.{key.upper()}NULL: Field [{key}] is mandatory."
            )
    if tuple(row[key] for key in rows.kind.keys) in rows.by_key:
        raise RefusalError(f"ORA-20112: {rows.kind.set}.EXIST: The object already exists.", 409, "FND_RECORD_EXIST")
    row.setdefault("ObjState", _FIRST_STATE.get(rows.kind.set))
    _judge(rows.kind.set, row, sets)
    return rows.put(row)


def create_line(collection: Collection, header: Stored, body: Any, sets: Mapping[str, RowSet]) -> Stored:
    """A new line of a header, whose ETag changes too. Raises ODataError."""
    rows, lines = collection.rows, collection.rows.kind.lines
    if lines is None:
        raise ODataError("There are no lines here.", 404, "ODP_RESOURCE_NOTFOUND")
    kept = [dict(line.fields) for line in header.lines]
    line = fields_from(collection, body)
    last = lines.keys[-1] if lines.fields[lines.keys[-1]] == "int" else lines.keys[-2]
    numbers = [int(row[last]) for row in kept if str(row[last]).isdigit()]
    following = max(numbers, default=0) + 1
    line[last] = line.get(last) or (following if lines.fields[last] == "int" else str(following))
    rows.put(_changed(header, {lines.navigation: [*kept, line]}, lines.navigation))
    return rows.by_key[header.key].lines[-1]


def change(collection: Collection, stored: Stored, body: Any, sets: Mapping[str, RowSet]) -> Stored:
    """A row with some fields replaced; keys cannot be. Raises ODataError."""
    given = fields_from(collection, body)
    for key in collection.keys:
        if key in given and exact(given[key]) != stored.fields[key]:
            raise RefusalError(f"ORA-20120: {collection.catalogue_set}.UPD: Field [{key}] may not be changed.")
    kind = collection.rows.kind
    if collection.is_lines and kind.lines:
        header = collection.rows.by_key[stored.key[: len(kind.keys)]]
        lines = [{**line.fields, **given} if line.key == stored.key else dict(line.fields) for line in header.lines]
        changed = _changed(header, {kind.lines.navigation: lines}, kind.lines.navigation)
    else:
        changed = _changed(stored, given, kind.lines.navigation if kind.lines else "")
    _judge(kind.set, changed, sets)
    head = collection.rows.put(changed)
    return next(line for line in head.lines if line.key == stored.key) if collection.is_lines else head


def remove(collection: Collection, stored: Stored) -> None:
    kind = collection.rows.kind
    if not collection.is_lines or kind.lines is None:
        collection.rows.remove(stored.key)
        return
    header = collection.rows.by_key[stored.key[: len(kind.keys)]]
    left = [dict(line.fields) for line in header.lines if line.key != stored.key]
    collection.rows.put(_changed(header, {kind.lines.navigation: left}, kind.lines.navigation))


def _changed(stored: Stored, given: Mapping[str, Any], navigation: str) -> dict[str, Any]:
    """The whole row again, without its old modified timestamp: a change sets a new one."""
    row = {name: value for name, value in stored.fields.items() if name != "LastModified"}
    if navigation:
        row[navigation] = [dict(line.fields) for line in stored.lines]
    return {**row, **given}


_FIRST_STATE = {
    "PurchaseOrderSet": "Planned",
    "VoucherSet": "AwaitingApproval",
    "SupplierInvoiceSet": "Preliminary",
    "PostingProposalHeadSet": "Unbalanced",
    "CustomerOrderSet": "Planned",
}


def _give_number(rows: RowSet, row: dict[str, Any]) -> None:
    name = rows.kind.number
    if name is None or row.get(name) is not None:
        return
    others = [key for key in rows.kind.keys if key != name]
    taken = (
        stored.fields for stored in rows.by_key.values() if all(stored.fields[key] == row.get(key) for key in others)
    )
    numbers = [int(digits) for fields in taken if (digits := _digits(fields[name]))]
    number = max(numbers, default=1000) + 1
    letter = {"PurchaseOrderSet": "P", "CustomerOrderSet": "C"}.get(rows.kind.set, "")
    row[name] = number if rows.kind.fields[name] == "int" else f"{letter}{number}"


def _digits(value: Any) -> str:
    text = str(value).lstrip("PC")
    return text if text.isascii() and text.isdigit() and len(text) < 10 else ""


def _judge(set_name: str, row: Mapping[str, Any], sets: Mapping[str, RowSet]) -> None:
    if judge := _JUDGES.get(set_name):
        judge(row, sets)


def _judge_voucher(row: Mapping[str, Any], sets: Mapping[str, RowSet]) -> None:
    """Debit equals credit, and every account is in the company's chart."""
    rows = row.get("VoucherRows") or []
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for line in rows:
        sums["debit"] += line.get("DebitAmount") or 0
        sums["credit"] += line.get("CreditAmount") or 0
    if sums["debit"] != sums["credit"]:
        text = f"debit {sums['debit']} and credit {sums['credit']} differ"
        raise RefusalError(f"ORA-20110: Voucher.NOTBALANCED: The voucher does not balance: {text}.")
    chart = {account for company, account in sets["AccountSet"].by_key if company == row["Company"]}
    for line in rows:
        if chart and line.get("Account") not in chart:
            raise RefusalError(
                f"ORA-20111: Account.NOTEXIST: Account {line.get('Account')} does not exist in {row['Company']}."
            )


def _judge_invoice(row: Mapping[str, Any], sets: Mapping[str, RowSet]) -> None:
    """One invoice number of a supplier in a company, once."""
    names = ("Company", "SupplierId", "InvoiceNo")
    number = [row.get(name) for name in names]
    for stored in sets["SupplierInvoiceSet"].by_key.values():
        same = number[2] is not None and number == [stored.fields[name] for name in names]
        if same and stored.fields["InvoiceId"] != row.get("InvoiceId") and stored.fields["ObjState"] != "Cancelled":
            text = f"Invoice {number[2]} of supplier {number[1]} is registered as {stored.fields['InvoiceId']}."
            raise RefusalError(f"ORA-20112: ManSuppInvoice.DUPLICATE: {text}")


_JUDGES: dict[str, Callable[[Mapping[str, Any], Mapping[str, RowSet]], None]] = {
    "VoucherSet": _judge_voucher,
    "SupplierInvoiceSet": _judge_invoice,
}
