"""What a flow delivered to another account: it is kept apart, and counts for nothing any more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, Table, delete, insert, literal, null, select, update

from mlc_dagster.ledger.columns import Moment, Name, Words
from mlc_dagster.ledger.entries import NEVER_AGAIN, Event, Run
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.tables import agreed, deliveries, flows
from mlc_dagster.ledger.tables import set_aside as aside
from mlc_dagster.ledger.tenants import Scoped

RUN = Run("mlc ledger new-account")
AT_ONCE = 5000  # lines of the trail in memory
_CARRIED = tuple(column.name for column in deliveries.columns if column.name not in ("flow", "key"))


class Account(NamedTuple):
    """To which it was delivered."""

    connection: str
    identity: str  # empty: not known


def set_aside(connection: Connection, flow: str, was: Account, said: str) -> None:
    """All of a flow, in a transaction that is open. `said`: who decided it, and why, for the trail."""
    trail = Trail(connection, flow, RUN)
    trail.add([line(Event.SET_ASIDE, was.connection, detail=said)])
    for rows in _pages(connection, flow):
        lines = (_line(row, said) for row in rows)
        trail.add(lines)
    common = {
        "at": literal(trail.at, Moment),
        "connection": literal(was.connection, Scoped),
        "identity": literal(was.identity, Words),
    }
    mine = {"what": literal("delivery", Name), **{name: deliveries.c[name] for name in ("flow", "key", *_CARRIED)}}
    _copy(connection, deliveries, {**common, **mine}, deliveries.c.flow == flow, _says_something())
    connection.execute(
        delete(deliveries).where(deliveries.c.flow == flow, deliveries.c.version.is_distinct_from(NEVER_AGAIN))
    )
    blank = {name: null() for name in _CARRIED if name != "version"}
    connection.execute(update(deliveries).where(deliveries.c.flow == flow).values(blank))
    _began_and_agreed(connection, flow, common)


def _began_and_agreed(connection: Connection, flow: str, common: dict[str, Any]) -> None:
    began = {"what": literal("first attempt", Name), "flow": flows.c.flow, "key": literal("", Words)}
    _copy(connection, flows, {**common, **began, "delivered_at": flows.c.began_at}, flows.c.flow == flow)
    connection.execute(delete(flows).where(flows.c.flow == flow))
    met = {"what": literal("agreement", Name), "flow": agreed.c.pair, "key": agreed.c.key, "content": agreed.c.content}
    since = {"delivered_at": agreed.c.agreed_at, "run_id": agreed.c.run_id}
    _copy(connection, agreed, {**common, **met, **since}, agreed.c.pair == flow)
    connection.execute(delete(agreed).where(agreed.c.pair == flow))


def _copy(connection: Connection, source: Table, columns: dict[str, Any], *conditions: Any) -> None:
    rows = select(*columns.values()).select_from(source).where(*conditions)
    connection.execute(insert(aside).from_select(list(columns), rows))


def _says_something() -> Any:
    """Not the mark alone that another record took its place, which stays where it is."""
    return deliveries.c.version.is_distinct_from(NEVER_AGAIN) | deliveries.c.remote_id.is_not(None)


def _pages(connection: Connection, flow: str) -> Iterator[list[Row[Any]]]:
    columns = (deliveries.c.key, deliveries.c.version, deliveries.c.fingerprint, deliveries.c.remote_id)
    wanted: Select[Any] = select(*columns).where(deliveries.c.flow == flow, _says_something())
    last = ""
    while rows := list(
        connection.execute(wanted.where(deliveries.c.key > last).order_by(deliveries.c.key).limit(AT_ONCE))
    ):
        yield rows
        last = rows[-1].key


def _line(row: Row[Any], said: str) -> dict[str, Any]:
    told = {"version": row.version or "", "fingerprint": row.fingerprint or "", "remote_id": row.remote_id}
    return line(Event.SET_ASIDE, row.key, detail=said, **told)
