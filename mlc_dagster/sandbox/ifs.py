"""The sandboxed IFS Cloud: entity sets over OData v4 behind a realm's token endpoint."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from threading import RLock
from typing import Any
from urllib.parse import unquote

from mlc_dagster.sandbox import ifs_tokens, ifs_write, odata
from mlc_dagster.sandbox.ifs_catalogue import KINDS, Tenant
from mlc_dagster.sandbox.ifs_metadata import edmx
from mlc_dagster.sandbox.ifs_names import Collection
from mlc_dagster.sandbox.ifs_read import Reader, count
from mlc_dagster.sandbox.ifs_rows import Modified, RowSet, Stored
from mlc_dagster.sandbox.journal import Journal
from mlc_dagster.sandbox.limits import RollingCounts, whole_seconds
from mlc_dagster.sandbox.odata import ODataError
from mlc_dagster.sandbox.wire import Answer, Call, answer_json, decode, query_of

SURFACE = "/ifs/main/ifsapplications/projection/v1"
_SEGMENT = re.compile(r"([A-Za-z_][\w]*)(?:\((.*)\))?", re.DOTALL)


class IfsSandbox:
    """Rows go in under the catalogue's names; on the wire they have the tenant's."""

    def __init__(self, tenant: Tenant, counts: RollingCounts, journal: Journal, lock: RLock) -> None:
        self.tenant, self.counts, self._journal, self._lock = tenant, counts, journal, lock
        self.tokens = ifs_tokens.Tokens(tenant.token_seconds)
        self.sets = {kind.set: RowSet(kind) for kind in KINDS}
        self.on_request: Callable[[str, int], object] | None = None  # (path, reads so far)
        self.reads = 0
        self._reader = Reader()
        headers = [Collection(tenant, rows) for rows in self.sets.values()]
        lines = [collection.lines() for collection in headers if collection.navigation]
        self._collections = {(each.projection, each.set): each for each in (*headers, *lines)}

    # --- for tests and seeds: the catalogue's names ---

    def put(self, set_name: str, row: Mapping[str, Any], modified: Modified = ...) -> str:
        """Insert a row, or replace the one with its key; its new ETag.

        `modified`: an aware time, None for null, a text as it stands, left out: the row's own LastModified, else now.
        Lines go under their navigation property ("PurchaseOrderLines"). Raises KeyError for an unknown set.
        """
        with self._lock:
            return self.sets[set_name].put(row, modified).etag

    def put_many(self, set_name: str, rows: Iterable[Mapping[str, Any]], modified: Modified = ...) -> int:
        with self._lock:
            return self.sets[set_name].put_many(rows, modified)

    @property
    def skew_seconds(self) -> float:
        return self.tenant.clock_skew_seconds

    def state(self) -> dict[str, Any]:
        """How many rows each entity set has."""
        return {"rows": {name: len(rows.by_key) for name, rows in self.sets.items()}}

    def remembered(self) -> dict[str, Any]:
        return {name: self.rows(name) for name in self.sets}

    def recall(self, kept: dict[str, Any]) -> None:
        """Rows as `rows` gave them, with their ETags."""
        with self._lock:
            for set_name, rows in kept.items():
                self.sets[set_name].put_many(rows, etags="@odata.etag")

    def delete(self, set_name: str, **keys: Any) -> None:
        """Raises KeyError where there is no such row."""
        with self._lock:
            rows = self.sets[set_name]
            rows.remove(tuple(keys[name] for name in rows.kind.keys))

    def rows(self, set_name: str) -> list[dict[str, Any]]:
        """All rows with @odata.etag and lines, under the catalogue's names, in the order of insertion."""
        with self._lock:
            rows = self.sets[set_name]
            navigation = rows.kind.lines.navigation if rows.kind.lines else None
            return [_shown(stored, navigation) for stored in rows.insertion_order()]

    def expire_tokens(self) -> None:
        """Every token given out so far is refused from now on."""
        self.tokens.expire_all()

    # --- on the wire ---

    def answer(self, call: Call) -> Answer:
        if call.path == ifs_tokens.PATH:
            return self.tokens.grant(call)
        if call.path.startswith("/ifs/auth/realms/"):
            return answer_json(404, {"error": "Realm does not exist"})
        if not self.tokens.accepts(call.headers.get("authorization", "")):
            realm = f'Bearer realm="{call.origin}/ifs/auth/realms/sandbox"'
            return answer_json(
                401, _error("UNAUTHORIZED", "The token is missing, unknown or has expired."), www_authenticate=realm
            )
        if wait := self.counts.admit(ifs_tokens.CLIENT_ID):
            return answer_json(429, _error("TOO_MANY_REQUESTS", "Too many requests."), retry_after=whole_seconds(wait))
        try:
            return self._served(call)
        except ifs_write.RefusalError as refusal:
            details = [{"code": "DATABASE_ERROR", "message": refusal.detail}]
            return answer_json(refusal.status, _error(refusal.code, str(refusal), details))
        except ODataError as mistake:
            return answer_json(mistake.status, _error(mistake.code, str(mistake)))
        except UnicodeDecodeError as error:
            return answer_json(400, _error("ODP_BAD_REQUEST", f"The URI is not UTF-8: {error}"))

    def _served(self, call: Call) -> Answer:
        service, *segments = call.path.removeprefix(SURFACE + "/").split("/")
        projection = service.removesuffix(".svc")
        names = [name for name, _ in self._collections if name == projection]
        if not call.path.startswith(SURFACE + "/") or not names or not service.endswith(".svc") or not segments:
            raise _nowhere(call.path)
        if segments == ["$metadata"]:
            return self._metadata(projection, call.path)
        name, keys = _segment(segments[0])
        collection = self._collections.get((projection, name))
        if collection is None:
            raise _nowhere(call.path)
        if keys is None:
            return self._on_collection(call, collection, segments[1:])
        return self._on_row(call, collection, _key(collection, keys), segments[1:])

    def _metadata(self, projection: str, path: str) -> Answer:
        if not self.tenant.metadata:
            raise _nowhere(path)
        served = [each for (name, _), each in self._collections.items() if name == projection]
        return Answer(200, edmx(projection, served), {"content-type": "application/xml"})

    def _on_collection(self, call: Call, collection: Collection, rest: list[str]) -> Answer:
        if call.method == "GET" and rest in ([], ["$count"]):
            if self.on_request:
                self.on_request(unquote(call.path), self.reads)
            self.reads += 1
            options = query_of(call.query)
            if rest:
                return Answer(200, str(count(collection, options)).encode(), {"content-type": "text/plain"})
            body = self._reader.page(collection, options, _as_texts(call), call.origin + SURFACE)
            return Answer(200, body, _odata_headers(call))
        if call.method == "POST" and not rest and not collection.is_lines:
            stored = ifs_write.create(collection, _body(call), self.sets)
            return self._row(call, collection, stored, 201)
        raise _wrong_method(call) if not rest else _nowhere(call.path)

    def _on_row(self, call: Call, collection: Collection, key: tuple[Any, ...], rest: list[str]) -> Answer:
        stored = collection.find(key)
        if stored is None:
            raise _nowhere(call.path)
        if rest:
            return self._on_lines(call, collection, stored, rest)
        if call.method == "GET":
            return self._row(call, collection, stored, 200)
        if call.method not in ("PATCH", "DELETE"):
            raise _wrong_method(call)
        ifs_write.precondition(stored, call.headers)
        if call.method == "PATCH":
            return self._row(call, collection, ifs_write.change(collection, stored, _body(call), self.sets), 200)
        ifs_write.remove(collection, stored)
        self._journal.changed("ifs", "DELETE", unquote(call.path), None, _text(stored))
        return Answer(204)

    def _on_lines(self, call: Call, collection: Collection, header: Stored, rest: list[str]) -> Answer:
        """`Set(key)/Lines`: read or add lines; `Set(key)/Lines(key)`: one of them."""
        name, keys = _segment(rest[0])
        if name != collection.navigation or len(rest) > 1:
            raise _nowhere(call.path)
        lines = collection.lines()
        if keys is not None:
            return self._on_row(call, lines, _key(lines, keys), [])
        if call.method == "POST":
            return self._row(call, lines, ifs_write.create_line(lines, header, _body(call), self.sets), 201)
        if call.method != "GET":
            raise _wrong_method(call)
        shape = self._reader.shape(lines, query_of(call.query), _as_texts(call))
        body = b'{"value":[%s]}' % b",".join([shape.text(line) for line in header.lines])
        return Answer(200, body, _odata_headers(call))

    def _row(self, call: Call, collection: Collection, stored: Stored, status: int) -> Answer:
        if status == 201 or call.method == "PATCH":
            self._journal.changed("ifs", call.method, unquote(call.path), decode(call.body), _text(stored))
        options = query_of(call.query) if call.method == "GET" else {}
        shape = self._reader.shape(collection, options, _as_texts(call))
        headers = {**_odata_headers(call), "etag": stored.etag}
        service = f"{call.origin}{SURFACE}/{collection.projection}.svc"
        context = f'{{"@odata.context":"{service}/$metadata#{collection.set}/$entity",'.encode()
        return Answer(status, context + shape.text(stored)[1:], headers)


def _shown(stored: Stored, navigation: str | None) -> dict[str, Any]:
    lines = {navigation: [_shown(line, None) for line in stored.lines]} if navigation else {}
    return {"@odata.etag": stored.etag, **stored.fields, **lines}


def _text(stored: Stored) -> str:
    return "/".join(str(part) for part in stored.key)


def _segment(text: str) -> tuple[str, str | None]:
    """A path segment, decoded on its own, so that a %2F within a key is a slash of the key."""
    match = _SEGMENT.fullmatch(unquote(text, errors="strict"))
    if match is None:
        raise ODataError(f"The URI is malformed: {text!r}.")
    return match[1], match[2]


def _key(collection: Collection, text: str) -> tuple[Any, ...]:
    given, names = odata.parse_keys(text), collection.keys
    wires = [collection.wire(name) for name in names]
    if set(given) == {""} and len(names) == 1:
        given = {wires[0]: given[""]}
    if set(given) != set(wires):
        raise ODataError(f"The key of '{collection.set}' is {', '.join(wires)}; found {', '.join(given) or 'a value'}.")
    for name, wire in zip(names, wires, strict=True):
        if isinstance(given[wire], str) != (collection.types[name] != "int"):
            raise ODataError(f"The key '{wire}' is of type {collection.types[name]}; found {given[wire]!r}.")
    return tuple(given[wire] for wire in wires)


def _body(call: Call) -> Any:
    if "json" not in call.headers.get("content-type", "application/json"):
        raise ODataError("The content type is not supported.", 415, "ODP_UNSUPPORTED_MEDIA_TYPE")
    try:
        return decode(call.body)
    except ValueError as error:
        raise ODataError("Error while de-serializing contents.", code="ODP_DESERIALIZATION_ERROR") from error


def _as_texts(call: Call) -> bool:
    return "ieee754compatible=true" in call.headers.get("accept", "").lower().replace(" ", "")


def _odata_headers(call: Call) -> dict[str, str]:
    kind = f"application/json;odata.metadata=minimal;IEEE754Compatible={str(_as_texts(call)).lower()}"
    return {"content-type": kind, "odata-version": "4.0"}


def _nowhere(path: str) -> ODataError:
    return ODataError(f"The requested resource does not exist: {unquote(path)}", 404, "ODP_RESOURCE_NOTFOUND")


def _wrong_method(call: Call) -> ODataError:
    return ODataError(f"{call.method} is not allowed here.", 405, "ODP_METHOD_NOT_ALLOWED")


def _error(code: str, message: str, details: list[dict[str, str]] | None = None) -> dict[str, Any]:
    content: dict[str, Any] = {"code": code, "message": message}
    return {"error": {**content, "details": details} if details else content}
