"""Which bank details of suppliers are known: as salted marks. The first that a linked supplier has are taken as they
are; later ones count when two people have said so.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

from sqlalchemy import select

from mlc_dagster.core.bank_details import BankStep
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, chunks, clock, upsert
from mlc_dagster.ledger.tables import bank_marks, salts

SALT = "bank details"
BYTES = 32


class BankMarks:
    """By flow and key of the record in the SaaS."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def salt(self) -> bytes:
        """A secret of this ledger, the same for ever: made when it is first asked for."""
        with self._database.reading() as connection:
            known = connection.execute(select(salts.c.value).where(salts.c.name == SALT)).scalar()
        return bytes.fromhex(known) if known else self._made()

    def _made(self) -> bytes:
        with self._database.writing() as connection:
            new = upsert(connection.dialect.name, salts).values(name=SALT, value=secrets.token_hex(BYTES))
            connection.execute(new.on_conflict_do_nothing())
            return bytes.fromhex(connection.execute(select(salts.c.value).where(salts.c.name == SALT)).scalar_one())

    def of(self, flow: str, keys: Iterable[str]) -> dict[str, str]:
        """Key -> the mark that is known; empty text: it had none."""
        stored = {stored_key(key): key for key in keys}
        found: dict[str, str] = {}
        with self._database.reading() as connection:
            for chunk in chunks(list(stored)):
                mine = (bank_marks.c.flow == flow, bank_marks.c.key.in_(chunk))
                for row in connection.execute(select(bank_marks.c.key, bank_marks.c.mark).where(*mine)):
                    found[stored[row.key]] = row.mark
        return found

    def follow(self, flow: str, steps: Iterable[BankStep]) -> None:
        """What a write of ours made of them is known, where what stood there before was known, or nothing was.

        Another's change that came in between stays one: it is held by the flow that reads it.
        """
        taken = list(steps)
        known = self.of(flow, [step.key for step in taken]) if taken else {}
        self.know(flow, {step.key: step.after for step in taken if known.get(step.key, "") == step.before})

    def know(self, flow: str, marks: Mapping[str, str]) -> None:
        """These are right from now on."""
        if not marks:
            return
        with self._database.writing() as connection:
            now = clock(connection)
            new = upsert(connection.dialect.name, bank_marks)
            put = {"mark": new.excluded.mark, "confirmed_at": new.excluded.confirmed_at}
            differs = bank_marks.c.mark != new.excluded.mark
            known = new.on_conflict_do_update(index_elements=["flow", "key"], set_=put, where=differs)
            common = {"flow": flow, "confirmed_at": now}
            connection.execute(known, [{"key": key, "mark": mark, **common} for key, mark in sorted(marks.items())])
