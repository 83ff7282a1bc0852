"""All that ever happened to a record, over every flow, and all that a run touched: what a person asks afterwards."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Select, and_, func, or_, select

from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, chunks
from mlc_dagster.ledger.entries import AsOf, Attempt, Decision, Event, HoldEntry
from mlc_dagster.ledger.records import deliveries, trail
from mlc_dagster.ledger.records import holds as held
from mlc_dagster.ledger.records.agreements import CHAIN as AGREEMENTS
from mlc_dagster.ledger.records.closes import CHAIN as CLOSES
from mlc_dagster.ledger.records.decisions import entry as decision
from mlc_dagster.ledger.records.pulls import CHAIN as PULLS
from mlc_dagster.ledger.records.verifying import Verification
from mlc_dagster.ledger.tables import agreed, attempts, decisions, holds, pulls
from mlc_dagster.ledger.tables import deliveries as delivered_rows
from mlc_dagster.ledger.tenants import of_tenant, raw

_IS_OPEN = holds.c.closed_at.is_(None)
_MINE = of_tenant(holds.c.flow)
AFTER_SLASH = chr(ord("/") + 1)


class Stock(NamedTuple):
    """What a flow has on hold."""

    holds: int
    oldest: datetime


class Counted(NamedTuple):
    """Open holds."""

    holds: int
    by_rule: dict[tuple[str, str], int]
    """(flow, rule) -> holds; one with two rules counts for both, also where one rule was asked for."""


class LedgerHistory:
    """Reads only. What is asked by key goes by the index of each flow; what is asked by run walks the tables."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def trail(self, key: str) -> dict[str, list[Attempt]]:
        """Flow -> all that happened to the key in it, oldest first."""
        with self._database.reading() as connection:
            found = {flow: trail.read(connection, flow, key) for flow in _flows(connection)}
        return {flow: lines for flow, lines in found.items() if lines}

    def holds(self, key: str) -> list[HoldEntry]:
        """The holds of a key in every flow, the closed ones too, oldest first."""
        wanted = select(holds).where(_MINE, holds.c.key == key).order_by(holds.c.id)
        with self._database.reading() as connection:
            return [held.entry(row) for row in connection.execute(wanted)]

    def decisions(self, key: str) -> list[Decision]:
        """The decisions that stand for a key, one for each flow at most."""
        with self._database.reading() as connection:
            wanted = select(decisions).where(decisions.c.flow.in_(_flows(connection)), decisions.c.key == key)
            return [decision(row) for row in connection.execute(wanted.order_by(decisions.c.flow))]

    def open_holds(
        self,
        *,
        flow: str | None = None,
        system: str | None = None,
        rule: str | None = None,
        key: str | None = None,
        limit: int | None = None,
        newer: int = 0,
    ) -> list[HoldEntry]:
        """The newest open holds behind the `newer` newest, oldest first; `system`: where the flow goes, or comes from.

        Which they are is found by the index; only of those that are handed out the contents are read.
        """
        with self._database.reading() as connection:
            ids = _narrowed(connection, select(holds.c.id).where(_IS_OPEN), flow, system, rule)
            if key is not None:
                ids = ids.where(holds.c.key == key)
            ids = ids.order_by(holds.c.id.desc()).limit(limit).offset(newer)
            wanted = select(holds).where(holds.c.id.in_(ids.subquery().select())).order_by(holds.c.id)
            return [held.entry(row) for row in connection.execute(wanted)]

    def each_open(self, flow: str, rule: str, at_once: int = 500) -> Iterator[HoldEntry]:
        """All open holds of a flow by a rule, the oldest first; few of them are in memory at once."""
        last = 0
        while True:
            with self._database.reading() as connection:
                ids = _narrowed(connection, select(holds.c.id).where(_IS_OPEN, holds.c.id > last), flow, None, rule)
                ids = ids.order_by(holds.c.id).limit(at_once)
                wanted = select(holds).where(holds.c.id.in_(ids.subquery().select())).order_by(holds.c.id)
                found = [held.entry(row) for row in connection.execute(wanted)]
            if not found:
                return
            yield from found
            last = found[-1].id

    def count_open(self, *, flow: str | None = None, system: str | None = None, rule: str | None = None) -> Counted:
        """How many are on hold, and by which rules, from one grouped query."""
        with self._database.reading() as connection:
            counted = select(holds.c.flow, holds.c.rules, func.count()).where(_IS_OPEN)
            wanted = _narrowed(connection, counted, flow, system, rule)
            found = list(connection.execute(wanted.group_by(holds.c.flow, holds.c.rules)))
        by_rule: Counter[tuple[str, str]] = Counter()
        for name, rules, number in found:
            by_rule.update({(name, each): number for each in rules.strip(",").split(",")})
        return Counted(sum(number for _, _, number in found), dict(by_rule))

    def held_partitions(self, *, flow: str | None = None, rule: str | None = None) -> dict[tuple[str, str], int]:
        """(flow, partition) -> open holds."""
        counted = select(holds.c.flow, holds.c.partition, func.count()).where(_IS_OPEN)
        with self._database.reading() as connection:
            wanted = _narrowed(connection, counted, flow, None, rule).group_by(holds.c.flow, holds.c.partition)
            return {(name, partition): number for name, partition, number in connection.execute(wanted)}

    def stock(self) -> dict[str, Stock]:
        """Flow -> what it has on hold."""
        counted = select(holds.c.flow, func.count(), func.min(holds.c.id)).where(_IS_OPEN, _MINE)
        wanted = counted.group_by(holds.c.flow)
        with self._database.reading() as connection:
            found = {flow: (number, first) for flow, number, first in connection.execute(wanted)}
            ids = [first for _, first in found.values()]
            opened = select(holds.c.id, holds.c.opened_at).where(holds.c.id.in_(ids))
            oldest = {row.id: row.opened_at for row in connection.execute(opened)} if ids else {}
        return {flow: Stock(number, oldest[first]) for flow, (number, first) in found.items()}

    def released(self, flow: str, since: datetime) -> list[tuple[Decision, str]]:
        """What was released since then, and was not moved by any run yet; with its partition."""
        wanted = select(decisions).where(decisions.c.flow == flow, decisions.c.verdict == "released")
        with self._database.reading() as connection:
            found = [decision(row) for row in connection.execute(wanted.where(decisions.c.at >= since))]
            latest = [(each, trail.read(connection, flow, each.key)[-1]) for each in found]
            delivered = deliveries.delivered(connection, flow, [each.key for each in found])
        return [
            (each, line.partition)
            for each, line in latest
            if (line.event, line.detail) == (Event.CLOSED, "released")
            and not (line.version and line.version <= (delivered.get(each.key, AsOf(None)).version or ""))
        ]

    def next_holds(self, flow: str, after: int, limit: int | None = None) -> list[HoldEntry]:
        """The open holds of a flow behind the one with this id, oldest first: for those who go round in turns."""
        wanted = select(holds).where(_IS_OPEN, holds.c.flow == flow, holds.c.id > after).order_by(holds.c.id)
        with self._database.reading() as connection:
            return [held.entry(row) for row in connection.execute(wanted.limit(limit))]

    def open_keys(self, flow: str | None = None) -> list[str]:
        """The keys on hold, each once, sorted: to name the nearest where a key was misspelt."""
        with self._database.reading() as connection:
            wanted = _narrowed(connection, select(holds.c.key).where(_IS_OPEN), flow, None, None)
            return sorted(connection.execute(wanted.distinct()).scalars())

    def flows(self) -> frozenset[str]:
        """The flows that ever did anything, also those that no release knows any more."""
        with self._database.reading() as connection:
            return frozenset(_flows(connection))

    def rules(self, flow: str | None = None) -> frozenset[str]:
        """The rules that anything was ever held by; in one flow, or in all."""
        wanted = select(holds.c.rules).distinct()
        wanted = wanted.where(_MINE if flow is None else holds.c.flow == flow)
        with self._database.reading() as connection:
            found = connection.execute(wanted).scalars()
            return frozenset(rule for rules in found for rule in rules.strip(",").split(",") if rule)

    def keys_like(self, key: str, flow: str | None = None, most: int = 200) -> list[str]:
        """Keys of the trail that begin as this one does, each once: to name the nearest. By index, not by walking."""
        begins = {key[: max(1, length)] for length in (len(key) // 2, len(key) - 2, len(key) - 1, len(key))}
        found: set[str] = set()
        with self._database.reading() as connection:
            for name in _flows(connection) if flow is None else [flow]:
                for begin in begins:
                    alike = attempts.c.key.between(begin, begin + chr(0x10FFFF))
                    wanted = select(attempts.c.key).where(attempts.c.flow == name, alike).distinct().limit(most)
                    found.update(connection.execute(wanted).scalars())
        return sorted(found)

    def runs_like(self, run_id: str, most: int = 5) -> list[str]:
        """Runs whose id begins like this: a table shows the first eight characters of it."""
        if not run_id:
            return []
        begins = attempts.c.run_id.startswith(run_id, autoescape=True)
        wanted = select(attempts.c.run_id).where(of_tenant(attempts.c.flow, walked=True), begins).distinct()
        with self._database.reading() as connection:
            return sorted(connection.execute(wanted.limit(most)).scalars())

    def of_run(self, run_id: str) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
        """What a run touched: (flow, partition) of what it held, tried or delivered, (entity, partition) of reads."""
        with self._database.reading() as connection:
            moved = {
                (row.flow, row.partition)
                for table in (attempts, holds, delivered_rows)
                for row in connection.execute(
                    select(table.c.flow, table.c.partition)
                    .where(of_tenant(table.c.flow, walked=True), table.c.run_id == run_id)
                    .distinct()
                )
            }
            mine = (of_tenant(pulls.c.entity, walked=True), pulls.c.run_id == run_id)
            read = select(pulls.c.entity, pulls.c.partition).where(*mine).distinct()
            return moved, {(row.entity, row.partition) for row in connection.execute(read)}

    def partition_of(self, flow: str, key: str) -> str | None:
        """Where the newest state of a key lies: where it is held, else delivered from, else was last seen."""
        mine = (holds.c.flow == flow, holds.c.key == key, _IS_OPEN)
        there = (delivered_rows.c.flow == flow, delivered_rows.c.key == key)
        with self._database.reading() as connection:
            seen = [line.partition for line in trail.read(connection, flow, key) if line.partition]
            found: str | None = (
                connection.execute(select(holds.c.partition).where(*mine)).scalar()
                or connection.execute(select(delivered_rows.c.partition).where(*there)).scalar()
                or (seen[-1] if seen else None)
            )
        return found

    def delivered_from(self, flow: str, keys: Sequence[str]) -> dict[str, tuple[str, str]]:
        """Key -> (partition, fingerprint) of its latest delivery, for the keys that were delivered."""
        stored = {stored_key(key): key for key in keys}
        wanted = select(delivered_rows).where(delivered_rows.c.flow == flow, delivered_rows.c.fingerprint.is_not(None))
        found: dict[str, tuple[str, str]] = {}
        with self._database.reading() as connection:
            for chunk in chunks(list(stored)):
                for row in connection.execute(wanted.where(delivered_rows.c.key.in_(chunk))):
                    found[stored[row.key]] = (row.partition or "", row.fingerprint)
        return found

    def agreed(self, key: str) -> dict[str, tuple[dict[str, str], datetime, str]]:
        """Pair -> (the values that both sides last agreed on under the ERP's key, since when, by which run)."""
        with self._database.reading() as connection:
            met = select(agreed).where(of_tenant(agreed.c.pair), agreed.c.key == key)
            rows = connection.execute(met.order_by(agreed.c.pair))
            return {row.pair: (json.loads(row.content), row.agreed_at, row.run_id) for row in rows}

    def verify(self, flow: str | None = None) -> Verification:
        """Iterate over it for the lines of the trail that are not as they were written; over every flow, or one."""
        return Verification(self._database, flow)


def _narrowed(
    connection: Connection, wanted: Select[Any], flow: str | None, system: str | None, rule: str | None
) -> Select[Any]:
    wanted = wanted.where(_MINE if flow is None else holds.c.flow == flow)
    if system is not None:
        name = raw(holds.c.flow)
        sides = (
            and_(holds.c.flow >= f"{system}/", holds.c.flow < f"{system}{AFTER_SLASH}"),
            name.endswith(f"_from_{system}", autoescape=True),
            name.contains(f"_from_{system}_", autoescape=True),
        )
        wanted = wanted.where(or_(*sides))
    return wanted if rule is None else wanted.where(holds.c.rules.in_(_sets_with(connection, rule)))


def _sets_with(connection: Connection, rule: str) -> list[str]:
    """The sets of rules in which this one stands, as they are stored: an index finds these, and not a part of them."""
    grouped = select(holds.c.rules).where(_IS_OPEN, _MINE).group_by(holds.c.flow, holds.c.rules)
    found = connection.execute(grouped).scalars()
    return sorted({rules for rules in found if f",{rule}," in rules})


def _flows(connection: Connection) -> list[str]:
    """The flows that ever did anything. From one to the next by the index: the trail may have millions of lines."""
    return [name for name in _steps(connection, attempts.c.flow) if name not in (AGREEMENTS, CLOSES, PULLS)]


def _steps(connection: Connection, column: Column[str]) -> Iterator[str]:
    first = select(func.min(column)).where(of_tenant(column))
    found = connection.execute(first).scalar()
    while found is not None:
        yield found
        found = connection.execute(first.where(column > found)).scalar()
