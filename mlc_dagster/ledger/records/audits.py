"""What an auditor asks: who started what, every read, the trail of a period, and the rows that are not as it tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select

from mlc_dagster.core.vocabulary import version_of
from mlc_dagster.ledger.database import Database, chunks
from mlc_dagster.ledger.entries import Attempt
from mlc_dagster.ledger.records import trail
from mlc_dagster.ledger.records.pulls import CHAIN as PULLS
from mlc_dagster.ledger.records.verifying_rows import Differs, differing
from mlc_dagster.ledger.tables import attempts
from mlc_dagster.ledger.tenants import of_tenant


class ExportedLine(NamedTuple):
    """A line of the trail as text, in the order of EXPORTED; empty: there is none."""

    flow: str
    seq: str
    at: str
    event: str
    key: str
    version: str
    fingerprint: str
    remote_id: str
    detail: str
    run_id: str
    partition: str
    hash: str


EXPORTED = ExportedLine._fields


class LedgerAudit:
    """Reads only. What is asked of a period, or of all rows, walks the trail."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def starts(self, flow: str, run_ids: Iterable[str], partitions: Iterable[str]) -> list[Attempt]:
        """Who started these runs, and who else a run of the flow on these partitions; oldest first."""
        with self._database.reading() as connection:
            return trail.starts(connection, flow, run_ids, partitions)

    def pulled_by(self, numbers: Iterable[int]) -> dict[int, str]:
        """Id of a pull -> who started its run, of those that the trail tells of."""
        wanted = select(attempts.c.remote_id, attempts.c.detail).where(attempts.c.flow == PULLS)
        found: dict[int, str] = {}
        with self._database.reading() as connection:
            for chunk in chunks([str(number) for number in numbers]):
                for row in connection.execute(wanted.where(attempts.c.remote_id.in_(chunk))):
                    found[int(row.remote_id)] = row.detail.rpartition("; ")[0].partition(", by ")[2]
        return found

    def exported(self, start: datetime, end: datetime, flow: str | None = None) -> Iterator[ExportedLine]:
        """Every line of the trail from `start` on and before `end`, flow by flow, in the order of its chain."""
        mine = of_tenant(attempts.c.flow, walked=True) if flow is None else attempts.c.flow == flow
        named = [getattr(attempts.c, name) for name in EXPORTED]
        wanted = select(*named).where(mine, attempts.c.at >= start, attempts.c.at < end)
        wanted = wanted.order_by(attempts.c.flow, attempts.c.seq, attempts.c.id)
        with self._database.reading() as connection:
            for row in connection.execute(wanted.execution_options(stream_results=True, yield_per=1000)):
                told = ("" if value is None else value for value in row)
                yield ExportedLine(*(version_of(each) if isinstance(each, datetime) else str(each) for each in told))

    def differing(self, flow: str | None = None) -> list[Differs]:
        """The rows of deliveries, pulls, agreements, decisions and contents that are not as the trail tells."""
        with self._database.reading() as connection:
            return list(differing(connection, flow))
