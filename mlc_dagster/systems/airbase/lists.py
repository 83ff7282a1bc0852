"""Reads Airbase's lists: all pages of a status, once for all the days of a run, since nothing filters them by time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from mlc_dagster.errors import Misconfigured
from mlc_dagster.systems.airbase.calls import AirbaseApi, Document
from mlc_dagster.systems.airbase.documents import Extract
from mlc_dagster.systems.http import ApiClient
from mlc_dagster.systems.listing import Listing
from mlc_dagster.vocabulary import EntitySet, Pull, Scope, Sightings

FRESH = 60.0  # seconds that a list is taken for the truth: a range of days is one run that reads day by day


@dataclass(frozen=True)
class Kind:
    """A list: where it is, which part of it is asked for, and how a document of it is read."""

    path: str  # empty: this tenant has none
    filter: Mapping[str, str]
    extract: Extract


class Lists:
    """The lists that are read as assets, by the name of their entity set."""

    def __init__(
        self,
        http: ApiClient,
        api: AirbaseApi,
        kinds: Mapping[str, Kind],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http, self._api, self._kinds, self._clock = http, api, kinds, clock
        self._kept: dict[str, tuple[float, Sequence[Document]]] = {}

    def read(
        self, entity: EntitySet, scope: Scope, pull: Pull, sightings: Sightings | None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of one day. Raises MlcError."""
        kind = self._kinds[entity.name]
        pull.filter = "&".join(f"{name}={value}" for name, value in kind.filter.items())
        requests, throttled = self._http.requests, self._http.throttled_seconds
        documents = self._documents(entity.name, kind)
        pull.requests = pull.pages = self._http.requests - requests
        pull.throttled_seconds = self._http.throttled_seconds - throttled
        yield from Listing(entity, scope, pull, sightings).batches(documents, kind.extract)

    def forget(self) -> None:
        """Something was written: what was read before is no longer the truth."""
        self._kept.clear()

    def _documents(self, name: str, kind: Kind) -> Sequence[Document]:
        if not kind.path:
            raise Misconfigured(f"airbase: the path of {name} is empty", cure="Set it under airbase.paths in mlc.yaml.")
        read_at, documents = self._kept.get(name, (0.0, ()))
        if name not in self._kept or self._clock() - read_at > FRESH:
            read_at = self._clock()
            documents = tuple(self._api.pages(kind.path, **kind.filter))
            self._kept[name] = (read_at, documents)
        return documents
