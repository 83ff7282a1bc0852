"""Records that wait for a person or for the missing fact: at most one open hold for a key."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, bindparam, func, null, select, update

from mlc_dagster.core.amounts import scaled
from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger.bulk import Bulk
from mlc_dagster.ledger.columns import storable, stored_key
from mlc_dagster.ledger.database import DIALECTS, chunks, upsert
from mlc_dagster.ledger.entries import AsOf, Closing, Event, Held, HoldEntry, as_of, newest_by_key
from mlc_dagster.ledger.records import deliveries
from mlc_dagster.ledger.records.hold_columns import NAMES, narrow
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.tables import holds
from mlc_dagster.ledger.tenants import of_tenant

_IS_OPEN = holds.c.closed_at.is_(None)


class Changes:
    """What holding some records would write: those to write, and those that something newer has overtaken."""

    def __init__(self, connection: Connection, flow: str, held: Sequence[Held]) -> None:
        newest = newest_by_key(held)
        keys = list(newest)
        delivered = deliveries.delivered(connection, flow, keys)
        there = {row.key: row for row in _open_rows(connection, flow, keys)}
        self.superseded: list[Held] = []
        self.written: list[Held] = []
        for each in newest.values():
            row = there.get(stored_key(each.key))
            newer = [delivered.get(each.key), row and AsOf(row.version, row.read_number)]
            if any(as_of(each).is_older(one) for one in newer if one):
                self.superseded.append(each)
            elif row is None or _content(each) != {name: row._mapping[name] for name in _content(each)}:
                self.written.append(each)

    def __bool__(self) -> bool:
        return bool(self.written or self.superseded)

    def write(self, trail: Trail, owner: str = "") -> None:
        if self.written:
            common = {
                "flow": trail.flow,
                "owner": owner or None,
                "run_id": trail.run.run_id,
                "opened_at": trail.at,
                "updated_at": trail.at,
            }
            in_order = sorted(self.written, key=lambda each: each.key)  # two that hold at once cannot block each other
            _HELD.write(trail.connection, common, map(_as_stored, in_order))
        lines = [line(Event.HELD, h.key, version=h.version, detail=_sentence(h.problems)) for h in self.written]
        lines += [line(Event.SUPERSEDED, h.key, version=h.version) for h in self.superseded]
        trail.add(lines)


def _content(held: Held) -> dict[str, str | None]:
    return {
        "version": held.version,
        "rules": "".join(f",{rule}" for rule in dict.fromkeys(p.rule for p in held.problems)) + ",",
        "problems": _json(held.problems),
        "row": _json(held.row),
        "partition": held.partition,
        "content": held.content or None,
    }


def _json(value: object) -> str:
    """Decimals and times as text; what is not ASCII is escaped, so that NUL and the like come back exactly."""
    return json.dumps(msgspec.to_builtins(value))


def _sentence(problems: Sequence[Problem]) -> str:
    return "; ".join(f"{problem.rule}: {problem.reason}" for problem in problems)


_OWN = ("key", "version", "rules", "problems", "row", "partition", "content", "read_number", *NAMES, "scaled")
_REPLACED = (*_OWN[1:], "run_id", "updated_at", "owner")


def _as_stored(held: Held) -> tuple[Any, ...]:
    """In the order of `_OWN`. What lists show follows from the content: two holds never differ by it alone, nor by
    the walk that read them.
    """
    version, rules, problems, row, partition, content = _content(held).values()
    shown = narrow((problem.subject for problem in held.problems), held.row)
    told = (stored_key(held.key), version, rules, problems, row, storable(partition or ""), content, held.read_number)
    return (*told, *(shown[name] for name in NAMES), scaled(shown["amount"]))


def _upsert(dialect: str) -> Any:
    statement = upsert(dialect, holds)
    return statement.inline().on_conflict_do_update(
        index_elements=["flow", "key"],
        index_where=_IS_OPEN,
        set_={**{name: statement.excluded[name] for name in _REPLACED}, "passes_at": null()},
    )


_HELD = Bulk(
    {dialect: _upsert(dialect) for dialect in DIALECTS},
    alike=("flow", "owner", "run_id", "opened_at", "updated_at"),
    own=_OWN,
)


def _open_rows(connection: Connection, flow: str, keys: Sequence[str]) -> list[Row[Any]]:
    found = (connection.execute(lookup(flow, chunk)) for chunk in chunks(keys))
    return [row for rows in found for row in rows]


def lookup(flow: str, keys: Sequence[str]) -> Select[Any]:
    """The open holds of some keys, by the index of open holds."""
    return select(holds).where(holds.c.flow == flow, holds.c.key.in_(keys), _IS_OPEN)


def open_up_to(connection: Connection, flow: str, seen: Mapping[str, AsOf]) -> list[Row[Any]]:
    """The open holds of keys whose held state is not newer than the one given for the key."""
    limits = {stored_key(key): each for key, each in seen.items()}
    rows = _open_rows(connection, flow, list(seen))
    return [row for row in rows if not limits[row.key].is_older(AsOf(row.version, row.read_number))]


def of_keys(connection: Connection, flow: str, keys: Sequence[str]) -> list[Row[Any]]:
    """The open holds of keys, whatever their version."""
    return _open_rows(connection, flow, keys)


def close(trail: Trail, rows: Sequence[Row[Any]], how: Closing, reason: str = "") -> None:
    if not rows:
        return
    closing = update(holds).where(holds.c.id == bindparam("of_id"), _IS_OPEN).values(closed_at=trail.at, closed_how=how)
    trail.connection.execute(closing, [{"of_id": row.id} for row in rows])
    detail = f"{how}: {reason}" if reason else how
    trail.add(line(Event.CLOSED, row.key, version=row.version, detail=detail) for row in rows)


def read(connection: Connection, flow: str | None, rule: str | None, limit: int | None) -> list[HoldEntry]:
    """Open holds, the oldest first."""
    wanted = select(holds).where(_IS_OPEN).order_by(holds.c.id).limit(limit)
    wanted = wanted.where(of_tenant(holds.c.flow) if flow is None else holds.c.flow == flow)
    if rule is not None:
        wanted = wanted.where(holds.c.rules.contains(f",{rule},", autoescape=True))
    return [entry(row) for row in connection.execute(wanted)]


def entry(row: Row[Any]) -> HoldEntry:
    return HoldEntry(
        id=row.id,
        flow=row.flow,
        key=row.key,
        version=row.version,
        problems=tuple(Problem(**problem) for problem in json.loads(row.problems)),
        row=json.loads(row.row),
        partition=row.partition,
        run_id=row.run_id,
        opened_at=row.opened_at,
        updated_at=row.updated_at,
        content=row.content or "",
        closed_at=row.closed_at,
        closed_how=row.closed_how,
        company=row.company,
        missing=row.missing,
        party=row.party or "",
        amount=row.amount or "",
        currency=row.currency or "",
        dated=row.dated,
        owner=row.owner or "",
        passes_at=row.passes_at,
        assigned=row.assigned or "",
    )


def count(connection: Connection) -> Counter[tuple[str, str]]:
    """(flow, rule) -> open holds. A hold with two rules counts for both."""
    counted: Counter[tuple[str, str]] = Counter()
    counting = select(holds.c.flow, holds.c.rules, func.count()).where(_IS_OPEN, of_tenant(holds.c.flow))
    grouped = counting.group_by(holds.c.flow, holds.c.rules)
    for flow, rules, number in connection.execute(grouped):
        for rule in rules.strip(",").split(","):
            counted[flow, rule] += number
    return counted


def partitions(connection: Connection) -> list[tuple[str, str]]:
    """(flow, partition) of all open holds, each once."""
    found = select(holds.c.flow, holds.c.partition).where(_IS_OPEN, of_tenant(holds.c.flow)).distinct()
    return sorted((row.flow, row.partition) for row in connection.execute(found))
