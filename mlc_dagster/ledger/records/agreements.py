"""The values that both sides of a pair last agreed on, by the ERP's key: the base of a three-way merge."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from mlc_dagster.core.outcomes import Agreed
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, chunks, upsert
from mlc_dagster.ledger.entries import Event
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.tables import agreed, deliveries

CHAIN = "agreements"
"""The flow, so to speak, under which the trail tells of them."""


class Agreements:
    """Written with the outcome that they came from (`Ledger.finish`), read one by one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, pair: str, key: str) -> Agreed | None:
        """Field -> value; None where the two sides have never met under this key."""
        mine = select(agreed.c.content).where(agreed.c.pair == pair, agreed.c.key == stored_key(key))
        with self._database.reading() as connection:
            content = connection.execute(mine).scalar()
        found: dict[str, str] | None = None if content is None else json.loads(content)
        return found

    def newer(self, pair: str, flow: str, keys: Mapping[str, str]) -> frozenset[str]:
        """Of keys of the flow (-> the ERP's keys) those under which the other flow of the pair agreed on something
        else since this one delivered: what is unchanged on this side may be a change back.
        """
        if not keys:
            return frozenset()
        with self._database.reading() as connection:
            delivered = _moments(
                connection, deliveries.c.key, deliveries.c.delivered_at, deliveries.c.flow == flow, keys
            )
            met = _moments(connection, agreed.c.key, agreed.c.agreed_at, agreed.c.pair == pair, keys.values())
        return frozenset(
            key
            for key, erps in keys.items()
            if (at := met.get(stored_key(erps))) and (was := delivered.get(stored_key(key))) and at > was
        )


def _moments(
    connection: Connection, key: Any, moment: Any, among: ColumnElement[bool], wanted: Iterable[str]
) -> dict[str, datetime]:
    """Stored key -> moment."""
    found: dict[str, datetime] = {}
    for chunk in chunks(sorted({stored_key(each) for each in wanted})):
        rows = connection.execute(select(key, moment).where(among, key.in_(chunk)))
        found.update({row[0]: row[1] for row in rows if row[1] is not None})
    return found


def write(delivered: Trail, pair: str, values: Mapping[str, Agreed]) -> None:
    """Key -> values, in place of those that were agreed on before; the same again leaves their time as it was.

    Of the moment of the delivery that they came with. Call it last in its transaction: all agreements have one chain.
    """
    connection, run = delivered.connection, delivered.run
    told = {key: json.dumps(dict(content), sort_keys=True) for key, content in sorted(values.items())}
    known = _contents(connection, pair, told) if told else {}
    new = {key: content for key, content in told.items() if known.get(stored_key(key)) != content}
    if new:
        common = {"pair": pair, "run_id": run.run_id, "agreed_at": delivered.at}
        statement = upsert(connection.dialect.name, agreed)
        replaced = {name: statement.excluded[name] for name in ("content", "agreed_at", "run_id")}
        newer = statement.on_conflict_do_update(index_elements=["pair", "key"], set_=replaced)
        connection.execute(newer, [{"key": key, "content": content, **common} for key, content in new.items()])
        trail = Trail(connection, CHAIN, replace(run, by="", by_person=False))
        trail.add(line(Event.AGREED, key, detail=f"{pair} {digest(content)}") for key, content in new.items())


def digest(content: str) -> str:
    """The hash of what was agreed on, as it is stored: in the trail, where the values themselves do not stand."""
    return hashlib.blake2b(content.encode(), digest_size=16).hexdigest()


def _contents(connection: Connection, pair: str, keys: Iterable[str]) -> dict[str, str]:
    """Stored key -> what was agreed on until now."""
    found: dict[str, str] = {}
    for chunk in chunks([stored_key(key) for key in keys]):
        rows = connection.execute(
            select(agreed.c.key, agreed.c.content).where(agreed.c.pair == pair, agreed.c.key.in_(chunk))
        )
        found.update({row.key: row.content for row in rows})
    return found
