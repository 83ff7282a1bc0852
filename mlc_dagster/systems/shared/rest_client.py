"""What clients of plain JSON lists have in common: systems that have no chart of accounts, and tell no schema."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa

from mlc_dagster.core.facts import Books
from mlc_dagster.core.flows import Target
from mlc_dagster.core.outcomes import Draft, Outcome, Traffic
from mlc_dagster.core.vocabulary import EntitySet, Pull, Scope, Sightings
from mlc_dagster.systems.shared.lists_by_day import ListByDay, alone
from mlc_dagster.systems.shared.saving import one_by_one
from mlc_dagster.transport.client import ApiClient


class RestClient(ABC):
    """Implements outcomes.Client over `save_one` and `listed`, which are the system's own."""

    def __init__(self, api: ApiClient) -> None:
        self.api = api

    @abstractmethod
    def save_one(self, target: Target, draft: Draft) -> Iterator[Outcome]:
        """Send one draft. Raises RecordRejected and OutcomeUnknown, as ApiClient.request does: they are its outcome."""

    @abstractmethod
    def listed(self, entity: EntitySet, scope: Scope) -> Iterable[Mapping[str, Any]]:
        """The documents of a list, by the names of the entity's record: all of the scope's, and it may be more."""

    @property
    def traffic(self) -> Traffic:
        return Traffic(self.api.requests, self.api.throttled_seconds)

    def books(self) -> Books:
        """There is no chart of accounts to ask: the ERP's alone is asked."""
        return Books(has_chart=False)

    def schema_report(self, entity: EntitySet) -> None:  # noqa: B027 - a system may leave it so
        """It does not tell which fields it has."""

    def save(self, target: Target, drafts: Iterable[Draft]) -> Iterator[Outcome]:
        """One after the other. Raises what stops the run: AccessDenied, Misconfigured, TransientError and the like."""
        return one_by_one(lambda draft: self.save_one(target, draft), drafts)

    def read(
        self, entity: EntitySet, scope: Scope, pull: Pull, sightings: Sightings | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of a day, each placed by its own timestamp, whatever the list's filter does. Raises as `save`."""
        before = self.traffic
        yield from ListByDay(entity, scope, pull, sightings).batches(self.listed(entity, scope), dict)
        pull.requests, pull.throttled_seconds = self.traffic.since(before)
        pull.pages = pull.requests

    def by_keys(
        self, entity: EntitySet, keys: Sequence[str], since: datetime | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of these keys, out of the whole list: a system that can be asked for one does it better."""
        return alone(entity, self.listed(entity, Scope("")), dict, keys)
