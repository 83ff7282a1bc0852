"""Which of the open items are meant: the conditions that counts, sums and lists all ask by."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, and_, not_, or_, select

from mlc_dagster.ledger.records.open_item_entries import Wanted, connection_of
from mlc_dagster.ledger.records.open_item_months import is_of
from mlc_dagster.ledger.records.open_item_sides import SIDES, Side
from mlc_dagster.ledger.tenants import of_tenant


def sides_of(wanted: Wanted) -> list[Side]:
    asked = [wanted.differs, wanted.cause and wanted.cause.differs]
    return [side for side in SIDES if all(each in (None, side.differs) for each in asked)]


def conditions(connection: Connection, side: Side, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    yield side.is_open
    yield from of_any_time(connection, side, wanted)


def of_any_time(connection: Connection, side: Side, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """Of what is open no more, too."""
    yield of_tenant(side.table.c.flow)
    yield from _of_flows(connection, side, wanted)
    yield from _of_cause(side, wanted)
    yield from _of_person(side, wanted)
    yield from _of_worth(side, wanted)
    if wanted.before:
        yield side.since < wanted.before
    if wanted.month is not None:
        yield is_of(side, wanted.month)
    if wanted.text:
        yield _says(side, wanted.text, connection.dialect.name)


def _of_flows(connection: Connection, side: Side, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if named := wanted.connection or (wanted.cause and wanted.cause.connection):
        grouped = select(side.flow).where(side.is_open, of_tenant(side.table.c.flow)).group_by(side.flow)
        flows = connection.execute(grouped).scalars().all()
        mine = [flow for flow in flows if (wanted.connections.get(flow) or connection_of(flow)) == named]
        yield side.table.c.flow.in_(mine)


def _of_cause(side: Side, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if (cause := wanted.cause) is not None:
        yield and_(side.what == cause.what, side.company == cause.company, side.value == cause.value)
    if wanted.rule:
        named = side.table.c.kind == wanted.rule if side.differs else _has_rule(side, wanted.rule)
        yield named


def _has_rule(side: Side, rule: str) -> ColumnElement[bool]:
    return side.what.contains(f",{rule},", autoescape=True)


def _of_person(side: Side, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """Whose company it is, and who owns it. What is of no company that is told is for those who see all of them."""
    yield from whose(side, wanted)
    if wanted.owner is not None:
        yield side.owner == wanted.owner
    if wanted.tag:
        yield side.tags.contains(f",{wanted.tag},", autoescape=True)
    if wanted.explained is not None:
        until = side.explained_until
        stands = and_(until.is_not(None), until >= wanted.today)
        yield stands if wanted.explained else not_(stands)


def whose(side: Side, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """Of the companies that a person may see, and of the one that he asked for; of the flow, likewise."""
    if wanted.companies is not None:
        yield side.company.in_(sorted(wanted.companies))
    if wanted.company is not None:
        yield side.company == wanted.company
    if wanted.flow:
        yield side.table.c.flow == wanted.flow


def _of_worth(side: Side, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.currency is not None:
        yield side.currency == wanted.currency
    if wanted.amount_from is not None:
        yield side.scaled >= wanted.amount_from
    if wanted.amount_to is not None:
        yield side.scaled <= wanted.amount_to
    if wanted.dated_from is not None:
        yield side.dated >= wanted.dated_from
    if wanted.dated_to is not None:
        yield side.dated <= wanted.dated_to


def _says(side: Side, text: str, dialect: str) -> ColumnElement[bool]:
    """A key, a supplier, a value, or an amount as it is written, in any case."""
    columns = (side.table.c.key, side.party, side.value)
    if dialect == "sqlite":  # whose LIKE is of any case by itself, and takes half the time without lower()
        return or_(*(column.contains(text, autoescape=True) for column in columns), side.amount == text)
    return or_(*(column.icontains(text, autoescape=True) for column in columns), side.amount == text)
