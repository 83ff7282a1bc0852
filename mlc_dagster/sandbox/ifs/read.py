"""Reading a collection: $filter, $orderby, $skip, $top, $count, $select, $expand, with the caps of the real server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from urllib.parse import quote

from mlc_dagster.sandbox.ifs import odata
from mlc_dagster.sandbox.ifs.collation import Row, collated, compared, names_beside
from mlc_dagster.sandbox.ifs.names import Collection
from mlc_dagster.sandbox.ifs.odata import ODataError
from mlc_dagster.sandbox.ifs.predicates import MODIFIED, Predicate, modified_bounds, predicate
from mlc_dagster.sandbox.ifs.rows import Stored
from mlc_dagster.sandbox.wire import encode

ELEMENTS = 5000  # in one response, nested lines included
_KNOWN = {"$select", "$filter", "$orderby", "$top", "$skip", "$count", "$expand", "$format"}
_NOT_BUILT = {"$apply", "$search", "$compute", "$deltatoken", "$skiptoken"}


@dataclass(frozen=True)
class Shape:
    """Which fields of a row are shown, under which names. Equal shapes give equal JSON."""

    fields: tuple[tuple[str, str], ...]  # (catalogue name, name on the wire)
    texts: bool = False  # IEEE754Compatible=true
    navigation: str = ""
    lines: Shape | None = None

    def text(self, stored: Stored) -> bytes:
        """The row as JSON; kept on the row until it is asked in another shape."""
        if stored.shape is not self:
            stored.text, stored.shape = self._text(stored), self
        return stored.text

    def _text(self, stored: Stored) -> bytes:
        fields = stored.fields
        shown = {"@odata.etag": stored.etag}
        shown.update({wire: fields[name] for name, wire in self.fields})
        text = encode(shown, self.texts)
        if self.lines is None:
            return text
        lines = b",".join([self.lines.text(line) for line in stored.lines])
        return b'%s,"%s":[%s]}' % (text[:-1], self.navigation.encode(), lines)


@dataclass
class Reader:
    """Answers queries on collections; remembers shapes, so that rows asked again need no encoding."""

    shapes: dict[Shape, Shape] = field(default_factory=dict)

    def shape(self, collection: Collection, options: Mapping[str, str], texts: bool) -> Shape:
        lines, navigation = None, ""
        for name, inner in odata.parse_expand(options.get("$expand", "")).items():
            _refuse_expand(collection, name, inner)
            lines, navigation = self.shape(collection.lines(), inner, texts), name
        shape = Shape(_selected(collection, options.get("$select", "")), texts, navigation, lines)
        return self.shapes.setdefault(shape, shape)

    def page(self, collection: Collection, options: Mapping[str, str], texts: bool, origin: str) -> bytes:
        """The body of a GET on a collection. Raises ODataError for what the server refuses."""
        refuse_options(collection, options)
        shape = self.shape(collection, options, texts)
        skip = whole(options, "$skip", 0)
        top = whole(options, "$top", collection.tenant.rows_without_top)
        counted = options.get("$count") == "true" and collection.tenant.count
        found, total, more = matching(collection, options, skip, top, counted)
        _refuse_size(found, shape)
        service = f"{origin}/{collection.projection}.svc"
        head: dict[str, Any] = {"@odata.context": f"{service}/$metadata#{collection.set}"}
        if counted:
            head["@odata.count"] = total
        if more and collection.tenant.next_link:
            head["@odata.nextLink"] = _next_link(collection, service, options, skip + len(found))
        rows = b",".join([shape.text(stored) for stored in found])
        return b'%s,"value":[%s]}' % (encode(head)[:-1], rows)


def matching(
    collection: Collection, options: Mapping[str, str], skip: int, top: int, counted: bool
) -> tuple[list[Stored], int, bool]:
    """(rows of the page, how many match in all if `counted`, whether more follow)."""
    order = odata.parse_orderby(options.get("$orderby", ""))
    wanted, low, high = _condition(collection, options)
    if _is_kept_order(collection, order):
        candidates = collection.by_modified(low, high)
    elif collection.tenant.sorts == "none":
        candidates = collection.stored()
    elif low is not None or high is not None:
        candidates = _sorted(collection.by_modified(low, high), collection, order)
    else:
        candidates = _sorted(collection.stored(), collection, order)
    matches = (stored for stored in candidates if wanted(stored.fields)) if wanted else iter(candidates)
    if counted:
        everything = list(matches)
        return everything[skip : skip + top], len(everything), len(everything) > skip + top
    found = list(islice(matches, skip, skip + top + 1))
    return found[:top], 0, len(found) > top


def count(collection: Collection, options: Mapping[str, str]) -> int:
    """What `/$count` answers."""
    if not collection.tenant.count:
        raise ODataError("Count is not implemented.", 501, "ODP_NOT_IMPLEMENTED")
    refuse_options(collection, options)
    wanted, low, high = _condition(collection, options)
    candidates = collection.by_modified(low, high)
    return sum(1 for stored in candidates if wanted(stored.fields)) if wanted else len(candidates)


def _condition(collection: Collection, options: Mapping[str, str]) -> tuple[Predicate | None, str | None, str | None]:
    if not options.get("$filter", "").strip():
        return None, None, None
    tree, names = odata.parse_filter(options["$filter"]), collection.names
    wanted, kind = predicate(tree, names), collection.tenant.compares
    if kind != "bytes":
        by_language = predicate(compared(tree, names, kind), names_beside(names))
        wanted = lambda fields: by_language(Row(fields, kind))  # noqa: E731
    return (wanted, *modified_bounds(tree, names))


def _is_kept_order(collection: Collection, order: list[tuple[str, bool]]) -> bool:
    """Whether the rows are kept in this order anyway: (LastModified, keys), ascending."""
    kept = [collection.wire(name) for name in (MODIFIED, *collection.keys)]
    as_kept = bool(order) and order == [(name, False) for name in kept[: len(order)]] and collection.tenant.modified
    return as_kept and collection.tenant.sorts == "bytes"


def _sorted(rows: list[Stored], collection: Collection, order: list[tuple[str, bool]]) -> list[Stored]:
    names, kind = collection.names, collection.tenant.sorts
    for wire, descending in reversed(order):
        if wire not in names:
            raise ODataError(f"The property '{wire}', used in $orderby, is not defined.")
        name = names[wire][0]
        values = {id(row): collated(row.fields[name], kind) for row in rows}
        if kind == "none":
            continue
        try:
            rows = sorted(rows, key=lambda row: (values[id(row)] is None, values[id(row)] or 0), reverse=descending)
        except TypeError:  # texts, or texts among numbers
            rows = sorted(rows, key=lambda row: (values[id(row)] is None, str(values[id(row)])), reverse=descending)
    return rows


def _selected(collection: Collection, select: str) -> tuple[tuple[str, str], ...]:
    """Keys come back whether they are selected or not."""
    names = collection.names
    asked = [name.strip() for name in select.split(",") if name.strip()]
    for name in asked:
        if name not in names and name != "*":
            raise ODataError(f"The property '{name}', used in $select, is not defined in '{collection.set}'.")
    if not asked or "*" in asked:
        return tuple((name, wire) for wire, (name, _) in names.items())
    shown = {collection.wire(name) for name in collection.keys} | set(asked)
    return tuple((names[wire][0], wire) for wire in names if wire in shown)


def _refuse_expand(collection: Collection, name: str, inner: Mapping[str, str]) -> None:
    if not collection.tenant.expand:
        raise ODataError("Expand of collections is not implemented.", 501, "ODP_NOT_IMPLEMENTED")
    if name != collection.navigation:
        raise ODataError(f"The navigation property '{name}' is not defined in '{collection.set}'.")
    if others := inner.keys() - {"$select"}:
        raise ODataError(f"{', '.join(sorted(others))} within $expand is not implemented.", 501, "ODP_NOT_IMPLEMENTED")


def refuse_options(collection: Collection, options: Mapping[str, str]) -> None:
    for name in options:
        if name in _NOT_BUILT:
            raise ODataError(f"{name} is not implemented.", 501, "ODP_NOT_IMPLEMENTED")
        if name.startswith("$") and name not in _KNOWN:
            raise ODataError(f"The system query option '{name}' is not defined.")
    if whole(options, "$top", 0) > ELEMENTS:
        raise ODataError(f"$top is {options['$top']}; at most {ELEMENTS} elements can be asked for.")
    if options.get("$count", "false") not in ("true", "false"):
        raise ODataError(f"$count is true or false; found {options['$count']!r}.")


def _refuse_size(found: list[Stored], shape: Shape) -> None:
    lines = sum(len(stored.lines) for stored in found) if shape.lines else 0
    if len(found) + lines > ELEMENTS:
        text = f"The response holds {len(found) + lines} elements across all arrays; at most {ELEMENTS} can be sent."
        raise ODataError(text, 500, "ODP_ERROR")


def whole(options: Mapping[str, str], name: str, default: int) -> int:
    text = options.get(name, str(default))
    if not text.isascii() or not text.isdigit():
        raise ODataError(f"{name} must be a whole number that is not negative; found {text!r}.")
    return int(text)


def _next_link(collection: Collection, service: str, options: Mapping[str, str], skip: int) -> str:
    origin = collection.tenant.next_link
    if isinstance(origin, str):
        service = f"{origin.rstrip('/')}/ifs{service.partition('/ifs')[2]}"
    asked = {**options, "$skip": str(skip)}
    query = "&".join(f"{name}={quote(value, safe='(),;=')}" for name, value in asked.items())
    return f"{service}/{collection.set}?{query}"
