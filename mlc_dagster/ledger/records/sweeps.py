"""What a sweep of the source asks of the ledger: what should be there, as what it was delivered, and what was swept."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, select

from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, chunks, clock, upsert
from mlc_dagster.ledger.entries import NEVER_AGAIN
from mlc_dagster.ledger.tables import deliveries, holds, loads, sweeps, swept

DAY = len("2026-11-30")


class HeldRecord(NamedTuple):
    """An open hold, as narrow as it is compared."""

    version: str
    content: str  # fingerprint of the record that is held
    rules: tuple[str, ...]


class Part(NamedTuple):
    """A part of an entity set that was swept."""

    ended_at: datetime
    account: dict[str, Any]


_NOT_REPLACED = deliveries.c.version.is_distinct_from(NEVER_AGAIN)
_IS_LIVE = (deliveries.c.fingerprint.is_not(None), _NOT_REPLACED)
_MAY_BE_THERE = (deliveries.c.fingerprint.is_not(None) | deliveries.c.open_since.is_not(None), _NOT_REPLACED)


class Sweeps:
    """Keys are as the ledger stores them: `stored_key`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def delivered(self, flow: str) -> dict[str, str]:
        """Key -> version of all that was delivered, or may have been, and that nothing took the place of.

        What was sent and not answered comes with its day alone: should its record be gone by the next run, nobody else
        asks for it.
        """
        names = ("key", "fingerprint", "version", "open_version")
        wanted = select(*(deliveries.c[name] for name in names)).where(deliveries.c.flow == flow, *_MAY_BE_THERE)
        with self._database.reading() as connection:
            return {row.key: _version(row) for row in connection.execute(wanted)}

    def sources(self, flow: str, keys: Iterable[str]) -> dict[str, str | None]:
        """Key -> fingerprint of the source record that it was delivered from; None: it is not known."""
        found: dict[str, str | None] = {}
        wanted = select(deliveries.c.key, deliveries.c.source_fingerprint)
        with self._database.reading() as connection:
            for chunk in chunks([stored_key(key) for key in keys]):
                mine = wanted.where(deliveries.c.flow == flow, deliveries.c.key.in_(chunk), *_IS_LIVE)
                found |= {row.key: row.source_fingerprint for row in connection.execute(mine)}
        return found

    def held(self, flow: str) -> dict[str, HeldRecord]:
        """Key -> what is on hold under it."""
        columns = (holds.c.key, holds.c.version, holds.c.content, holds.c.rules)
        wanted = select(*columns).where(holds.c.flow == flow, holds.c.closed_at.is_(None))
        with self._database.reading() as connection:
            return {
                row.key: HeldRecord(row.version, row.content or "", tuple(row.rules.strip(",").split(",")))
                for row in connection.execute(wanted)
            }

    def loaded(self, flow: str, partitions: Collection[str]) -> frozenset[str]:
        """Those of the partitions that were ever loaded to their end."""
        wanted = select(loads.c.partition).where(loads.c.flow == flow, loads.c.partition.in_(list(partitions)))
        with self._database.reading() as connection:
            return frozenset(connection.execute(wanted).scalars())

    def not_asked(self, flow: str, contents: Mapping[str, str]) -> dict[str, str]:
        """Those of key -> content for which nobody was asked to read the record again yet."""
        found: dict[str, str] = {}
        with self._database.reading() as connection:
            for chunk in chunks(list(contents)):
                wanted = select(swept.c.key, swept.c.content).where(swept.c.flow == flow, swept.c.key.in_(chunk))
                found |= {row.key: row.content for row in connection.execute(wanted)}
        return {key: content for key, content in contents.items() if found.get(key) != content}

    def asked(self, flow: str, contents: Mapping[str, str]) -> None:
        """They stand on the work list: the same content is not asked for a second time."""
        if not contents:
            return
        with self._database.writing() as connection:
            now, statement = clock(connection), upsert(connection.dialect.name, swept)
            put = {name: statement.excluded[name] for name in ("content", "asked_at")}
            rows = [{"flow": flow, "key": key, "content": contents[key], "asked_at": now} for key in sorted(contents)]
            connection.execute(statement.on_conflict_do_update(index_elements=["flow", "key"], set_=put), rows)

    # --- what was swept -----------------------------------------------------------------------------------------------

    def parts(self, entity: str) -> dict[str, Part]:
        """Part -> when it was swept last, and what came of it."""
        with self._database.reading() as connection:
            rows = connection.execute(select(sweeps).where(sweeps.c.entity == entity)).all()
        return {row.part: Part(row.ended_at, json.loads(row.account)) for row in rows}

    def ended(self, entity: str, part: str, account: Mapping[str, Any]) -> None:
        """A part was looked at to its end."""
        with self._database.writing() as connection:
            row = {"entity": entity, "part": part, "ended_at": clock(connection), "account": json.dumps(account)}
            new = upsert(connection.dialect.name, sweeps).values(**row)
            put = {name: new.excluded[name] for name in ("ended_at", "account")}
            connection.execute(new.on_conflict_do_update(index_elements=["entity", "part"], set_=put))


def _version(row: Row[Any]) -> str:
    """Of a record that was delivered, or may have been."""
    sent: str = row.open_version or ""
    return row.version or "" if row.fingerprint else sent[:DAY]
