"""What each delivered record is worth, and which document it is: told when its source does not have it any more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import select

from mlc_dagster.core.stakes import Stake
from mlc_dagster.ledger.bulk import Bulk
from mlc_dagster.ledger.columns import storable, stored_key
from mlc_dagster.ledger.database import DIALECTS, Database, chunks, upsert
from mlc_dagster.ledger.entries import NEVER_AGAIN
from mlc_dagster.ledger.tables import deliveries
from mlc_dagster.ledger.tables import stakes as kept


class InTarget(NamedTuple):
    """Where the target has what was delivered."""

    remote_id: str
    number: str  # what a person would look for; else the id
    link: str


class Stakes:
    """One line for each key of a flow that has anything to tell."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, flow: str, stakes: Mapping[str, Stake]) -> None:
        """Of what is delivered now. Nothing is written of what tells nothing, as a supplier does."""
        rows = [_row(key, each) for key, each in sorted(stakes.items()) if each != Stake()]
        if rows:
            with self._database.writing() as connection:
                _NOTED.write(connection, {"flow": flow}, rows)

    def of(self, flow: str, keys: Iterable[str]) -> dict[str, Stake]:
        """Key -> what is known of it."""
        stored = {stored_key(key): key for key in keys}
        found: dict[str, Stake] = {}
        with self._database.reading() as connection:
            for chunk in chunks(list(stored)):
                wanted = select(kept).where(kept.c.flow == flow, kept.c.key.in_(chunk))
                for row in connection.execute(wanted):
                    found[stored[row.key]] = Stake(row.amount, row.currency, row.document)
        return found

    def places(self, flow: str, keys: Iterable[str]) -> dict[str, InTarget]:
        """Key -> where the target has it, of what was delivered: to be shown beside a difference."""
        stored = {stored_key(key): key for key in keys}
        columns = (deliveries.c.key, deliveries.c.remote_id, deliveries.c.detail, deliveries.c.link)
        found: dict[str, InTarget] = {}
        with self._database.reading() as connection:
            for chunk in chunks(list(stored)):
                wanted = select(*columns).where(deliveries.c.flow == flow, deliveries.c.key.in_(chunk))
                for row in connection.execute(wanted):
                    number = row.detail or row.remote_id or ""
                    found[stored[row.key]] = InTarget(row.remote_id or "", number, row.link or "")
        return found

    def delivered_as(self, flow: str, documents: Sequence[str]) -> dict[str, list[str]]:
        """Document -> the keys under which it was delivered, and still counts as delivered."""
        stored = {stored_key(each): each for each in documents}
        same = (deliveries.c.flow == kept.c.flow) & (deliveries.c.key == kept.c.key)
        live = (
            deliveries.c.flow == flow,
            deliveries.c.fingerprint.is_not(None),
            deliveries.c.version.is_distinct_from(NEVER_AGAIN),
        )
        found: dict[str, list[str]] = defaultdict(list)
        with self._database.reading() as connection:
            for chunk in chunks(list(stored)):
                wanted = select(kept.c.document, kept.c.key).join(deliveries, same)
                mine = wanted.where(kept.c.flow == flow, kept.c.document.in_(chunk), *live).order_by(kept.c.key)
                for row in connection.execute(mine):
                    found[stored[row.document]].append(row.key)
        return dict(found)


def _row(key: str, stake: Stake) -> tuple[str | None, ...]:
    document = None if stake.document is None else stored_key(stake.document)
    amount, currency = (each and storable(each) for each in (stake.amount, stake.currency))
    return (stored_key(key), amount, currency, document)


@cache
def _upsert(dialect: str) -> Any:
    statement = upsert(dialect, kept)
    names = ("amount", "currency", "document")
    put = {name: statement.excluded[name] for name in names}
    return statement.inline().on_conflict_do_update(index_elements=["flow", "key"], set_=put)


_NOTED = Bulk(
    {dialect: _upsert(dialect) for dialect in DIALECTS}, alike=("flow",), own=("key", "amount", "currency", "document")
)
