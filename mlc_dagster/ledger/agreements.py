"""The values that both sides of a pair last agreed on, by the ERP's key: the base of a three-way merge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, upsert
from mlc_dagster.ledger.tables import agreed
from mlc_dagster.ledger.trail import Trail
from mlc_dagster.outcomes import Agreed


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


def write(trail: Trail, pair: str, values: Mapping[str, Agreed]) -> None:
    """Key -> values, in place of those that were agreed on before."""
    common = {"pair": pair, "run_id": trail.run.run_id, "agreed_at": trail.at}
    rows: list[dict[str, Any]] = [
        {"key": key, "content": json.dumps(dict(content), sort_keys=True), **common}
        for key, content in sorted(values.items())
    ]
    if rows:
        statement = upsert(trail.connection.dialect.name, agreed)
        new = statement.excluded
        replaced = {name: new[name] for name in ("content", "agreed_at", "run_id")}
        trail.connection.execute(statement.on_conflict_do_update(index_elements=["pair", "key"], set_=replaced), rows)
