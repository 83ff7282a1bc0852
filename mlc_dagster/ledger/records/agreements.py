"""The values that both sides of a pair last agreed on, by the ERP's key: the base of a three-way merge."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from mlc_dagster.core.outcomes import Agreed
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, chunks, upsert
from mlc_dagster.ledger.records.trail import Trail
from mlc_dagster.ledger.tables import agreed, deliveries


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


def write(trail: Trail, pair: str, values: Mapping[str, Agreed]) -> None:
    """Key -> values, in place of those that were agreed on before; the same again leaves their time as it was."""
    common = {"pair": pair, "run_id": trail.run.run_id, "agreed_at": trail.at}
    rows: list[dict[str, Any]] = [
        {"key": key, "content": json.dumps(dict(content), sort_keys=True), **common}
        for key, content in sorted(values.items())
    ]
    if rows:
        statement = upsert(trail.connection.dialect.name, agreed)
        new = statement.excluded
        replaced = {name: new[name] for name in ("content", "agreed_at", "run_id")}
        differs = agreed.c.content != new.content
        newer = statement.on_conflict_do_update(index_elements=["pair", "key"], set_=replaced, where=differs)
        trail.connection.execute(newer, rows)
