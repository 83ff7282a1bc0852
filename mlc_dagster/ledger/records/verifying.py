"""Walks the chains of the trail and names each line that was changed, removed, slipped in or moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, Connection, Row, String, func, select, type_coerce

from mlc_dagster.ledger.database import Database
from mlc_dagster.ledger.records.chain import COMMON, OWN, Head, canonical, link
from mlc_dagster.ledger.tables import attempts, chains
from mlc_dagster.ledger.tenants import of_tenant, plain_name, raw

AT_ONCE = 5000  # lines in memory


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that is not as it was written.

    "edited": the hash does not fit the line, or the one before it was replaced. "missing": lines `seq` to `until` are
    gone. "out of order": it has no place of its own in the chain, or stands before one that came earlier.
    "head differs": the flow's last line is not the one that the ledger knows as its last.
    """

    flow: str
    seq: int | None  # the line's place in its flow's trail, from 1; None: it has none
    id: int | None  # None: there is no such line
    what: Literal["edited", "missing", "out of order", "head differs"]
    key: str = ""
    at: str = ""  # UTC, as it stands in the line
    until: int | None = None


class Verification:
    """Iterate over it once: the faults, flow by flow, while the lines stream by, all of one moment.

    `lines` and `heads` are complete at the end. An attacker who rewrites every line, hash and head leaves no fault;
    only heads that were kept elsewhere tell that.
    """

    def __init__(self, database: Database, flow: str | None = None) -> None:
        """Of the whole database, the flows of all tenants, named as they are stored."""
        self._database, self._flow = database, flow
        self.lines = 0
        self.heads: dict[str, Head] = {}

    def __iter__(self) -> Iterator[Fault]:
        with self._database.reading() as connection:
            if not self._database.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            self.heads = self._heads(connection)
            unseen = dict(self.heads)
            for stored, lines in groupby(self._rows(connection), lambda line: str(line.flow)):
                flow = plain_name(stored, connection.dialect)
                yield from _Walk(flow).over(self._counted(lines), unseen.pop(flow, None))
            for flow, head in unseen.items():
                yield from _Walk(flow).over([], head)

    def _heads(self, connection: Connection) -> dict[str, Head]:
        name = raw(chains.c.flow).label("flow")
        found = connection.execute(select(name, chains.c.seq, chains.c.hash).where(self._asked(chains.c.flow)))
        rows = sorted(found, key=lambda row: row.flow)
        return {
            plain_name(row.flow, connection.dialect): Head(row.seq, row.hash) for row in rows if row.seq or row.hash
        }

    def _asked(self, column: Column[str]) -> ColumnElement[bool]:
        return of_tenant(column, walked=True) if self._flow is None else column == self._flow

    def _rows(self, connection: Connection) -> Iterable[Row[Any]]:
        """The database sorts, on its disk: no index is kept for it, which each delivery would pay for."""
        texts = (type_coerce(attempts.c[name], String).label(name) for name in (*COMMON, *OWN) if name != "at")
        columns = (attempts.c.seq, attempts.c.id, attempts.c.hash, _at(connection), *texts)
        wanted = select(*columns).where(self._asked(attempts.c.flow))
        wanted = wanted.order_by(attempts.c.flow, attempts.c.seq, attempts.c.id)
        return connection.execute(wanted.execution_options(stream_results=True, yield_per=AT_ONCE))

    def _counted(self, lines: Iterable[Row[Any]]) -> Iterator[Row[Any]]:
        for line in lines:
            self.lines += 1
            yield line


@dataclass
class _Walk:
    """From the first line of a flow to its head."""

    flow: str
    last: Head = field(default_factory=lambda: Head(0, ""))
    id: int = 0
    before: str = ""  # the hash that the last line should follow
    doubted: bool = False  # whether the last line was named as edited

    def over(self, lines: Iterable[Row[Any]], head: Head | None) -> Iterator[Fault]:
        for line in lines:
            yield from self._step(line)
        if head is not None and head.seq > self.last.seq:
            yield Fault(self.flow, self.last.seq + 1, None, "missing", until=head.seq)
        elif head != self.last:
            yield Fault(self.flow, self.last.seq, self.id, "head differs")

    def _step(self, line: Row[Any]) -> Iterator[Fault]:
        expected = self.last.seq + 1
        if self.doubted and line.seq == self.last.seq and _link(self.before, line) == line.hash:
            self.last, self.id, self.doubted = Head(line.seq, line.hash), line.id, False  # the other one was slipped in
            return
        if not isinstance(line.seq, int) or line.seq < expected:
            yield _fault(self.flow, line, "out of order")
            return
        self.doubted = line.seq == expected and _link(self.last.hash, line) != line.hash
        if line.seq > expected:
            yield Fault(self.flow, expected, None, "missing", until=line.seq - 1)
        elif self.doubted:
            yield _fault(self.flow, line, "edited")
        elif line.id < self.id:
            yield _fault(self.flow, line, "out of order")
        self.before, self.last, self.id = self.last.hash, Head(line.seq, line.hash), line.id


def _link(previous: str, line: Row[Any]) -> str:
    """Its hash as it should be. What is no text there was not put there by a ledger."""
    found = line._mapping
    common, own = ([_text(found[name]) for name in names] for names in (COMMON, OWN))
    return link(previous, line.seq, canonical(common), canonical(own))


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else repr(value)


def _at(connection: Connection) -> ColumnElement[Any]:
    """The time as text, as `version_of` writes it: whatever somebody put there instead does not end the walk."""
    if connection.dialect.name == "sqlite":
        return type_coerce(attempts.c.at, String).label("at")
    return func.to_char(func.timezone("UTC", attempts.c.at), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"').label("at")


def _fault(flow: str, line: Row[Any], what: Literal["edited", "out of order"]) -> Fault:
    return Fault(flow, line.seq, line.id, what, line.key, line.at, line.seq)
