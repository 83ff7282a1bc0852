"""Asks for pages of one entity set, in the size and the way that this tenant takes, and remembers what it refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeVar
from urllib.parse import urljoin, urlsplit

from mlc_dagster.core.errors import AccessDenied, Misconfigured, RecordRejected, TransientError
from mlc_dagster.core.logs import logger
from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.systems.ifs.odata import batch_reads
from mlc_dagster.systems.ifs.odata.batch_reads import Question
from mlc_dagster.systems.ifs.odata.error_responses import PageTooLarge, is_not_built
from mlc_dagster.systems.ifs.odata.expressions import Order, all_of, collection, service
from mlc_dagster.systems.ifs.odata.json_pages import Page, PageDecoder
from mlc_dagster.systems.ifs.odata.tenant_time import TenantTime
from mlc_dagster.systems.ifs.reading.key_ranges import Span
from mlc_dagster.systems.ifs.schema.csdl import MetadataModel, Types, UnreadMetadata, read_metadata
from mlc_dagster.systems.ifs.schema.metadata import SchemaReport, combined, schema_report
from mlc_dagster.systems.ifs.schema.parts import parts_of
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.responses import Answer

LINES_GUESSED = 49
"""On a header, before a page shows how many there are: a response may hold 5,000 elements, lines counted, and the first
one as well. What a page showed is remembered for later walks of the same set."""

SAFE = 0.8
"""The share of the elements allowed that a page with lines is meant to fill: some orders are longer than others."""

NOT_ACCEPTABLE = (406, 415)

Value = TypeVar("Value")

log = logger("mlc_dagster.ifs")


class Get(Protocol):
    """Asks, and reads the answer by `decode`. Raises as `Connection.get` does."""

    def __call__(self, path: str, params: Mapping[str, Any], decode: Callable[[bytes], Value]) -> Value: ...


@dataclass
class Connection:
    """One tenant, and what was learned of it. Shared by all reads, in all threads."""

    api: ApiClient
    in_flight: int = 8
    page_size: int = 5000  # elements in a response, nested lines included
    time: TenantTime = field(default_factory=TenantTime)  # in which it stamps its rows
    expands: bool = True  # False: it refused to $expand a collection
    counts: bool = True  # False: it refused /$count
    counts_pages: bool = True  # False: it refused $count=true
    batches: bool = True  # False: it refused $batch, for reads
    densities: dict[str, float] = field(default_factory=dict)  # collection -> elements for a row, lines included
    gone: dict[str, frozenset[str]] = field(default_factory=dict)  # entity set -> fields that it does not have
    unstamped: set[str] = field(default_factory=set)  # entity sets whose lines proved to have no stamp
    headless: set[tuple[object, ...]] = field(default_factory=set)  # orders of receipts that are not there

    def __post_init__(self) -> None:
        self._slots = threading.BoundedSemaphore(self.in_flight)
        self._untold: set[str] = set()  # services of which it was said that they tell no fields
        self._types: dict[str, Types] = {}  # collection -> name on the wire -> type

    def get(
        self, path: str, params: Mapping[str, Any], decode: Callable[[bytes], Value], accept: str | None = None
    ) -> Answer[Value]:
        with self._slots:
            headers = {"Accept": accept} if accept else None
            return self.api.request("GET", path, params=params, headers=headers, decode=decode)

    def value(
        self, path: str, params: Mapping[str, Any], decode: Callable[[bytes], Value], accept: str | None = None
    ) -> Value:
        return self.get(path, params, decode, accept).value

    def batch(self, service: str, asked: Sequence[Question]) -> list[bytes | None]:
        """The bodies of several reads of one service, sent as one; None where one was answered anything but 200."""
        with self._slots:
            content, path = batch_reads.written(service, asked), f"{service}/$batch"
            read = partial(batch_reads.answers, len(asked))
            return self.api.request(
                "POST", path, content=content, headers=batch_reads.CONTINUE, only_asks=True, decode=read
            ).value

    def report(self, entity: EntitySet, *, aloud: bool = True) -> SchemaReport:
        """What of the record this tenant lacks. Where its $metadata cannot be had it says so, in the log once."""
        if entity.is_off:
            return SchemaReport(untold="mlc.yaml says that the tenant does not have it")
        models: dict[str, MetadataModel | UnreadMetadata] = {}
        parts = [part.entity for part in parts_of(entity)]
        for part in parts:
            if service(part) not in models:
                models[service(part)] = self._metadata(f"{service(part)}/$metadata")
        return combined(self._report(part, models[service(part)], aloud) for part in parts)

    def typed(self, entity: EntitySet) -> EntitySet:
        """The entity with the types of its columns, where a report has told them."""
        types = self._types.get(collection(entity))
        return replace(entity, types=types) if types else entity

    def learns_types(self, entity: EntitySet) -> bool:
        """Whether $metadata tells types that were not known."""
        known = self._types.get(collection(entity))
        self.report(entity, aloud=False)
        return self._types.get(collection(entity)) != known

    def _report(self, entity: EntitySet, found: MetadataModel | UnreadMetadata, aloud: bool) -> SchemaReport:
        if isinstance(found, MetadataModel):
            self._types[collection(entity)] = found.properties(entity.path) or {}
            return schema_report(entity, found)
        if aloud and entity.projection not in self._untold:
            self._untold.add(entity.projection)
            log.warning("%s: the fields are not compared with the tenant's: %s", entity.projection, found.why)
        return SchemaReport(untold=found.why)

    def _metadata(self, path: str) -> MetadataModel | UnreadMetadata:
        """As XML: asked for JSON, some servers answer 406. As JSON where XML is what they refuse."""
        refused: RecordRejected | AccessDenied | None = None
        for accept in ("application/xml", "application/json"):
            try:
                found = self.get(path, {}, read_metadata, accept).value
                return UnreadMetadata(f"GET {path} answers {found.why}") if isinstance(found, UnreadMetadata) else found
            except (RecordRejected, AccessDenied) as error:
                refused = refused or error
                if not (isinstance(error, RecordRejected) and error.status in NOT_ACCEPTABLE):
                    break
        assert refused is not None
        return UnreadMetadata(refused.message)


class NoSuchSet(Misconfigured):
    """The tenant does not have what is asked for."""


def no_such_set(entity: EntitySet, error: RecordRejected) -> NoSuchSet:
    """What a 404 on a collection means."""
    name = f"ifs.entity_sets.{entity.name}"
    return NoSuchSet(
        f"{error.message}\n  The tenant has no entity set {entity.path} in {entity.projection}.",
        cure=f"Set {name}.projection and {name}.set in mlc.yaml, or activate the service in IFS.",
    )


def refuse_if_off(entity: EntitySet) -> None:
    """Raises Misconfigured for a set that the tenant does not have."""
    if entity.is_off:
        cure = f"Name it: ifs.entity_sets.{entity.name}.set. `mlc ping` says what is off without it."
        raise Misconfigured(f"ifs/{entity.name}: mlc.yaml, or its catalogue, says that the tenant has none", cure=cure)


def no_batch(path: str, error: RecordRejected) -> Misconfigured:
    """What a refusal of $batch itself means."""
    return Misconfigured(
        f"{error.message}\n  The tenant has no {path}/$batch: a document with lines could be written by halves.",
        cure="Check the projection's name in ifs.entity_sets of mlc.yaml, and that the service takes OData $batch.",
    )


class Query:
    """Pages of one entity set under one condition.

    Lines come with their headers where the tenant expands collections; `lines=False` leaves them out.
    """

    def __init__(
        self,
        connection: Connection,
        entity: EntitySet,
        order: Order,
        *,
        lines: bool,
        only_keys: bool = False,
        get: Get | None = None,
    ) -> None:
        """`get`: how it asks, where that is not alone."""
        self._get = get or connection.value
        self._connection, self.entity, self.order = connection, entity, order
        self._lines, self._only_keys = lines and entity.lines is not None, only_keys
        self._lock = threading.Lock()
        self._density = connection.densities.get(collection(entity), 1.0 + LINES_GUESSED)
        self._top = connection.page_size
        self.requests = 0

    @property
    def expands(self) -> bool:
        """Whether lines are asked for together with their headers."""
        wanted = {"always": True, "never": False, "auto": self._connection.expands}[self.entity.expand]
        several = self.entity.lines is not None and bool(self.entity.lines.arrays)
        return self._lines and wanted and not several

    @property
    def rows_of_a_page(self) -> int:
        """How many are asked for next."""
        return min(self._allowed(self.expands), self._top)

    def page(self, span: Span, condition: str | None = None) -> Page:
        """One page, without the lines that are not nested in it.

        Raises Misconfigured where the tenant has no such entity set, TransientError where even one row is too much.
        """
        while True:
            expand, gone, counts = self.expands, self._gone(), self._connection.counts_pages
            top = min(self._allowed(expand), span.top or self._top)
            try:
                return self._page(span, condition, expand, top)
            except PageTooLarge as error:
                if top == 1 and expand:
                    return self._page(span, condition, False, 1)
                self._shrink(top, error)
            except RecordRejected as error:
                if counts and not expand and is_not_built(error):
                    self._connection.counts_pages = False
                else:
                    self._adapt(error, expand, gone)

    def _page(self, span: Span, condition: str | None, expand: bool, top: int) -> Page:
        wire = PageDecoder.of(self.entity, expand=expand, gone=self._gone())
        path, params = self._request(span, condition, wire, top)
        with self._lock:
            self.requests += 1
        page = replace(self._get(path, params, wire.decode), asked=top)
        if expand and page.rows:
            self._remember(page.elements / page.rows)
        return replace(page, is_whole=expand or not self._lines)

    def _request(
        self, span: Span, condition: str | None, wire: PageDecoder, top: int
    ) -> tuple[str, dict[str, str | None]]:
        if span.link is not None:
            return self._rebased(span.link), {}
        place = self.order.filter(span.after, span.low, span.high, span.upto)
        return collection(self.entity), {
            "$filter": all_of(condition, place),
            "$orderby": self.order.orderby,
            "$skip": str(span.skip) if span.skip else None,
            "$top": str(top),
            "$count": "true" if self._connection.counts_pages else None,
            "$select": ",".join(self.order.names) if self._only_keys else wire.select,
            "$expand": wire.expand,
        }

    def _rebased(self, link: str) -> str:
        """A link of the tenant, on the address that we know: it may show a port that only it can reach.

        A link to another host stays as it is, and ApiClient refuses it.
        """
        base = urlsplit(self._connection.api.base_url)
        root = service(self.entity)
        below = root if self.entity.surface else f"{self._connection.api.base_url}{root}"
        found = urlsplit(urljoin(f"{below}/", link))
        if found.hostname != base.hostname:
            return found.geturl()
        return found._replace(scheme=base.scheme, netloc=base.netloc).geturl()

    # --- what is learned on the way -----------------------------------------------------------------------------------

    def _gone(self) -> frozenset[str]:
        return self._connection.gone.get(collection(self.entity), frozenset())

    def _allowed(self, expand: bool) -> int:
        if not expand:
            return self._top
        share = SAFE if self._density > 1 else 1
        return max(1, min(self._top, int(self._connection.page_size * share / self._density)))

    def _remember(self, density: float) -> None:
        """What the first page shows counts as it is; later ones take off little, since some parts have few lines."""
        known = self._connection.densities.get(collection(self.entity))
        self._density = density if known is None else max(density, SAFE * self._density)
        self._connection.densities[collection(self.entity)] = self._density

    def _shrink(self, top: int, error: PageTooLarge) -> None:
        if top == 1:
            raise TransientError(error.message) from error
        with self._lock:
            self._top = min(self._top, top // 2)

    def _adapt(self, error: RecordRejected, expanded: bool, left_out: frozenset[str]) -> None:
        """Make the next attempt another one, or raise."""
        if expanded and self.entity.expand == "auto" and is_not_built(error):
            self._connection.expands = False
        elif error.status == 404:
            raise no_such_set(self.entity, error) from error
        elif error.status != 400 or not self._lacks_more_than(left_out):
            raise error

    def _lacks_more_than(self, left_out: frozenset[str]) -> bool:
        """Whether $metadata shows fields to be gone that were asked for."""
        report = self._connection.report(self.entity)
        gone = frozenset(report.gone) if report else frozenset()
        if gone <= left_out or gone & set(self.entity.keys):
            return False
        self._connection.gone[collection(self.entity)] = gone
        return True
