"""Every read that came to its end, with its own account of it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from datetime import datetime
from types import NoneType
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, func, insert, select

from mlc_dagster.core.vocabulary import Pull
from mlc_dagster.ledger.entries import Event, PullEntry, Run
from mlc_dagster.ledger.records.chain import canonical
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.tables import pulls
from mlc_dagster.ledger.tenants import of_tenant

CHAIN = "pulls"
"""The flow, so to speak, under which the trail tells of every read."""
_LASTING = (str, int, float, datetime, NoneType)


def write(connection: Connection, pull: Pull, run: Run) -> None:
    """The row, and a line in the chain of pulls, which holds a hash of the row."""
    trail = Trail(connection, CHAIN, replace(run, by="", by_person=False))
    found = {"entity": pull.entity, "partition": pull.partition, "ended_at": pull.ended_at}
    account = _account(pull)
    told = {"run_id": run.run_id, "account": account, "read_number": pull.read_number}
    number = connection.execute(insert(pulls).values(**found, **told).returning(pulls.c.id)).scalar_one()
    said = f"{pull.rows} rows in {pull.requests} requests{f', by {run.by}' if run.by else ''}"
    hashed = digest(pull.entity, pull.partition, run.run_id, account, pull.read_number)
    trail.add([line(Event.READ, f"{pull.entity} {pull.partition}", remote_id=str(number), detail=f"{said}; {hashed}")])


def digest(entity: str, partition: str, run_id: str, account: str, read_number: int | None) -> str:
    """The hash of a row of the table, as its line in the chain has it."""
    text = canonical([entity, partition, run_id, account, None if read_number is None else str(read_number)])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _account(pull: Pull) -> str:
    """Texts, times and counts; not the client's working lists, which are as long as the read."""
    lasting = {name: value for name, value in asdict(pull).items() if isinstance(value, _LASTING)}
    return msgspec.json.encode(lasting).decode()


def read(connection: Connection, entity: str | None, partition: str | None, limit: int | None) -> list[PullEntry]:
    """The newest first."""
    newest = _of(select(pulls), entity, partition).order_by(pulls.c.id.desc()).limit(limit)
    return [_entry(row) for row in connection.execute(newest)]


def last(connection: Connection, entity: str, partition: str) -> PullEntry | None:
    """The one that ended last."""
    newest = _of(select(pulls), entity, partition).where(pulls.c.ended_at.is_not(None))
    row = connection.execute(newest.order_by(pulls.c.ended_at.desc(), pulls.c.id.desc()).limit(1)).first()
    return None if row is None else _entry(row)


def freshness(connection: Connection, entity: str | None) -> dict[tuple[str, str], datetime]:
    """(entity, partition) -> when the latest read ended."""
    of_each = _of(select(pulls.c.entity, pulls.c.partition, func.max(pulls.c.ended_at)), entity, None)
    rows = connection.execute(of_each.where(pulls.c.ended_at.is_not(None)).group_by(pulls.c.entity, pulls.c.partition))
    return {(name, partition): ended for name, partition, ended in rows}


def _of(wanted: Select[Any], entity: str | None, partition: str | None) -> Select[Any]:
    whose = of_tenant(pulls.c.entity, walked=True) if entity is None else pulls.c.entity == entity
    wanted = wanted.where(whose)
    return wanted if partition is None else wanted.where(pulls.c.partition == partition)


def _entry(row: Row[Any]) -> PullEntry:
    return PullEntry(row.id, row.run_id, msgspec.json.decode(row.account, type=Pull))
