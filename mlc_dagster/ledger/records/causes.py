"""Holds by their cause: the rules, the company, and what is missing. Healing judges a cause, not each hold in turn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, delete, func, or_, select, tuple_, update

from mlc_dagster.ledger.database import Database, chunks, clock, upsert
from mlc_dagster.ledger.entries import HoldEntry
from mlc_dagster.ledger.records import holds as held
from mlc_dagster.ledger.records.hold_columns import BETWEEN
from mlc_dagster.ledger.tables import causes, holds
from mlc_dagster.ledger.tenants import of_tenant

_IS_OPEN = holds.c.closed_at.is_(None)
_MINE = of_tenant(holds.c.flow)
_KEY = ("rules", "company", "missing")


class Cause(NamedTuple):
    """Why records are held."""

    rules: str  # ",gl_accounts_exist,"
    company: str
    missing: str

    @property
    def values(self) -> tuple[str, ...]:
        """What is missing, each by itself, and all of it as it stands: a code may hold a comma."""
        return tuple(dict.fromkeys([*self.missing.split(BETWEEN), self.missing]))


class Place(NamedTuple):
    """How far the holds of a cause were judged: all up to this one, in the order in which they were held."""

    at: datetime | None
    id: int


START = Place(None, 0)
LAST = 2**62  # of no hold: all of that moment were judged


@dataclass(frozen=True)
class Group:
    """The open holds of one cause."""

    holds: int
    newest: int  # id
    held_at: datetime  # when one of them was held last


@dataclass(frozen=True)
class Judged:
    """What healing remembers of a cause."""

    mark: str  # differs when what is known of the missing values differs
    began_at: datetime
    place: Place = START


class Waiting(NamedTuple):
    """A hold whose partition is to be asked for, without its contents."""

    id: int
    key: str
    content: str
    partition: str
    updated_at: datetime


class Causes:
    """Counts and names by the index of open holds; contents are read for those alone that are judged."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> datetime:
        """By the clock that all who use the ledger share."""
        with self._database.reading() as connection:
            return clock(connection)

    def open(self, flow: str) -> dict[Cause, Group]:
        """Every cause by which something of the flow is on hold now."""
        key = [holds.c[name] for name in _KEY]
        counted = (func.count(), func.max(holds.c.id), func.max(holds.c.updated_at))
        wanted = select(*key, *counted).where(_IS_OPEN, holds.c.flow == flow).group_by(*key)
        with self._database.reading() as connection:
            return {Cause(*row[:3]): Group(*row[3:]) for row in connection.execute(wanted)}

    def judged(self, flow: str) -> dict[Cause, Judged]:
        """What was judged, of all causes that ever were and are not forgotten."""
        wanted = select(causes).where(causes.c.flow == flow)
        with self._database.reading() as connection:
            return {
                Cause(row.rules, row.company, row.missing): Judged(
                    row.mark, row.began_at, Place(row.place_at, row.place_id)
                )
                for row in connection.execute(wanted)
            }

    def remember(self, flow: str, judged: Mapping[Cause, Judged], forgotten: Iterable[Cause] = ()) -> None:
        """Nothing is written where nothing changed."""
        rows = [
            {"flow": flow, **cause._asdict(), "mark": one.mark, "began_at": one.began_at}
            | {"place_at": one.place.at, "place_id": one.place.id}
            for cause, one in judged.items()
        ]
        over = [tuple(cause) for cause in forgotten]
        if not (rows or over):
            return
        with self._database.writing() as connection:
            if rows:
                new = upsert(connection.dialect.name, causes)
                changed = {name: new.excluded[name] for name in ("mark", "began_at", "place_at", "place_id")}
                connection.execute(
                    new.on_conflict_do_update(index_elements=["flow", *_KEY], set_=changed), sorted(rows, key=_key_of)
                )
            for chunk in chunks(over):
                gone = tuple_(*(causes.c[name] for name in _KEY)).in_(chunk)
                connection.execute(delete(causes).where(causes.c.flow == flow, gone))

    # --- whose contents are judged ---

    def holds_of(self, flow: str, cause: Cause, after: Place, limit: int) -> list[HoldEntry]:
        """The open holds of a cause behind a place, in the order in which they were held."""
        wanted = select(holds).where(_IS_OPEN, holds.c.flow == flow, *_is_of(cause))
        if after.at is not None:
            later = and_(holds.c.updated_at == after.at, holds.c.id > after.id)
            wanted = wanted.where(holds.c.updated_at >= after.at, or_(holds.c.updated_at > after.at, later))
        with self._database.reading() as connection:
            found = connection.execute(wanted.order_by(holds.c.updated_at, holds.c.id).limit(limit))
            return [held.entry(row) for row in found]

    def entries(self, ids: Sequence[int]) -> list[HoldEntry]:
        """Those of these holds that are open still."""
        with self._database.reading() as connection:
            return [
                held.entry(row)
                for chunk in chunks(ids)
                for row in connection.execute(select(holds).where(_IS_OPEN, holds.c.id.in_(chunk), _MINE))
            ]

    # --- what is to be asked for ---

    def note(self, passing: Sequence[int], failing: Sequence[int]) -> None:
        """Which of the holds that were judged would pass now."""
        if not (passing or failing):
            return
        with self._database.writing() as connection:
            for ids, at in ((passing, clock(connection)), (failing, None)):
                for chunk in chunks(ids):
                    mine = (holds.c.id.in_(chunk), _IS_OPEN, _MINE)
                    connection.execute(update(holds).where(*mine).values(passes_at=at))

    def passing(self, flow: str) -> list[Waiting]:
        """Those that would pass when they were last judged."""
        return self._waiting(holds.c.flow == flow, holds.c.passes_at.is_not(None))

    def passed_before(self, flow: str, moment: datetime, limit: int) -> list[int]:
        """Of these the ids of those that were judged before then, the longest ago first."""
        wanted = select(holds.c.id).where(_IS_OPEN, holds.c.flow == flow, holds.c.passes_at < moment)
        with self._database.reading() as connection:
            return list(connection.execute(wanted.order_by(holds.c.passes_at).limit(limit)).scalars())

    def by_rule_alone(self, flow: str, rule: str) -> list[Waiting]:
        """Those that are held by this rule and by no other."""
        return self._waiting(holds.c.flow == flow, holds.c.rules == f",{rule},")

    def _waiting(self, *conditions: Any) -> list[Waiting]:
        columns = (holds.c.id, holds.c.key, holds.c.content, holds.c.partition, holds.c.updated_at)
        wanted = select(*columns).where(_IS_OPEN, *conditions, holds.c.partition != "").order_by(holds.c.id)
        with self._database.reading() as connection:
            return [
                Waiting(row.id, row.key, row.content or "", row.partition, row.updated_at)
                for row in connection.execute(wanted)
            ]


def _is_of(cause: Cause) -> list[Any]:
    return [holds.c[name] == value for name, value in cause._asdict().items()]


def _key_of(row: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in _KEY)
