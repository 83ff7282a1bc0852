"""By what suppliers and customers are known beside their keys: VAT number, or name and country."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import and_, select

from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, chunks, upsert
from mlc_dagster.ledger.entries import NEVER_AGAIN
from mlc_dagster.ledger.tables import deliveries, masters


class Masters:
    """Marks are kept of what is ready to be delivered; those of what was delivered are told."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, flow: str, marks: Mapping[str, Sequence[str]]) -> None:
        """Key -> its marks. Nothing is written where all are known."""
        rows = [{"flow": flow, "mark": stored_key(m), "key": stored_key(key)} for key in marks for m in marks[key]]
        known = self._known(flow, [row["mark"] for row in rows])
        if new := [row for row in rows if row["key"] not in known.get(row["mark"], ())]:
            with self._database.writing() as connection:
                connection.execute(upsert(connection.dialect.name, masters).on_conflict_do_nothing(), new)

    def delivered(self, flow: str, marks: Sequence[str]) -> dict[str, list[str]]:
        """Mark -> the keys that have it and were delivered, whatever became of them in the source since."""
        stored = {stored_key(mark): mark for mark in marks}
        was_delivered = and_(deliveries.c.flow == masters.c.flow, deliveries.c.key == masters.c.key)
        wanted = select(masters.c.mark, masters.c.key).join(deliveries, was_delivered)
        wanted = wanted.where(
            masters.c.flow == flow,
            deliveries.c.flow == flow,
            deliveries.c.fingerprint.is_not(None),
            deliveries.c.version != NEVER_AGAIN,
        )
        found: dict[str, list[str]] = {}
        with self._database.reading() as connection:
            for chunk in chunks(list(stored)):
                for row in connection.execute(wanted.where(masters.c.mark.in_(chunk)).order_by(masters.c.key)):
                    found.setdefault(stored[row.mark], []).append(row.key)
        return found

    def marks(self, flow: str, keys: Sequence[str]) -> dict[str, list[str]]:
        """Key -> all its marks, as they are stored."""
        stored = {stored_key(key): key for key in keys}
        found: dict[str, list[str]] = {}
        with self._database.reading() as connection:
            for chunk in chunks(list(stored)):
                wanted = select(masters.c.mark, masters.c.key).where(masters.c.flow == flow, masters.c.key.in_(chunk))
                for row in connection.execute(wanted.order_by(masters.c.mark)):
                    found.setdefault(stored[row.key], []).append(row.mark)
        return found

    def names(self, flow: str, keys: Sequence[str]) -> dict[str, str]:
        """Key -> the name under which it was delivered, of those that have one."""
        stored = {stored_key(key): key for key in keys}
        wanted = select(deliveries.c.key, deliveries.c.detail).where(deliveries.c.flow == flow)
        wanted = wanted.where(deliveries.c.fingerprint.is_not(None), deliveries.c.detail.is_not(None))
        with self._database.reading() as connection:
            found = (connection.execute(wanted.where(deliveries.c.key.in_(chunk))) for chunk in chunks(list(stored)))
            return {stored[row.key]: row.detail for rows in found for row in rows}

    def doubles(self, flow: str) -> dict[str, list[str]]:
        """Mark -> keys, of the marks that two or more delivered keys have."""
        with self._database.reading() as connection:
            marks = list(connection.execute(select(masters.c.mark).where(masters.c.flow == flow).distinct()).scalars())
        return {mark: keys for mark, keys in self.delivered(flow, marks).items() if len(keys) > 1}

    def _known(self, flow: str, marks: Sequence[str]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        with self._database.reading() as connection:
            for chunk in chunks(list(dict.fromkeys(marks))):
                wanted = select(masters.c.mark, masters.c.key).where(masters.c.flow == flow, masters.c.mark.in_(chunk))
                for row in connection.execute(wanted):
                    found.setdefault(row.mark, set()).add(row.key)
        return found
