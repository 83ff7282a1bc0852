"""Writing to such a set: what it shows of the stored rows is changed there, and what cannot be updated is ignored."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from mlc_dagster.sandbox.ifs import write
from mlc_dagster.sandbox.ifs.odata import ODataError
from mlc_dagster.sandbox.ifs.posting_rules import RefusalError
from mlc_dagster.sandbox.ifs.rows import Stored
from mlc_dagster.sandbox.ifs.transactions import Transaction
from mlc_dagster.sandbox.ifs.views import loading, loads
from mlc_dagster.sandbox.ifs.views.collection import ViewCollection
from mlc_dagster.sandbox.ifs.views.columns import Column
from mlc_dagster.sandbox.ifs.views.view import META, ViewRow


def fields_from(collection: ViewCollection, body: Any) -> dict[str, Any]:
    """The body under the catalogue's names; what no stored row keeps is checked and dropped. Raises ODataError."""
    if not isinstance(body, dict):
        raise ODataError("Error while de-serializing contents.", code="ODP_DESERIALIZATION_ERROR")
    fields, by_name = {}, collection.view.by_name
    for wire, value in body.items():
        if wire.startswith("@") or wire in META:
            continue
        if wire not in by_name:
            text = f"The property '{wire}' is not defined in '{collection.view.entity}'."
            raise ODataError(text, code="ODP_DESERIALIZATION_ERROR")
        column = by_name[wire]
        if column.kept_as:
            fields[column.kept_as] = _typed(column, value)
        else:
            _typed(column, value)
    return fields


def _typed(column: Column, value: Any) -> Any:
    kind = {"midnight": "text", "enum": "text", "date": "text", "timestamp": "text"}.get(column.kind, column.kind)
    accepted = {"decimal": (int, Decimal), "int": (int,), "bool": (bool,)}.get(kind, (str,))
    if value is not None and (not isinstance(value, accepted) or (isinstance(value, bool) and kind != "bool")):
        text = f"Error while de-serializing contents. '{column.name}' is a {kind}; found {value!r}."
        raise ODataError(text, code="ODP_DESERIALIZATION_ERROR")
    return value[:10] if column.kind == "midnight" and isinstance(value, str) else value


def create(collection: ViewCollection, body: Any, work: Transaction) -> ViewRow:
    """A new row of a set, or of an array: a line, or what the header's stored row keeps for it. Raises ODataError."""
    view = collection.view
    sent = body if isinstance(body, dict) else {}
    for name in view.demanded:
        if sent.get(name) is None:
            raise RefusalError(f"ORA-20124: {view.entity}.{name.upper()}NULL: Field [{name}] is mandatory.")
    fields = {name: value for name, value in fields_from(collection, body).items() if name != "ObjState"}
    fields.update(view.adds)
    if collection.below is None:
        stored = write.create(collection.plain(), fields, work)
        return _shown(collection, next(iter(view.sources(stored))).head, None)
    return _created_below(collection, collection.below, fields, work)


def _created_below(collection: ViewCollection, above: ViewRow, fields: dict[str, Any], work: Transaction) -> ViewRow:
    head, lines = above.source.head, collection.rows.kind.lines
    of_the_head = fields.keys() - collection.rows.kind.keys  # the stored row keeps it: a supplier's currency
    if lines is not None and (not of_the_head or of_the_head & lines.fields.keys()):
        own = {name: value for name, value in fields.items() if name in lines.fields}
        made = write.create_line(collection.plain(is_lines=True), head, own, work)
        return _shown(collection, collection.rows.by_key[head.key], made)
    if collection.stored():
        raise RefusalError(f"ORA-20112: {collection.view.entity}.EXIST: The object already exists.", 409)
    given = {name: value for name, value in fields.items() if name not in collection.rows.kind.keys}
    return _shown(collection, write.change(collection.plain(), head, given, work), None)


def change(collection: ViewCollection, row: ViewRow, body: Any, work: Transaction) -> ViewRow:
    """A row with some columns replaced. Keys and states cannot be, and nothing is said of it. Raises ODataError."""
    keys = {collection.view.by_name[name].kept_as for name in collection.keys}
    given = {name: value for name, value in fields_from(collection, body).items() if name not in {*keys, "ObjState"}}
    if not given:
        return row
    line = row.source.line
    if line is None:
        return _shown(collection, write.change(collection.plain(), row.source.head, given, work), None)
    changed = write.change(collection.plain(is_lines=True), line, given, work)
    return _shown(collection, collection.rows.by_key[row.source.head.key], changed)


def act(collection: ViewCollection, row: ViewRow, name: str, work: Transaction) -> ViewRow:
    """The row after a bound action. Raises ODataError where its state does not allow it, or there is none."""
    action = next((each for each in collection.view.actions if each.name == name), None)
    if action is None:
        raise ODataError(f"Action '{name}' does not exist.", 404, "ODP_RESOURCE_NOTFOUND")
    head = row.source.head
    if head.fields["ObjState"] not in action.origins:
        text = f"{collection.view.entity}: {name} is not possible in state {head.fields['ObjState']}."
        raise RefusalError(f"ORA-20105: {collection.view.entity}.STATE: {text}")
    if action.name in _LOADS:
        _LOADS[action.name](collection, head, work)
        return _shown(collection, collection.rows.by_key[head.key], None)
    return _shown(collection, write.with_state(collection.plain(), head, action.state, work), None)


def _check(collection: ViewCollection, load: Stored, work: Transaction) -> None:
    loading.check(work.sets, collection.view.kind, load, work, collection.tenant)


def _create(collection: ViewCollection, load: Stored, work: Transaction) -> None:
    loading.create(work.sets, collection.view.kind, load, work)


_LOADS = {loads.CHECK: _check, loads.INVOICE_CHECK: _check, loads.CREATE: _create, loads.INVOICE_CREATE: _create}


def _shown(collection: ViewCollection, head: Stored, line: Stored | None) -> ViewRow:
    """The row of the view that a stored row became; for a per-company child the one that was written."""
    for source in collection.view.sources(head):
        if line is None or (source.line is not None and source.line.key == line.key):
            return ViewRow(collection.view, source, collection.tenant.etag_form)
    raise RefusalError(f"ORA-20115: {collection.view.entity}.NOTSHOWN: The record is kept and cannot be shown here.")
