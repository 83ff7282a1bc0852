"""Creates, changes and deletions in the sandboxed IFS: ETags, numbers given by the server, and refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox.ifs.catalogue import Lines
from mlc_dagster.sandbox.ifs.fiscal import year_and_period
from mlc_dagster.sandbox.ifs.names import Collection
from mlc_dagster.sandbox.ifs.odata import ODataError
from mlc_dagster.sandbox.ifs.posting_rules import RefusalError
from mlc_dagster.sandbox.ifs.rows import RowSet, Stored, exact
from mlc_dagster.sandbox.ifs.transactions import Transaction

_ETAG = "@odata.etag"


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


def create(collection: Collection, body: Any, work: Transaction) -> Stored:
    """A new row, with the number that the server gives. Raises ODataError."""
    rows, row = collection.rows, _as_kept(collection, fields_from(collection, body), work)
    _fill_period(rows.kind.set, row, work.tenant.fiscal_year_starts)
    _give_number(rows, row)
    for name in rows.kind.keys:
        if row.get(name) is None:
            raise RefusalError(
                f"ORA-20124: {rows.kind.set.removesuffix('Set')}.{name.upper()}NULL: Field [{name}] is mandatory."
            )
    key = tuple(row[name] for name in rows.kind.keys)
    if key in rows.by_key:
        raise RefusalError(f"ORA-20112: {rows.kind.set}.EXIST: The object already exists.", 409, "FND_RECORD_EXIST")
    row.setdefault("ObjState", _FIRST_STATE.get(rows.kind.set))
    work.touch(rows, key).is_new = True
    return rows.put(row)


def _as_kept(collection: Collection, row: dict[str, Any], work: Transaction) -> dict[str, Any]:
    """What the tenant makes of it by itself."""
    if work.tenant.upper_names and collection.catalogue_set == "SupplierSet" and row.get("Name"):
        return {**row, "Name": str(row["Name"]).upper()}
    return row


def create_line(collection: Collection, header: Stored, body: Any, work: Transaction) -> Stored:
    """A new line of a header, whose ETag changes too, unless its version is of this transaction. Raises ODataError."""
    rows, lines = collection.rows, collection.rows.kind.lines
    if lines is None:
        raise ODataError("There are no lines here.", 404, "ODP_RESOURCE_NOTFOUND")
    line = fields_from(collection, body)
    last = lines.keys[-1] if lines.fields[lines.keys[-1]] == "int" else lines.keys[-2]
    line[last] = line.get(last) or _following(header, last, lines)
    touch = work.touch(rows, header.key)
    made = rows.put(_changed(rows, header, [*header.lines, line], {}, work), etags=_ETAG).lines[-1]
    if any(row.key == made.key for row in header.lines):
        raise RefusalError(f"ORA-20112: {lines.set}.EXIST: The object already exists.", 409, "FND_RECORD_EXIST")
    touch.lines.add(made.key)
    return made


def _following(header: Stored, name: str, lines: Lines) -> int | str:
    taken = [row.fields[name] for row in header.lines]
    following = max((int(number) for number in taken if str(number).isdigit()), default=0) + 1
    return following if lines.fields[name] == "int" else str(following)


def with_state(collection: Collection, stored: Stored, state: str, work: Transaction) -> Stored:
    """The row in another state, as a bound action leaves it."""
    rows = collection.rows
    row = _changed(rows, stored, _kept_lines(stored), {"ObjState": state}, work)
    work.touch(rows, stored.key).fields.add("ObjState")
    return rows.put(row, etags=_ETAG)


def change(collection: Collection, stored: Stored, body: Any, work: Transaction) -> Stored:
    """A row with some fields replaced; keys cannot be, and a state is ignored. Raises ODataError."""
    sent = _as_kept(collection, fields_from(collection, body), work)
    given = {name: value for name, value in sent.items() if name != "ObjState"}
    if not given:
        return stored
    for key in collection.keys:
        if key in given and exact(given[key]) != stored.fields[key]:
            raise RefusalError(f"ORA-20120: {collection.catalogue_set}.UPD: Field [{key}] may not be changed.")
    rows = collection.rows
    if collection.is_lines:
        return _change_line(rows, stored, given, work)
    row = _changed(rows, stored, _kept_lines(stored), given, work)
    touch = work.touch(rows, stored.key)
    touch.fields.update(given)
    head = rows.put(row, etags=_ETAG)
    if rows.kind.lines and rows.kind.lines.navigation in given:
        touch.lines.update(line.key for line in head.lines)
    return head


def _change_line(rows: RowSet, stored: Stored, given: Mapping[str, Any], work: Transaction) -> Stored:
    header = rows.by_key[stored.key[: len(rows.kind.keys)]]
    others = [line for line in _kept_lines(header) if line[_ETAG] != stored.etag]
    place = next(number for number, line in enumerate(header.lines) if line.key == stored.key)
    others.insert(place, {**stored.fields, **given})
    work.touch(rows, header.key).lines.add(stored.key)
    head = rows.put(_changed(rows, header, others, {}, work), etags=_ETAG)
    return head.lines[place]


def remove(collection: Collection, stored: Stored, work: Transaction) -> None:
    rows = collection.rows
    if not collection.is_lines:
        work.touch(rows, stored.key)
        rows.remove(stored.key)
        return
    header = rows.by_key[stored.key[: len(rows.kind.keys)]]
    work.touch(rows, header.key).lines.add(stored.key)
    left = [line for line in _kept_lines(header) if line[_ETAG] != stored.etag]
    rows.put(_changed(rows, header, left, {}, work), etags=_ETAG)


def _kept_lines(header: Stored) -> list[dict[str, Any]]:
    return [{**line.fields, _ETAG: line.etag} for line in header.lines]


def _changed(
    rows: RowSet, stored: Stored, lines: Sequence[dict[str, Any] | Stored], given: Mapping[str, Any], work: Transaction
) -> dict[str, Any]:
    """The whole row again. A change makes a new version and sets a new modified timestamp: once in a transaction."""
    kept = {**stored.fields, _ETAG: stored.etag}
    if not work.has_written(rows, stored.key):
        del kept["LastModified"], kept[_ETAG]
    navigation = {rows.kind.lines.navigation: lines} if rows.kind.lines else {}
    return {**kept, **navigation, **given}


_FIRST_STATE = {
    "PurchaseOrderSet": "Planned",
    "VoucherSet": "AwaitingApproval",
    "SupplierInvoiceSet": "Preliminary",
    "PostingProposalHeadSet": "Unbalanced",
    "CustomerOrderSet": "Planned",
}


def _fill_period(set_name: str, row: dict[str, Any], first_month: int) -> None:
    """A voucher belongs to the year and the period of its date."""
    day = row.get("VoucherDate")
    if set_name == "VoucherSet" and day:
        with suppress(ValueError):
            found = year_and_period(day, first_month)
            for name, value in zip(("AccountingYear", "AccountingPeriod"), found, strict=True):
                row[name] = value if row.get(name) is None else row[name]


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
