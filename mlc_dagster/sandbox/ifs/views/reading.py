"""Reading such a set: $select always brings the keys, arrays without it show nothing, and contexts are absolute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlc_dagster.sandbox.ifs import odata
from mlc_dagster.sandbox.ifs.odata import Both, Comparison, Either, Membership, Node, ODataError, Opposite
from mlc_dagster.sandbox.ifs.read import matching, refuse_options, whole
from mlc_dagster.sandbox.ifs.requests import path_of
from mlc_dagster.sandbox.ifs.views.collection import ViewCollection
from mlc_dagster.sandbox.ifs.views.view import META, ViewRow
from mlc_dagster.sandbox.wire import encode

_ALL = 10**9


def page(collection: ViewCollection, options: Mapping[str, str], texts: bool, origin: str, place: str) -> bytes:
    """The body of a GET on a set or an array. `place`: its path below the service. Raises ODataError."""
    _refuse(collection, options)
    shown = _shown(collection, options.get("$select", ""))
    skip, default = whole(options, "$skip", 0), collection.tenant.rows_without_top or _ALL
    counted = options.get("$count") == "true"
    found, total, _ = matching(collection, options, skip, whole(options, "$top", default), counted)
    service = f"{origin}{collection.view.surface}/{collection.projection}.svc"
    head: dict[str, Any] = {"@odata.context": context(service, place, options.get("$select", ""), collection)}
    if counted:
        head["@odata.count"] = total
    at = f"{service}/{place.rpartition('/')[0]}{'/' if '/' in place else ''}"
    rows = [shape(collection, row, shown, at) for row in found if isinstance(row, ViewRow)]
    return encode({**head, "value": rows}, texts)


def counted(collection: ViewCollection, options: Mapping[str, str]) -> int:
    """What `/$count` answers. Raises ODataError."""
    _refuse(collection, {**options, "$count": "true"})
    return matching(collection, options, 0, 0, True)[1]


def one(collection: ViewCollection, row: ViewRow, options: Mapping[str, str], texts: bool, origin: str) -> bytes:
    """The body of a GET by key. Raises ODataError."""
    _refuse(collection, options)
    service = f"{origin}{collection.view.surface}/{collection.projection}.svc"
    told = context(service, collection.set, options.get("$select", ""), collection)
    shown = {name: name for name in collection.names}
    if options.get("$select"):
        shown = _shown(collection, options["$select"])
    return encode({"@odata.context": f"{told}/$entity", **shape(collection, row, shown, f"{service}/")}, texts)


def shape(collection: ViewCollection, row: ViewRow, shown: Mapping[str, str], at: str) -> dict[str, Any]:
    """One row. With a $select that leaves keys out, its address comes with it."""
    etag = {"@odata.etag": row.etag} if row.etag else {}
    missing = [key for key in collection.keys if shown.get(key) == ""]
    address = {"@odata.id": f"{at}{path_of(collection, row)}"} if missing else {}
    return {**etag, **address, **{name: row.fields[name] for name in shown}}


def context(service: str, place: str, select: str, collection: ViewCollection) -> str:
    """Absolute; with the columns that are shown, keys included, where there was a $select."""
    if not select:
        return f"{service}/$metadata#{place}"
    asked = [name.strip() for name in select.split(",")]
    return f"{service}/$metadata#{place}({','.join(dict.fromkeys([*asked, *collection.keys]))})"


def _shown(collection: ViewCollection, select: str) -> dict[str, str]:
    """Column -> what asked for it; empty: it is a key that nobody asked for."""
    asked = [name.strip() for name in select.split(",") if name.strip()]
    for name in asked:
        if name != "*" and name not in collection.names:
            raise undefined(name, collection)
    if "*" in asked or (not asked and not _is_bare(collection)):
        return {name: name for name in collection.names}
    if not asked:
        return {name: name for name in META}
    return {**dict.fromkeys((key for key in collection.keys if key not in asked), ""), **{name: name for name in asked}}


def _is_bare(collection: ViewCollection) -> bool:
    bare = collection.tenant.bare_without_select
    return bare == "all" or (bare == "arrays" and collection.below is not None)


def undefined(name: str, collection: ViewCollection) -> ODataError:
    entity = f"IfsApp.{collection.projection}.{collection.view.entity}"
    return MalformedError(f"The property '{name}', used in a query expression, is not defined in type '{entity}'.")


class MalformedError(ODataError):
    """A general message, and what is wrong in details[0]."""

    reason = "ODP_MALFORMED_REQUEST"

    def __init__(self, detail: str) -> None:
        super().__init__("Malformed Request.", 400, "ODP_MALFORMED_REQUEST")
        self.detail = detail


def _refuse(collection: ViewCollection, options: Mapping[str, str]) -> None:
    if options.get("$expand"):
        raise ODataError("Expand of collections is not implemented.", 501, "ODP_NOT_IMPLEMENTED")
    if options.get("$count") == "true" and not collection.tenant.count:
        raise ODataError("Count is not implemented.", 501, "ODP_NOT_IMPLEMENTED")
    refuse_options(collection, options)
    ordered = [name for name, _ in odata.parse_orderby(options.get("$orderby", ""))]
    filtered = list(_names(odata.parse_filter(options["$filter"]))) if options.get("$filter", "").strip() else []
    for name in (*filtered, *ordered):
        if name not in collection.names:
            raise undefined(name, collection)
    slow = [name for name in filtered if name.startswith("Cf_") or name in collection.view.no_filter]
    if slow and collection.tenant.slow_filters:
        text = "Operation did not complete in the expected time (15 seconds)."
        raise ODataError(text, 504, "ODP_OPERATION_TIMEOUT")


def _names(node: Node) -> list[str]:
    if isinstance(node, Comparison | Membership):
        return [node.field]
    if isinstance(node, Opposite):
        return _names(node.part)
    assert isinstance(node, Both | Either)
    return [name for part in node.parts for name in _names(part)]
