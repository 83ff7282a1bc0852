"""Whether the rows that stand beside the trail are as it tells: deliveries, pulls, decisions, signatures and others.

What people and loads go by is in these rows. One that was changed, removed or slipped in by hand is named here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, and_, case, exists, func, literal, or_, select

from mlc_dagster.ledger.columns import Words, stored_key
from mlc_dagster.ledger.database import chunks
from mlc_dagster.ledger.entries import Event
from mlc_dagster.ledger.records import agreements, contents, pulls
from mlc_dagster.ledger.records.closes import CHAIN as CLOSES
from mlc_dagster.ledger.records.verifying_signatures import altered_signatures
from mlc_dagster.ledger.tables import agreed, attempts, decisions, deliveries, differences
from mlc_dagster.ledger.tables import contents as content_rows
from mlc_dagster.ledger.tables import pulls as pull_rows
from mlc_dagster.ledger.tenants import of_tenant

DELIVERED = (Event.CREATED, Event.UPDATED, Event.ADOPTED)
AT_ONCE = 1000  # rows in memory


class Differs(NamedTuple):
    """A row that is not as the trail tells."""

    flow: str
    key: str
    what: str


def differing(connection: Connection, flow: str | None = None) -> Iterator[Differs]:
    """All of them, of a flow or of the whole ledger; pulls and agreements belong to no one flow."""
    yield from _deliveries(connection, flow)
    yield from _contents(connection, flow)
    yield from _decisions(connection, flow)
    yield from _differences(connection, flow)
    if flow in (None, pulls.CHAIN):
        yield from _pulls(connection)
    if flow in (None, CLOSES):
        yield from (Differs(CLOSES, key, what) for key, what in altered_signatures(connection))
    if flow is None:
        yield from _agreements(connection)


def _deliveries(connection: Connection, flow: str | None) -> Iterator[Differs]:
    last = _latest(flow, DELIVERED)
    same = and_(deliveries.c.flow == last.c.flow, deliveries.c.key == last.c.key)
    wanted = (
        select(deliveries.c.flow, deliveries.c.key, deliveries.c.fingerprint, attempts.c.fingerprint.label("told"))
        .join_from(deliveries, last, same, isouter=True)
        .join(attempts, attempts.c.id == last.c.id, isouter=True)
        .where(_of(deliveries.c.flow, flow), deliveries.c.fingerprint.is_not(None))
        .where(deliveries.c.fingerprint.is_distinct_from(attempts.c.fingerprint))
    )
    for row in _rows(connection, wanted):
        what = "delivery: the trail tells of none" if row.told is None else "delivery: another content"
        yield Differs(row.flow, row.key, what)
    yield from _remote_ids(connection, flow)
    yield from _missing(connection, flow)


def _remote_ids(connection: Connection, flow: str | None) -> Iterator[Differs]:
    """An id that no line of the record names."""
    named = exists().where(
        attempts.c.flow == deliveries.c.flow,
        attempts.c.key == deliveries.c.key,
        attempts.c.remote_id == deliveries.c.remote_id,
    )
    mine = (_of(deliveries.c.flow, flow), deliveries.c.remote_id.is_not(None), ~named)
    for row in _rows(connection, select(deliveries.c.flow, deliveries.c.key).where(*mine)):
        yield Differs(row.flow, row.key, "delivery: another remote id")


def _missing(connection: Connection, flow: str | None) -> Iterator[Differs]:
    """What was delivered, was neither set aside nor forgotten since, and has no row."""
    last = _latest(flow, (*DELIVERED, Event.SET_ASIDE, Event.FORGOTTEN))
    there = exists().where(deliveries.c.flow == last.c.flow, deliveries.c.key == last.c.key)
    wanted = select(last.c.flow, last.c.key).join(attempts, attempts.c.id == last.c.id)
    for row in _rows(connection, wanted.where(attempts.c.event.in_(DELIVERED), ~there)):
        yield Differs(row.flow, row.key, "delivery: removed")


def _contents(connection: Connection, flow: str | None) -> Iterator[Differs]:
    """An erased content is no fault: the hash stays."""
    same = and_(
        attempts.c.flow == content_rows.c.flow,
        attempts.c.key == content_rows.c.key,
        attempts.c.fingerprint == content_rows.c.fingerprint,
        attempts.c.event == Event.SENT,
        attempts.c.detail.startswith(contents.MARK, autoescape=True),
    )
    columns = (content_rows.c.flow, content_rows.c.key, content_rows.c.salt, content_rows.c.content, attempts.c.detail)
    wanted = select(*columns).join_from(content_rows, attempts, same, isouter=True)
    for row in _rows(connection, wanted.where(_of(content_rows.c.flow, flow), _told(flow))):
        if row.detail != f"{contents.MARK}{contents.digest(row.salt, row.content)}":
            yield Differs(row.flow, row.key, "content: not as it was sent")


def _decisions(connection: Connection, flow: str | None) -> Iterator[Differs]:
    """Each has a line that names who decided, and why."""
    same = and_(attempts.c.flow == decisions.c.flow, attempts.c.key == decisions.c.key)
    told = attempts.c.detail == literal("by ", Words) + decisions.c.who + literal(": ", Words) + decisions.c.reason
    named = exists().where(same, attempts.c.event == decisions.c.verdict, told)
    wanted = select(decisions.c.flow, decisions.c.key).where(_of(decisions.c.flow, flow), ~named)
    for row in _rows(connection, wanted):
        yield Differs(row.flow, row.key, "decision: the trail tells of another")


def _differences(connection: Connection, flow: str | None) -> Iterator[Differs]:
    """As many are open as lines tell that were found and not closed; those of a release before have no line."""
    change = case((attempts.c.event == Event.DIFFERS, 1), else_=-1)
    lines = select(attempts.c.flow, attempts.c.key, func.sum(change).label("open")).where(
        _of(attempts.c.flow, flow), attempts.c.event.in_((Event.DIFFERS, Event.AGREES))
    )
    told = lines.group_by(attempts.c.flow, attempts.c.key).subquery()
    is_open = case((differences.c.closed_at.is_(None), 1), else_=0)
    rows = select(differences.c.flow, differences.c.key, func.sum(is_open).label("open"))
    there = rows.where(_of(differences.c.flow, flow)).group_by(differences.c.flow, differences.c.key).subquery()
    same = and_(told.c.flow == there.c.flow, told.c.key == there.c.key)
    wanted = select(told.c.flow, told.c.key).join_from(told, there, same, isouter=True)
    for row in _rows(connection, wanted.where(told.c.open != func.coalesce(there.c.open, 0))):
        yield Differs(row.flow, row.key, "difference: closed, opened or removed beside the trail")


def _pulls(connection: Connection) -> Iterator[Differs]:
    """From the first line of their chain on: a release before wrote none."""
    lines = select(attempts.c.key, attempts.c.remote_id, attempts.c.detail)
    wanted = lines.where(attempts.c.flow == pulls.CHAIN, attempts.c.event == Event.READ).order_by(attempts.c.id)
    first, seen = None, 0
    for chunk in chunks(list(_rows(connection, wanted))):
        numbers = [int(line.remote_id) for line in chunk]
        first = numbers[0] if first is None else first
        there = {row.id: row for row in connection.execute(select(pull_rows).where(pull_rows.c.id.in_(numbers)))}
        seen += len(there)
        yield from (found for line in chunk if (found := _pull(line, there.get(int(line.remote_id)))))
    if first is not None and (more := _pulls_since(connection, first) - seen):
        yield Differs(pulls.CHAIN, "", f"pulls: {more} of which the trail tells nothing")


def _pulls_since(connection: Connection, first: int) -> int:
    mine = (pull_rows.c.id >= first, of_tenant(pull_rows.c.entity, walked=True))
    return int(connection.execute(select(func.count()).select_from(pull_rows).where(*mine)).scalar_one())


def _pull(line: Row[Any], row: Row[Any] | None) -> Differs | None:
    if row is None:
        return Differs(pulls.CHAIN, line.key, "pull: removed")
    hashed = pulls.digest(row.entity, row.partition, row.run_id, row.account, row.read_number)
    return None if line.detail.endswith(f"; {hashed}") else Differs(pulls.CHAIN, line.key, "pull: another account")


def _agreements(connection: Connection) -> Iterator[Differs]:
    """What both sides agreed on is what the latest line of the pair tells; a release before wrote none."""
    told: dict[tuple[str, str], str] = {}
    lines = select(attempts.c.key, attempts.c.detail).where(
        attempts.c.event == Event.AGREED, of_tenant(attempts.c.flow)
    )
    for line in _rows(connection, lines.order_by(attempts.c.id)):
        pair, _, hashed = line.detail.rpartition(" ")
        told[pair, line.key] = hashed
    for row in _rows(connection, select(agreed.c.pair, agreed.c.key, agreed.c.content).where(of_tenant(agreed.c.pair))):
        expected = told.pop((row.pair, stored_key(row.key)), None)
        if expected is not None and expected != agreements.digest(row.content):
            yield Differs(row.pair, row.key, "agreement: other values")


def _latest(flow: str | None, events: tuple[Event, ...]) -> Any:
    """The last line of each key among these events."""
    columns = (attempts.c.flow, attempts.c.key, func.max(attempts.c.id).label("id"))
    wanted = select(*columns).where(_of(attempts.c.flow, flow), attempts.c.event.in_(events))
    return wanted.group_by(attempts.c.flow, attempts.c.key).subquery()


def _told(flow: str | None) -> Any:
    """Lines of the tenant's own, or none."""
    return or_(attempts.c.id.is_(None), _of(attempts.c.flow, flow))


def _of(column: Any, flow: str | None) -> Any:
    return of_tenant(column, walked=True) if flow is None else column == flow


def _rows(connection: Connection, wanted: Select[Any]) -> Iterator[Row[Any]]:
    yield from connection.execute(wanted.execution_options(yield_per=AT_ONCE))
