"""One read of one partition: its window, the rows that no timestamp places, and what moved meanwhile.

Why nothing that moves is lost: a row that is not touched during the walk keeps its place, and the walk passes every place
once. A row that is touched gets a timestamp after the walk's start; so what was modified since then is read again at the
end, until one page holds it all: an answer in one piece, in which nothing moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pyarrow as pa

from mlc_dagster.errors import RecordRejected
from mlc_dagster.systems.ifs.lines import Lines
from mlc_dagster.systems.ifs.odata import Order, all_of, collection, equals, literal
from mlc_dagster.systems.ifs.paging import Span, Walk
from mlc_dagster.systems.ifs.queries import Connection, Query
from mlc_dagster.systems.ifs.sweep import keys_of, worth_a_walk
from mlc_dagster.systems.ifs.tally import Tally
from mlc_dagster.systems.ifs.wire import Page
from mlc_dagster.vocabulary import EntitySet, Pull, Scope, Sightings, Window

MARGIN = timedelta(minutes=2)
"""Before the walk's start: transactions that were stamped then and committed while it ran, and clocks read a second late."""

MOST_TAILS = 5
"""Reads of the end of a running day, should each take so long that a page's worth changes meanwhile."""


class Reading:
    """Streams the rows of a scope and fills in the pull."""

    def __init__(
        self,
        connection: Connection,
        entity: EntitySet,
        scope: Scope,
        pull: Pull,
        sightings: Sightings | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._connection, self._entity, self._scope, self._pull = connection, entity, scope, pull
        self._sightings, self._clock = sightings, clock
        self._tally = Tally(entity)
        self._queries: list[Query] = []
        self._lines: list[Lines] = []
        self._after_count: Callable[[], int | None] | None = None
