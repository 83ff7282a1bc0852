"""The services of such a tenant: what is granted and listed, and where a call goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from mlc_dagster.sandbox.ifs import write as ifs_write
from mlc_dagster.sandbox.ifs.catalogue import Tenant
from mlc_dagster.sandbox.ifs.odata import ODataError
from mlc_dagster.sandbox.ifs.requests import (
    as_texts,
    body_of,
    key_of,
    key_text,
    nowhere,
    odata_headers,
    path_of,
    segment,
    wrong_method,
)
from mlc_dagster.sandbox.ifs.rows import RowSet
from mlc_dagster.sandbox.ifs.transactions import Transaction
from mlc_dagster.sandbox.ifs.views import loading, reading, writing
from mlc_dagster.sandbox.ifs.views.collection import ViewCollection
from mlc_dagster.sandbox.ifs.views.edmx import document
from mlc_dagster.sandbox.ifs.views.listed import projections
from mlc_dagster.sandbox.ifs.views.loads import AWAITING, INVOICE_LOADS, VOUCHER_LOADS
from mlc_dagster.sandbox.ifs.views.view import INT, MAIN, View, ViewRow
from mlc_dagster.sandbox.wire import Answer, Call, decode, encode, query_of

LISTING = f"{MAIN}/AllProjections.svc/Projections"


class Services:
    """`views`: all sets of the tenant, of every service."""

    def __init__(self, tenant: Tenant, sets: Mapping[str, RowSet], views: Iterable[View]) -> None:
        self._tenant, self._views = tenant, tuple(views)
        self._collections = {
            (view.surface, view.projection, view.set): ViewCollection(tenant, sets[view.kind], view=view)
            for view in self._views
        }
        self._reads = 0
        if not tenant.suppliers_approved:
            sets["SupplierSet"].extra["IsApproved"] = "bool"

    def service_of(self, call: Call) -> str:
        """The path of the service that is called. Raises ODataError where it is not there."""
        surface, projection, _ = self._parts(call)
        views = [view for view in self._views if (view.surface, view.projection) == (surface, projection)]
        if not views:
            raise ODataError("Metadata not found.", 404, "ODP_RESOURCE_NOTFOUND")
        return f"{surface}/{projection}.svc"

    def listing(self, call: Call) -> Answer:
        """Every projection there is, where that is granted. Raises ODataError."""
        if not self._tenant.projections_listed:
            raise ODataError("Insufficient privileges.", 403, "SE_UNAUTHORIZED")
        own = [view.projection for view in self._views if view.surface == MAIN]
        return projections(call, own)

    def routed(self, call: Call, work: Transaction) -> Answer:
        """Raises ODataError."""
        self._may_be_changing(call)
        if call.method == "GET" and self._tenant.loads_approved == "at the next read":
            self.approve(work)
        surface, projection, segments = self._parts(call)
        if segments in ([], [""], ["$metadata"]):
            return self._described(call, surface, projection, is_metadata=segments == ["$metadata"])
        collection, row, place = self._found(call, surface, projection, segments)
        if not collection.view.is_granted and call.method != "GET":
            raise ODataError("Insufficient privileges.", 403, "SE_UNAUTHORIZED")
        if row is None:
            return self._on_set(call, collection, place, is_count=segments[-1] == "$count", work=work)
        if segments[-1].startswith("IfsApp."):
            return self._acted(call, collection, row, segments[-1], work)
        return self._on_row(call, collection, row, work)

    def approve(self, work: Transaction) -> int:
        """What another user does with the external loads that wait for him; how many there were."""
        waiting = [
            (kind, load)
            for kind in (VOUCHER_LOADS, INVOICE_LOADS)
            for load in work.sets[kind].insertion_order()
            if load.fields["ObjState"] == AWAITING
        ]
        for kind, load in waiting:
            loading.approve(work.sets, kind, load, work)
        return len(waiting)

    def _parts(self, call: Call) -> tuple[str, str, list[str]]:
        surface = next((each for each in (MAIN, INT) if call.path.startswith(f"{each}/")), None)
        service, *segments = call.path.removeprefix(f"{surface}/").split("/")
        if surface is None or not service.endswith(".svc"):
            raise nowhere(call.path)
        return surface, service.removesuffix(".svc"), segments

    def _may_be_changing(self, call: Call) -> None:
        """Now and then the server's own model is being changed, and it asks to be asked again."""
        if call.method == "GET" and self._tenant.modified_every:
            self._reads += 1
            if self._reads % self._tenant.modified_every == 0:
                raise ODataError("Metadata has been modified. Retry the request.", 503, "MI_MODIFIED_ERROR")

    def _described(self, call: Call, surface: str, projection: str, *, is_metadata: bool) -> Answer:
        views = [each for each in self._views if (each.surface, each.projection) == (surface, projection)]
        if is_metadata:
            return Answer(200, document(projection, views), {"content-type": "application/xml"})
        root = f"{call.origin}{surface}/{projection}.svc/$metadata"
        value = [{"name": view.set, "kind": "EntitySet", "url": view.set} for view in views]
        return Answer(200, encode({"@odata.context": root, "value": value}), odata_headers(call))

    def _found(
        self, call: Call, surface: str, projection: str, segments: list[str]
    ) -> tuple[ViewCollection, ViewRow | None, str]:
        """What the path leads to: a set or an array, or one row of it; and its place for @odata.context."""
        name, keys = segment(segments[0])
        collection = self._collections.get((surface, projection, name))
        if collection is None:
            raise nowhere(call.path)
        place, row = collection.set, self._row(call, collection, keys)
        for part in segments[1:]:
            if part == "$count" or part.startswith("IfsApp."):
                break
            name, keys = segment(part)
            below = collection.array(name, row) if row else None
            if below is None or row is None:
                raise nowhere(call.path)
            place = f"{path_of(collection, row)}/{below.set}"
            collection, row = below, self._row(call, below, keys)
        return collection, row, place

    def _row(self, call: Call, collection: ViewCollection, keys: str | None) -> ViewRow | None:
        if keys is None:
            return None
        found = collection.find(key_of(collection, keys))
        if found is None:
            raise nowhere(call.path)
        return found

    def _on_set(
        self, call: Call, collection: ViewCollection, place: str, *, is_count: bool, work: Transaction
    ) -> Answer:
        options = query_of(call.query)
        if call.method == "GET" and is_count:
            return Answer(200, str(reading.counted(collection, options)).encode(), {"content-type": "text/plain"})
        if call.method == "GET":
            return Answer(
                200, reading.page(collection, options, as_texts(call), call.origin, place), odata_headers(call)
            )
        if call.method != "POST" or "POST" not in collection.view.writes:
            raise wrong_method(call)
        made = writing.create(collection, body_of(call), work)
        return self._written(call, collection, made, 201, work)

    def _on_row(self, call: Call, collection: ViewCollection, row: ViewRow, work: Transaction) -> Answer:
        if call.method == "GET":
            body = reading.one(collection, row, query_of(call.query), as_texts(call), call.origin)
            return Answer(200, body, {**odata_headers(call), **_etag(row)})
        if call.method != "PATCH" or "PATCH" not in collection.view.writes:
            raise wrong_method(call)
        ifs_write.precondition(row, call.headers)
        return self._written(call, collection, writing.change(collection, row, body_of(call), work), 200, work)

    def _acted(self, call: Call, collection: ViewCollection, row: ViewRow, name: str, work: Transaction) -> Answer:
        if call.method != "POST":
            raise wrong_method(call)
        ifs_write.precondition(row, call.headers)
        made = writing.act(collection, row, name.removeprefix(f"IfsApp.{collection.projection}."), work)
        return self._written(call, collection, made, 200, work)

    def _written(self, call: Call, collection: ViewCollection, row: ViewRow, status: int, work: Transaction) -> Answer:
        work.written = collection, row.key
        sent: Any = decode(call.body) if call.body else None
        work.note(call.method, unquote(call.path), sent, key_text(row))
        body = reading.one(collection, row, {}, as_texts(call), call.origin)
        return Answer(status, body, {**odata_headers(call), **_etag(row)})


def _etag(row: ViewRow) -> dict[str, str]:
    return {"etag": row.etag} if row.etag else {}
