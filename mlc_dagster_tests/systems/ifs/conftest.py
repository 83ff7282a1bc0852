"""A sandboxed tenant, a client signed in to it, and a reader that keeps rows as the storage does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from mlc_dagster.core.arrow_columns import rows_of, without
from mlc_dagster.core.vocabulary import EntitySet, Pull, Row, Scope, Sightings, Window
from mlc_dagster.sandbox import Limits, Sandbox, Tenant
from mlc_dagster.sandbox.ifs.api import SURFACE
from mlc_dagster.sandbox.ifs.tokens import PATH as TOKEN
from mlc_dagster.systems.ifs.client import IfsClient, classify
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.sign_in import ClientCredentials

DAY = date(2026, 11, 5)
TEN = datetime(2026, 11, 5, 10, tzinfo=UTC)
A_DAY = Scope("2026-11-05", Window.day(DAY))


@dataclass
class Memory:
    """Sightings that last as long as the test."""

    kept: dict[str, dict[str, tuple[str, date]]] = field(default_factory=dict)

    def place(self, entity: str, seen: Sequence[tuple[str, str]], today: date) -> None:
        known = self.kept.setdefault(entity, {})
        known.update({key: (etag, today) for key, etag in seen if known.get(key, ("",))[0] != etag})

    def placed_on(self, entity: str, day: date) -> list[str]:
        return [key for key, (_, placed) in self.kept.get(entity, {}).items() if placed == day]


class Reader:
    """Reads a scope into a list of rows; what a pull calls stale is dropped, as the storage does."""

    def __init__(self, client: IfsClient) -> None:
        self.client = client

    def __call__(
        self, entity: EntitySet, scope: Scope = A_DAY, sightings: Sightings | None = None
    ) -> tuple[list[Row], Pull]:
        pull = Pull("/".join(entity.key), scope.partition)
        batches: list[pa.RecordBatch] = list(self.client.read(entity, scope, pull, sightings))
        rows = [row for batch in without(batches, pull.stale) for row in rows_of(batch)]
        assert pull.rows == len(rows)
        return rows, pull


def client_of(box: Sandbox, **options: Any) -> IfsClient:
    auth = ClientCredentials(box.url + TOKEN, "sandbox", "sandbox-secret")
    return IfsClient(ApiClient("ifs", box.url + SURFACE, auth=auth, classify=classify), **options)


@pytest.fixture
def start() -> Iterator[Callable[..., Sandbox]]:
    """Start a sandbox with a tenant of its own."""
    boxes: list[Sandbox] = []

    def started(**tenant: Any) -> Sandbox:
        boxes.append(Sandbox(tenant=Tenant(**tenant), limits=Limits(ifs_requests_per_minute=100_000)))
        return boxes[-1].__enter__()

    yield started
    for box in boxes:
        box.__exit__(None, None, None)


@pytest.fixture
def box(start: Callable[..., Sandbox]) -> Sandbox:
    return start()
