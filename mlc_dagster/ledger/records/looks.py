"""What targets showed of what was delivered: the values that are agreed, and which deliveries are to be looked at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, exists, or_, select, update

from mlc_dagster.core.difference_kinds import TARGET_SIDE
from mlc_dagster.core.outcomes import Saved, Shown
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, chunks, clock, upsert
from mlc_dagster.ledger.entries import NEVER_AGAIN
from mlc_dagster.ledger.records.trail import Trail
from mlc_dagster.ledger.tables import deliveries, differences, shown

By = Literal["look", "answer"]
_ALL = ("content", "by", "seen_at", "accepted", "restored")
Accepted = Mapping[str, tuple[str | Decimal | None, str | Decimal | None]]
"""Field -> (ours, theirs) when a person said that theirs is right."""
STATE = "@state"
"""Of the values that are agreed: what a person accepted of a record that is not there any more."""


@dataclass(frozen=True)
class Look:
    """A delivery as the next look at its target needs it."""

    key: str
    remote_id: str
    partition: str
    delivered_at: datetime
    detail: str = ""
    link: str = ""
    verified_at: datetime | None = None
    shown: Shown | None = None  # None: nothing is known of it since it was delivered
    by: By = "look"
    accepted: Accepted = field(default_factory=dict)
    restored: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # field -> values of theirs

    @property
    def is_whole(self) -> bool:
        """Whether all that is compared is known from an earlier look."""
        return self.shown is not None and self.by == "look"


@dataclass(frozen=True)
class Remembered:
    """What is agreed from a look on."""

    shown: Shown
    accepted: Accepted = field(default_factory=dict)
    restored: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Looks:
    """Beside the deliveries, which say what is where: one line for each key that was looked at."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> datetime:
        """By the clock that all who use the ledger share: to be asked before a look begins, and handed to `saw`."""
        with self._database.reading() as connection:
            return clock(connection)

    def keys(
        self,
        flow: str,
        *,
        partitions: Iterable[str] | None = None,
        touched_since: datetime | None = None,
        looked_before: datetime | None = None,
    ) -> list[str]:
        """What a flow delivered and nothing took the place of, longest unlooked at first.

        Of some partitions alone, where they are named; or what was delivered since then, was never looked at, differs
        or was not looked at since `looked_before`. What is under way is left for the next look.
        """
        wanted = [_delivered(flow)]
        if partitions is not None:
            wanted.append(deliveries.c.partition.in_(sorted(set(partitions))))
        if touched_since is not None:
            wanted.append(_in_the_window(flow, touched_since, looked_before))
        found = select(deliveries.c.key).where(*wanted)
        with self._database.reading() as connection:
            rows = connection.execute(found.order_by(deliveries.c.verified_at.nulls_first(), deliveries.c.key))
            return [row.key for row in rows]

    def days(self, flows: Sequence[str]) -> list[str]:
        """The partitions from which something was delivered by these, sorted."""
        wanted = select(deliveries.c.partition).where(deliveries.c.flow.in_(flows)).distinct()
        with self._database.reading() as connection:
            return sorted(row.partition for row in connection.execute(wanted) if row.partition)

    def of(self, flow: str, keys: Sequence[str]) -> list[Look]:
        """Those of the keys that were delivered, with what is known of their target."""
        wanted, known = select(deliveries).where(_delivered(flow)), select(shown).where(shown.c.flow == flow)
        found: list[Look] = []
        with self._database.reading() as connection:
            for chunk in chunks([stored_key(key) for key in keys]):
                there = {row.key: row for row in connection.execute(known.where(shown.c.key.in_(chunk)))}
                rows = connection.execute(wanted.where(deliveries.c.key.in_(chunk)))
                found += [_look(row, there.get(row.key)) for row in rows]
        return found

    def accepted(self, flow: str, keys: Sequence[str]) -> dict[str, Accepted]:
        """Key -> what a person said is right as the target has it. A flow without any costs one small question."""
        wanted = select(shown.c.key, shown.c.accepted).where(shown.c.flow == flow, shown.c.accepted.is_not(None))
        stored, found = {stored_key(key): key for key in keys}, dict[str, Accepted]()
        with self._database.reading() as connection:
            if not keys or connection.execute(wanted.limit(1)).first() is None:
                return {}
            for chunk in chunks(list(stored)):
                for row in connection.execute(wanted.where(shown.c.key.in_(chunk))):
                    found[stored[row.key]] = _pairs(row.accepted)
        return found

    def saw(self, flow: str, seen: Mapping[str, Remembered], began_at: datetime) -> None:
        """Keep what is agreed from a look on, which began then; what was delivered since is another matter."""
        if not seen:
            return
        rows = [_row(flow, key, one, began_at) for key, one in sorted(seen.items())]
        marked = (
            update(deliveries)
            .where(deliveries.c.flow == bindparam("of_flow"), deliveries.c.key == bindparam("of_key"))
            .values(verified_at=bindparam("at"))
        )
        with self._database.writing() as connection:
            connection.execute(_put(connection.dialect.name, *_ALL), rows)
            looked = [{"of_flow": flow, "of_key": row["key"], "at": began_at} for row in rows]
            connection.execute(marked, looked)


def put(connection: Connection, flow: str, key: str, one: Remembered, at: datetime) -> None:
    """What is agreed of a key from then on."""
    connection.execute(_put(connection.dialect.name, *_ALL), _row(flow, key, one, at))


def answered(trail: Trail, saved: Mapping[str, Saved]) -> None:
    """Key -> what the target answered to a delivery, where it keeps some of it otherwise than it was sent."""
    rows = [
        {"flow": trail.flow, "key": key, "content": _json(one.shown), "by": "answer", "seen_at": trail.at}
        for key, one in sorted(saved.items())
        if one.shown
    ]
    if rows:
        trail.connection.execute(_put(trail.connection.dialect.name, "content", "by", "seen_at"), rows)


def _put(dialect: str, *names: str) -> Any:
    statement = upsert(dialect, shown)
    replaced = {name: statement.excluded[name] for name in names}
    return statement.on_conflict_do_update(index_elements=["flow", "key"], set_=replaced)


def _delivered(flow: str) -> ColumnElement[bool]:
    return and_(
        deliveries.c.flow == flow,
        deliveries.c.remote_id.is_not(None),
        deliveries.c.fingerprint.is_not(None),
        deliveries.c.version.is_distinct_from(NEVER_AGAIN),
        deliveries.c.open_since.is_(None),
    )


def _in_the_window(flow: str, touched_since: datetime, looked_before: datetime | None) -> ColumnElement[bool]:
    differs = exists().where(
        differences.c.flow == flow,
        differences.c.key == deliveries.c.key,
        differences.c.closed_at.is_(None),
        differences.c.kind.in_(TARGET_SIDE),
    )
    never = or_(deliveries.c.verified_at.is_(None), deliveries.c.verified_at < deliveries.c.delivered_at)
    recent = or_(deliveries.c.delivered_at >= touched_since, never, differs)
    return recent if looked_before is None else or_(recent, deliveries.c.verified_at < looked_before)


def _look(row: Row[Any], known: Row[Any] | None) -> Look:
    look = Look(
        row.key,
        row.remote_id,
        row.partition or "",
        row.delivered_at,
        row.detail or "",
        row.link or "",
        row.verified_at,
    )
    if known is None:
        return look
    accepted = _pairs(known.accepted)
    restored = {name: tuple(values) for name, values in parsed(known.restored).items()}
    look = replace(look, accepted=accepted, restored=restored)
    is_of_it = known.seen_at >= row.delivered_at
    return replace(look, shown=parsed(known.content), by=known.by) if is_of_it else look


def _pairs(text: str | None) -> Accepted:
    return {name: (ours, theirs) for name, (ours, theirs) in parsed(text).items()}


def _row(flow: str, key: str, one: Remembered, at: datetime) -> dict[str, Any]:
    return {
        "flow": flow,
        "key": stored_key(key),
        "content": _json(one.shown),
        "by": "look",
        "seen_at": at,
        "accepted": _json(one.accepted) if one.accepted else None,
        "restored": _json(one.restored) if one.restored else None,
    }


def _json(content: Mapping[str, Any]) -> str:
    """Amounts as numbers with every digit, codes as text: each comes back as what it was."""
    return json.dumps({name: _plain(value) for name, value in sorted(content.items())}, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return {"=": str(value)}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def parsed(text: str | None) -> dict[str, Any]:
    """Values as they were kept: amounts with every digit."""
    return {name: _typed(value) for name, value in json.loads(text).items()} if text else {}


def _typed(value: Any) -> Any:
    if isinstance(value, dict):
        return Decimal(value["="])
    return [_typed(each) for each in value] if isinstance(value, list) else value
