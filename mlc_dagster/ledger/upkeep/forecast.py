"""How long a migration takes and how much room it needs, said before it begins: by the rows that it rewrites.

It is one transaction: cut off, the ledger is as it was, and it is run again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, text

from mlc_dagster.ledger import marks
from mlc_dagster.ledger.database import Database, parse
from mlc_dagster.ledger.opening import HEAD, existing_database, revision


class Cost(NamedTuple):
    """What a revision does to each row that it rewrites, on two busy cores; half of that when idle."""

    rows: str  # SELECT of how many there are
    seconds: float
    bytes: int


REWRITTEN: Mapping[str, Cost] = {
    "0004": Cost("SELECT count(*) FROM attempts", 50e-6, 400),  # 100,000 lines: 4.7 s, a log of 35 MB
    "0007": Cost("SELECT count(*) FROM holds WHERE closed_at IS NULL", 100e-6, 2_000),  # reckoned, not measured
}
"""Every other revision adds tables and columns, and touches no row."""


class Forecast(NamedTuple):
    """What a migration will cost."""

    revision: str  # that the ledger is at
    rows: int  # that are rewritten
    seconds: float
    bytes: int

    def __str__(self) -> str:
        begins = f"the ledger is at revision {self.revision}, this release's is {HEAD}"
        if not self.rows:
            return f"{begins}: no row is rewritten, it takes a moment"
        size = f"{max(self.bytes / 1_000_000, 1):,.0f} MB"
        return (
            f"{begins}: {self.rows:,} rows are rewritten, which takes about {max(self.seconds, 1):,.0f} s and {size} of"
            " room beside it. Where it is cut off the ledger is as it was: run it again"
        )


def forecast(url: str) -> Forecast | None:
    """None where it is up to date, or a release that this one does not know wrote it: who opens it says so.

    Raises Misconfigured where there is no ledger. Writes nothing.
    """
    with closing(Database(parse(url), reads_only=True, tenant=None)) as database:
        if database.is_sqlite:
            _must_exist(url)
        with database.reading() as connection:
            found = revision(connection)
            if found in (None, HEAD, marks.MOVING, marks.MOVED) or not str(found).isdigit() or str(found) > HEAD:
                return None
            return _summed(connection, str(found))


def _must_exist(url: str) -> None:
    """As whoever opens it to read would say it; another revision is no matter here."""
    if not Path(str(parse(url).database)).is_file():
        existing_database(url, reads_only=True)


def _summed(connection: Connection, found: str) -> Forecast:
    costs = [
        (int(connection.execute(text(cost.rows)).scalar_one()), cost)
        for later, cost in REWRITTEN.items()
        if later > found
    ]
    seconds, room = sum(rows * cost.seconds for rows, cost in costs), sum(rows * cost.bytes for rows, cost in costs)
    return Forecast(found, sum(rows for rows, _ in costs), seconds, room)
