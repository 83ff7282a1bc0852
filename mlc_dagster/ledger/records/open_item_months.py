"""Which open items are of a month, as its close counts them: by the document's own date, else by when it was read."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select

from mlc_dagster.ledger.entries import NEVER_AGAIN
from mlc_dagster.ledger.records.open_item_entries import MonthWanted
from mlc_dagster.ledger.records.open_item_sides import Side
from mlc_dagster.ledger.tables import contents, deliveries


def is_of(side: Side, month: MonthWanted) -> ColumnElement[bool]:
    return _difference_is_of(side, month) if side.differs else _hold_is_of(side, month)


def _hold_is_of(side: Side, month: MonthWanted) -> ColumnElement[bool]:
    """What has no date is of the day that it was read from; of no day at all: of each month until it is solved."""
    partition = side.table.c.partition
    is_a_day = and_(partition.like("____-%"), func.substr(partition, 1, 4).between("0000", "9999"))
    undated = and_(side.dated.is_(None), or_(_begins_with(partition, month), not_(is_a_day)))
    return or_(side.dated.between(month.first, month.last), undated)


def _difference_is_of(side: Side, month: MonthWanted) -> ColumnElement[bool]:
    """By what was delivered; where nothing is, it is of each month until it is closed."""
    sent = and_(
        contents.c.flow == deliveries.c.flow,
        contents.c.key == deliveries.c.key,
        contents.c.fingerprint == deliveries.c.fingerprint,
    )
    stands = (
        deliveries.c.flow == side.table.c.flow,
        deliveries.c.key == side.table.c.key,
        deliveries.c.fingerprint.is_not(None),
        deliveries.c.version.is_distinct_from(NEVER_AGAIN),
    )
    dated, version = func.coalesce(contents.c.dated, ""), func.coalesce(deliveries.c.version, "")
    by_version = and_(version.like("____-__-__T%"), version >= month.begins, version < month.ends)
    by_day = and_(version.not_like("____-__-__T%"), _begins_with(deliveries.c.partition, month))
    in_month = or_(
        dated.between(month.first.isoformat(), month.last.isoformat()), and_(dated == "", or_(by_version, by_day))
    )
    of_month = select(deliveries.c.key).outerjoin(contents, sent).where(*stands, in_month)
    return or_(exists(of_month), not_(exists(select(deliveries.c.key).where(*stands))))


def _begins_with(column: ColumnElement[str], month: MonthWanted) -> ColumnElement[bool]:
    return column.like(f"{month.first:%Y-%m}-%")
