"""What a flow delivered, as those ask who look whether it still stands in its source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select

from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, chunks
from mlc_dagster.ledger.entries import Event, Run
from mlc_dagster.ledger.records.trail import Trail, line, read
from mlc_dagster.ledger.tables import deliveries

_ASKED = tuple(deliveries.c[name] for name in ("key", "remote_id", "fingerprint", "source_fingerprint", "link"))
_SENT_AT = func.coalesce(deliveries.c.delivered_at, deliveries.c.open_since)
AT_ONCE = 5000  # keys in memory
_WRITTEN = frozenset({Event.CREATED, Event.ADOPTED, Event.UPDATED})


class Posted(NamedTuple):
    """A record that the target has, or may have."""

    remote_id: str | None  # None: an attempt has no answer, and gave no id
    fingerprint: str | None  # of what was sent; None: it was never delivered
    source: str | None  # of the source record that it was made from; None: not known
    link: str = ""

    @property
    def is_in_doubt(self) -> bool:
        return self.fingerprint is None


class LedgerPosted:
    """Of the deliveries; reads but for `reversed`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, flow: str, keys: Iterable[str]) -> dict[str, Posted]:
        """Key -> what is known of it, of those that were delivered or are in doubt."""
        stored = {stored_key(key): key for key in keys}
        found: dict[str, Posted] = {}
        if not stored:
            return found
        with self._database.reading() as connection:
            for chunk in chunks(list(stored)):
                mine = select(*_ASKED).where(deliveries.c.flow == flow, deliveries.c.key.in_(chunk), _is_there())
                for row in connection.execute(mine):
                    known = (row.remote_id, row.fingerprint, row.source_fingerprint)
                    found[stored[row.key]] = Posted(*known, row.link or "")
        return found

    def since(self, flow: str, moment: datetime, most: int | None = None) -> list[str]:
        """Keys that were delivered since then, or sent and not answered, the latest first; at most so many."""
        wanted = select(deliveries.c.key).where(deliveries.c.flow == flow, moment <= _SENT_AT, _is_there())
        wanted = wanted.order_by(_SENT_AT.desc(), deliveries.c.key).limit(most)
        with self._database.reading() as connection:
            return list(connection.execute(wanted).scalars())

    def before(self, flow: str, moment: datetime) -> Iterator[str]:
        """Keys that were delivered before then, or sent and not answered, as they come."""
        mine = (deliveries.c.flow == flow, moment > _SENT_AT, _is_there())
        wanted = select(deliveries.c.key).where(*mine).execution_options(stream_results=True, yield_per=AT_ONCE)
        with self._database.reading() as connection:
            yield from connection.execute(wanted).scalars()

    def were_created(self, flow: str, keys: Iterable[str]) -> frozenset[str]:
        """Those of which the trail says that we made them: not found there, and not changed by us later."""
        with self._database.reading() as connection:
            events = {key: [each.event for each in read(connection, flow, key)] for key in keys}
        written = {key: [event for event in said if event in _WRITTEN] for key, said in events.items()}
        return frozenset(key for key, said in written.items() if said == [Event.CREATED])

    def reversed(self, flow: str, numbers: Mapping[str, str], *, run: Run) -> None:
        """A line in the trail of each key: what reversed its document."""
        with self._database.writing() as connection:
            trail = Trail(connection, flow, run)
            trail.add(line(Event.REVERSED, key, detail=said) for key, said in sorted(numbers.items()))


def _is_there() -> ColumnElement[bool]:
    return deliveries.c.fingerprint.is_not(None) | deliveries.c.open_since.is_not(None)
