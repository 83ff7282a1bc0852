"""What is open, holds and differences as one list: by cause, with what money is in it, and one by one.

Counts and sums come from the same conditions as the list, and are never added over currencies.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Text, and_, case, cast, false, func, or_, select, true

from mlc_dagster.core.amounts import parsed, unscaled
from mlc_dagster.core.vocabulary import EXACT
from mlc_dagster.ledger.database import Database, chunks
from mlc_dagster.ledger.records.open_item_conditions import conditions, of_any_time, sides_of
from mlc_dagster.ledger.records.open_item_entries import (
    CauseStock,
    OpenCause,
    OpenItem,
    Place,
    Totals,
    Wanted,
    connection_of,
)
from mlc_dagster.ledger.records.open_item_sides import LOWEST, SIDES, Side
from mlc_dagster.ledger.tenants import of_tenant

MILLION = 1_000_000  # sums are taken in two halves: 64 bits hold neither a sum of billions nor, on SQLite, more digits


class OpenItems:
    """By the narrow indexes of what is open: no hold is opened for a list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def causes(self, wanted: Wanted = Wanted()) -> list[CauseStock]:  # noqa: B008 - it is frozen
        """Every cause of which something is open, the most items first."""
        found: dict[OpenCause, CauseStock] = {}
        with self._database.reading() as connection:
            for side in sides_of(wanted):
                for row in connection.execute(_counted(connection, side, wanted)):
                    _add(found, side, row, wanted)
                for row in connection.execute(_odd(connection, side, wanted)):
                    _add_amount(found[_cause(side, row, wanted)], row.currency, _times(row))
        return sorted(found.values(), key=lambda one: (-one.items, one.cause))

    def cause(self, mark: str, wanted: Wanted = Wanted()) -> CauseStock | None:  # noqa: B008
        """The one of this mark, with what of it is wanted; None where nothing of it is open."""
        with self._database.reading() as connection:
            named = (one for side in sides_of(wanted) for one in _named_causes(connection, side, wanted))
            cause = next((one for one in named if one.mark == mark), None)
        return None if cause is None else next(iter(self.causes(replace(wanted, cause=cause))), None)

    def totals(self, wanted: Wanted) -> Totals:
        """How many, and their sums, from the same conditions as the list: `causes` without the causes."""
        total = Totals()
        with self._database.reading() as connection:
            for side in sides_of(wanted):
                for row in connection.execute(_totalled(connection, side, wanted)):
                    total.items += row.items
                    total.add(row.currency, None if row.high is None else _joined(row))
                for row in connection.execute(_odd(connection, side, wanted)):
                    total.add(row.currency, _times(row))
        return total

    def moved(self, wanted: Wanted, since: datetime) -> tuple[int, int]:
        """How many of what is wanted came since then, and how many went of what was there."""
        came = went = 0
        with self._database.reading() as connection:
            for side in sides_of(wanted):
                which = list(conditions(connection, side, wanted))
                came += _number(connection, side, [*which, side.since > since])
                over = (side.table.c.closed_at > since, side.since <= since)
                went += _number(connection, side, [*of_any_time(connection, side, wanted), *over])
        return came, went

    def items(self, wanted: Wanted, after: Place | None = None, limit: int = 50) -> list[OpenItem]:
        """Those behind a place: the largest amount first, then the oldest; what has no amount comes last."""
        found: list[OpenItem] = []
        with self._database.reading() as connection:
            for side in sides_of(wanted):
                places = _places(connection, side, wanted, after, limit)
                found += _opened(connection, side, wanted, places)
        return sorted(found, key=lambda one: one.place.rank)[:limit]

    def of(self, flow: str, key: str) -> list[OpenItem]:
        """What is open of one record: its hold, and its differences."""
        with self._database.reading() as connection:
            return [
                _item(side, row, Wanted())
                for side in SIDES
                for row in connection.execute(_one_of(side, flow, key).order_by(side.id))
            ]

    def chosen(self, items: Iterable[tuple[bool, int]], wanted: Wanted = Wanted()) -> list[OpenItem]:  # noqa: B008
        """Those of some, (is a difference, id), that are open and wanted."""
        ids = list(items)
        with self._database.reading() as connection:
            return [
                _item(side, row, wanted)
                for side in SIDES
                for chunk in chunks([number for differs, number in ids if differs is side.differs])
                for row in connection.execute(
                    select(*side.columns).where(side.id.in_(chunk), *conditions(connection, side, wanted))
                )
            ]

    def companies(self, flow: str, key: str) -> frozenset[str]:
        """Those that are told of a record, also of what is open no more: who may see it follows from them."""
        with self._database.reading() as connection:
            return frozenset(
                company
                for side in SIDES
                for company in connection.execute(
                    select(side.company).where(side.table.c.flow == flow, side.table.c.key == key).distinct()
                ).scalars()
            )

    def assign(self, items: Iterable[tuple[bool, int]], to: str) -> int:
        """Give open items, (is a difference, id), to a person, empty: to nobody; how many are open still."""
        ids = list(items)
        with self._database.writing() as connection:
            return sum(
                side.put(connection, [one for kind, one in ids if kind is side.differs], assigned=to or None)
                for side in SIDES
            )


def summed(stocks: Iterable[CauseStock]) -> dict[str, Decimal]:
    """Currency -> the sum over some causes; empty currency: not told."""
    total: dict[str, Decimal] = {}
    for one in stocks:
        for currency, amount in one.amounts.items():
            total[currency] = EXACT.add(total.get(currency, Decimal(0)), amount)
    return total


# --- what is counted --------------------------------------------------------------------------------------------------


def _number(connection: Connection, side: Side, which: Sequence[ColumnElement[bool]]) -> int:
    return connection.execute(select(func.count()).select_from(side.table).where(*which)).scalar() or 0


def _named_causes(connection: Connection, side: Side, wanted: Wanted) -> Iterator[OpenCause]:
    """By the order of the index: nothing is sorted, nothing summed."""
    key = ("flow", "what", "company", "value")
    named = select(*side.named(*key)).where(*conditions(connection, side, wanted))
    for row in connection.execute(named.group_by(*map(side.column, key))):
        yield _cause(side, row, wanted)


def _totalled(connection: Connection, side: Side, wanted: Wanted) -> Select[Any]:
    counted = select(*side.named("currency"), func.count().label("items"), *_halves(side))
    return counted.where(*conditions(connection, side, wanted)).group_by(side.column("currency"))


def _counted(connection: Connection, side: Side, wanted: Wanted) -> Select[Any]:
    """Each group once for a currency, in the order of the index: nothing is sorted. Scaled amounts in two halves."""
    key = ("flow", "what", "company", "value", "currency")
    came = func.sum(case((side.since >= wanted.came_since, 1), else_=0))
    told = (func.count().label("items"), func.min(side.since).label("since"), came.label("came"))
    counted = select(*side.named(*key), *told, _each_once(connection, side.owner).label("owners"), *_halves(side))
    return counted.where(*conditions(connection, side, wanted)).group_by(*map(side.column, key))


def _each_once(connection: Connection, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """JSON: the values of a group."""
    if connection.dialect.name == "sqlite":
        return func.json_group_array(column.distinct())
    return cast(func.json_agg(column.distinct()), Text)


def _halves(side: Side) -> tuple[ColumnElement[Any], ...]:
    high, low = (func.sum(side.scaled.op(how)(MILLION)) for how in ("/", "%"))
    return high.label("high"), low.label("low")


def _joined(row: Row[Any]) -> Decimal:
    return unscaled(int(row.high) * MILLION + int(row.low))


def _odd(connection: Connection, side: Side, wanted: Wanted) -> Select[Any]:
    """The amounts that no whole number could hold: few, and summed here."""
    key = ("flow", "what", "company", "value", "currency", "amount")
    odd = (side.scaled.is_(None), side.amount.is_not(None), side.amount != "")
    counted = select(*side.named(*key), func.count().label("items"))
    return counted.where(*conditions(connection, side, wanted), *odd).group_by(*map(side.column, key))


def _add(found: dict[OpenCause, CauseStock], side: Side, row: Row[Any], wanted: Wanted) -> None:
    cause = _cause(side, row, wanted)
    one = found.setdefault(cause, CauseStock(cause))
    one.items += row.items
    one.came += row.came
    one.flows.add(row.flow)
    one.owners |= _names(row.owners)
    one.oldest = min(filter(None, (one.oldest, row.since)))
    if row.high is not None:
        _add_amount(one, row.currency, _joined(row))


@lru_cache(1000)
def _names(listed: str) -> frozenset[str]:
    """Most groups have the same owners."""
    return frozenset(json.loads(listed))


def _add_amount(one: CauseStock, currency: str | None, amount: Decimal) -> None:
    one.amounts[currency or ""] = EXACT.add(one.amounts.get(currency or "", Decimal(0)), amount)


def _times(row: Row[Any]) -> Decimal:
    return EXACT.multiply(parsed(row.amount) or Decimal(0), Decimal(row.items))


def _cause(side: Side, row: Row[Any], wanted: Wanted) -> OpenCause:
    connection = wanted.connections.get(row.flow) or connection_of(row.flow)
    return OpenCause(row.what, side.differs, connection, row.company, row.value)


# --- one by one -------------------------------------------------------------------------------------------------------


def _places(connection: Connection, side: Side, wanted: Wanted, after: Place | None, limit: int) -> Sequence[int]:
    """Their ids, from the index alone."""
    worth = func.coalesce(side.scaled, LOWEST)
    which = [*conditions(connection, side, wanted), _behind(side, worth, after)]
    ordered = select(side.id).where(*which).order_by(worth.desc(), side.since, side.id)
    return connection.execute(ordered.limit(limit)).scalars().all()


def _behind(side: Side, worth: ColumnElement[int], after: Place | None) -> ColumnElement[bool]:
    if after is None:
        return true()
    tie = case(
        (side.since > after.since, true()),
        (side.since == after.since, _comes_later(side, after)),
        else_=false(),
    )
    return and_(worth <= after.worth, or_(worth < after.worth, tie))


def _comes_later(side: Side, after: Place) -> ColumnElement[bool]:
    """Of two that are alike in amount and age a hold stands before a difference."""
    if side.differs is after.differs:
        return side.column("id") > after.id
    return true() if side.differs else false()


def _opened(connection: Connection, side: Side, wanted: Wanted, ids: Sequence[int]) -> Iterator[OpenItem]:
    chosen = select(*side.columns).where(side.id.in_(ids), of_tenant(side.table.c.flow, walked=True))
    for row in connection.execute(chosen) if ids else ():
        yield _item(side, row, wanted)


def _one_of(side: Side, flow: str, key: str) -> Select[Any]:
    return select(*side.columns).where(side.is_open, side.table.c.flow == flow, side.table.c.key == key)


def _item(side: Side, row: Row[Any], wanted: Wanted) -> OpenItem:
    cause = _cause(side, row, wanted)
    place = Place(LOWEST if row.scaled is None else row.scaled, row.since, side.differs, row.id)
    item = OpenItem(row.id, row.flow, row.key, cause, place, row.since, row.seen)
    told: dict[str, Any] = {
        name: getattr(row, name) or "" for name in ("party", "amount", "currency", "owner", "assigned", "content")
    }
    tags = tuple(tag for tag in (row.tags or "").split(",") if tag)
    told |= {"tags": tags, "explained_until": row.explained_until}
    return replace(item, **told, dated=row.dated, ours=row.ours, theirs=row.theirs)
