"""The sandboxed IFS Cloud: entity sets over OData v4 behind a realm's token endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from threading import RLock
from typing import Any
from urllib.parse import unquote

from mlc_dagster.sandbox.ifs import batch as ifs_batch
from mlc_dagster.sandbox.ifs import bound_actions
from mlc_dagster.sandbox.ifs import tokens as ifs_tokens
from mlc_dagster.sandbox.ifs import write as ifs_write
from mlc_dagster.sandbox.ifs.batch import Answered, Part
from mlc_dagster.sandbox.ifs.catalogue import KINDS, Tenant
from mlc_dagster.sandbox.ifs.metadata import metadata
from mlc_dagster.sandbox.ifs.names import Collection
from mlc_dagster.sandbox.ifs.odata import ODataError
from mlc_dagster.sandbox.ifs.posting_rules import DOCUMENTS
from mlc_dagster.sandbox.ifs.read import Reader, count
from mlc_dagster.sandbox.ifs.requests import (
    as_texts,
    body_of,
    envelope,
    key_of,
    key_text,
    nowhere,
    odata_headers,
    refused,
    segment,
    wrong_method,
)
from mlc_dagster.sandbox.ifs.rows import Modified, RowSet, Stored, shown
from mlc_dagster.sandbox.ifs.transactions import Transaction
from mlc_dagster.sandbox.ifs.views.gateway import Gateway
from mlc_dagster.sandbox.ifs.views.loads import LOAD_KINDS
from mlc_dagster.sandbox.ifs.views.service import LISTING, Services
from mlc_dagster.sandbox.ifs.views.tenants import views_of
from mlc_dagster.sandbox.journal import Journal
from mlc_dagster.sandbox.limits import RollingCounts, whole_seconds
from mlc_dagster.sandbox.wire import Answer, Call, answer_json, decode, query_of

SURFACE = "/ifs/main/ifsapplications/projection/v1"


class IfsSandbox:
    """Rows go in under the catalogue's names; on the wire they have the tenant's."""

    def __init__(self, tenant: Tenant, counts: RollingCounts, journal: Journal, lock: RLock) -> None:
        self.tenant, self.counts, self._journal, self._lock = tenant, counts, journal, lock
        self.tokens = ifs_tokens.Tokens(tenant.token_seconds, "" if tenant.opaque_tokens else ifs_tokens.REALM)
        self.sets = {kind.set: RowSet(kind) for kind in (*KINDS, *LOAD_KINDS)}
        self.on_request: Callable[[str, int], object] | None = None  # (path, reads so far)
        self.reads = 0
        self._reader, self._gateway = Reader(), Gateway(tenant)
        headers = [Collection(tenant, self.sets[kind.set]) for kind in KINDS]
        lines = [collection.lines() for collection in headers if collection.navigation]
        self._collections = {(each.projection, each.set): each for each in (*headers, *lines)}
        self._services = Services(tenant, self.sets, views_of(tenant)) if tenant.view != "seed" else None

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
        """How many rows of each entity set the service user may see, the documents that a SaaS may enter, and the
        suppliers that both sides change."""
        return {
            "rows": {kind.set: sum(map(self._is_seen, self.sets[kind.set].by_key.values())) for kind in KINDS},
            "documents": {name: self.rows(name) for name in DOCUMENTS},
            "suppliers": self.rows("SupplierSet"),
        }

    def _is_seen(self, row: Stored) -> bool:
        allowed = self.tenant.allowed_companies
        return not allowed or row.fields.get("Company") in (None, *allowed)

    def remembered(self) -> dict[str, Any]:
        return {"realm": self.tokens.realm, **{name: self.rows(name) for name in self.sets}}

    def recall(self, kept: dict[str, Any]) -> None:
        """Rows as `rows` gave them, with their ETags."""
        with self._lock:
            self.tokens.realm = kept.get("realm", self.tokens.realm)
            for set_name in kept.keys() & self.sets.keys():
                self.sets[set_name].put_many(kept[set_name], etags="@odata.etag")

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
            return [shown(stored, navigation) for stored in rows.insertion_order()]

    def expire_tokens(self) -> None:
        """Every token given out so far is refused from now on."""
        self.tokens.expire_all()

    def approve(self) -> int:
        """What another user does: suppliers and external loads that wait for him; how many loads there were."""
        with self._lock, self._transaction() as work:
            for row in (row for row in self.rows("SupplierSet") if row.get("IsApproved") is False):
                self.put("SupplierSet", {**row, "IsApproved": True})
            return self._services.approve(work) if self._services else 0

    # --- on the wire ---

    def answer(self, call: Call) -> Answer:
        is_grant = call.path == ifs_tokens.PATH
        if own := self._gateway.refusal(call, is_grant):
            return own
        return self._gateway.passed(call, self._answer(call), is_grant)

    def _answer(self, call: Call) -> Answer:
        if call.path == ifs_tokens.PATH:
            return self.tokens.grant(call)
        if call.path.startswith("/ifs/auth/realms/"):
            return answer_json(404, {"error": "Realm does not exist"})
        if not self.tokens.accepts(call.headers.get("authorization", "")):
            realm = f'Bearer realm="{call.origin}/ifs/auth/realms/sandbox"'
            return answer_json(
                401, envelope("UNAUTHORIZED", "The token is missing, unknown or has expired."), www_authenticate=realm
            )
        if wait := self.counts.admit(ifs_tokens.CLIENT_ID):
            return answer_json(
                429, envelope("TOO_MANY_REQUESTS", "Too many requests."), retry_after=whole_seconds(wait)
            )
        try:
            return self._served(call)
        except (ODataError, UnicodeDecodeError) as mistake:
            return refused(mistake)

    def _served(self, call: Call) -> Answer:
        if self._services is not None:
            return self._viewed(call, self._services)
        service, *segments = call.path.removeprefix(SURFACE + "/").split("/")
        projection = service.removesuffix(".svc")
        names = [name for name, _ in self._collections if name == projection]
        if not call.path.startswith(SURFACE + "/") or not names or not service.endswith(".svc") or not segments:
            raise nowhere(call.path)
        if segments == ["$batch"]:
            return self._batch(call, f"{SURFACE}/{service}")
        with self._transaction() as work:
            return self._routed(call, work)

    def _viewed(self, call: Call, services: Services) -> Answer:
        """Of a tenant whose services show the rows otherwise."""
        if call.path == LISTING:
            return services.listing(call)
        service = services.service_of(call)
        if call.path == f"{service}/$batch":
            return self._batch(call, service)
        if call.method == "GET" and self.on_request:
            self.on_request(unquote(call.path), self.reads)
        self.reads += call.method == "GET"
        with self._transaction() as work:
            return services.routed(call, work)

    def _transaction(self) -> Transaction:
        return Transaction(self.sets, self.tenant, self._journal)

    def _batch(self, call: Call, service: str) -> Answer:
        """Requests in order, each on its own and each change set as a whole, up to the first that is refused."""
        if not self.tenant.batch:
            raise ODataError("Batch is not implemented.", 501, "ODP_NOT_IMPLEMENTED")
        if call.method != "POST":
            raise wrong_method(call)
        answers: list[Answered | list[Answered]] = []
        for asked in ifs_batch.requests(call, service, self.tenant.batch_parts):
            answered = self._kept(asked if isinstance(asked, list) else [asked], service)
            answers.append(answered[0] if isinstance(answered, list) and isinstance(asked, Part) else answered)
            if isinstance(answered, tuple) and "odata.continue-on-error" not in call.headers.get("prefer", ""):
                break
        return ifs_batch.answer(answers)

    def _kept(self, parts: list[Part], service: str) -> list[Answered] | Answered:
        """An answer to each part; or, where one is refused, its answer alone, and nothing was done."""
        number, answered, made = "", [], dict[str, tuple[Collection, tuple[Any, ...]]]()
        try:
            with self._transaction() as work:
                for part in parts:
                    number, work.written = part.number, None
                    answered.append((number, self._routed(ifs_batch.resolved(part.call, service, made), work)))
                    if work.written:
                        made[number] = work.written
                number = ""  # what is judged now is the whole
        except (ODataError, UnicodeDecodeError) as mistake:
            return (number if self.tenant.names_steps else ""), refused(mistake)
        return answered

    def _routed(self, call: Call, work: Transaction) -> Answer:
        if self._services is not None:
            return self._services.routed(call, work)
        service, *segments = call.path.removeprefix(SURFACE + "/").split("/")
        projection = service.removesuffix(".svc")
        if segments == ["$metadata"]:
            return self._metadata(projection, call)
        name, keys = segment(segments[0])
        collection = self._collections.get((projection, name))
        if collection is None:
            raise nowhere(call.path)
        if keys is None:
            return self._on_collection(call, collection, segments[1:], work)
        return self._on_row(call, collection, key_of(collection, keys), segments[1:], work)

    def _metadata(self, projection: str, call: Call) -> Answer:
        served = [each for (name, _), each in self._collections.items() if name == projection]
        found = metadata(projection, served, self.tenant.metadata, call.headers.get("accept", "").lower())
        if found is None:
            raise nowhere(call.path)
        return found

    def _on_collection(self, call: Call, collection: Collection, rest: list[str], work: Transaction) -> Answer:
        if call.method == "GET" and rest in ([], ["$count"]):
            if self.on_request:
                self.on_request(unquote(call.path), self.reads)
            self.reads += 1
            options = query_of(call.query)
            if rest:
                return Answer(200, str(count(collection, options)).encode(), {"content-type": "text/plain"})
            body = self._reader.page(collection, options, as_texts(call), call.origin + SURFACE)
            return Answer(200, body, odata_headers(call))
        if call.method == "POST" and not rest and not collection.is_lines:
            stored = ifs_write.create(collection, body_of(call), work)
            return self._row(call, collection, stored, 201, work)
        raise wrong_method(call) if not rest else nowhere(call.path)

    def _on_row(
        self, call: Call, collection: Collection, key: tuple[Any, ...], rest: list[str], work: Transaction
    ) -> Answer:
        stored = collection.find(key)
        if stored is None:
            raise nowhere(call.path)
        if bound_actions.is_action(rest):
            return bound_actions.act(call, collection, stored, rest[0], work)
        if rest:
            return self._on_lines(call, collection, stored, rest, work)
        if call.method == "GET":
            return self._row(call, collection, stored, 200, work)
        if call.method not in ("PATCH", "DELETE"):
            raise wrong_method(call)
        ifs_write.precondition(stored, call.headers)
        if call.method == "PATCH":
            changed = ifs_write.change(collection, stored, body_of(call), work)
            return self._row(call, collection, changed, 200, work)
        ifs_write.remove(collection, stored, work)
        work.note("DELETE", unquote(call.path), None, key_text(stored))
        return Answer(204)

    def _on_lines(
        self, call: Call, collection: Collection, header: Stored, rest: list[str], work: Transaction
    ) -> Answer:
        """`Set(key)/Lines`: read or add lines; `Set(key)/Lines(key)`: one of them."""
        name, keys = segment(rest[0])
        if name != collection.navigation or len(rest) > 1:
            raise nowhere(call.path)
        lines = collection.lines()
        if keys is not None:
            return self._on_row(call, lines, key_of(lines, keys), [], work)
        if call.method == "POST":
            made = ifs_write.create_line(lines, header, body_of(call), work)
            return self._row(call, lines, made, 201, work)
        if call.method != "GET":
            raise wrong_method(call)
        shape = self._reader.shape(lines, query_of(call.query), as_texts(call))
        body = b'{"value":[%s]}' % b",".join([shape.text(line) for line in header.lines])
        return Answer(200, body, odata_headers(call))

    def _row(self, call: Call, collection: Collection, stored: Stored, status: int, work: Transaction) -> Answer:
        if status == 201 or call.method == "PATCH":
            work.written = collection, stored.key
            work.note(call.method, unquote(call.path), decode(call.body), key_text(stored))
        options = query_of(call.query) if call.method == "GET" else {}
        shape = self._reader.shape(collection, options, as_texts(call))
        headers = {**odata_headers(call), "etag": stored.etag}
        service = f"{call.origin}{SURFACE}/{collection.projection}.svc"
        context = f'{{"@odata.context":"{service}/$metadata#{collection.set}/$entity",'.encode()
        return Answer(status, context + shape.text(stored)[1:], headers)
