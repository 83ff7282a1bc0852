"""Credentials, sealed in the ledger's database. A value leaves the vault only to the one who signs a call with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.ledger.database import Database, chunks, clock
from mlc_dagster.ledger.tables import secrets
from mlc_dagster.ledger.tenants import of_tenant

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

MASTER_KEY = "MLC_MASTER_KEY"
BANK = "bank details "
"""What the name of sealed bank details begins with; their mark follows. No variable of an environment is called so."""
NEW_KEY = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


@dataclass(frozen=True)
class Sealed:
    """What may be told of a secret."""

    name: str
    sealed_at: datetime
    opens: bool  # with one of the master keys at hand
    newest_key: bool  # with the first of them


class Vault:
    """Secrets by name. The first master key seals, every one of them opens: that is how keys are rotated.

    A sealed value carries its name and tenant, so that a row cannot be passed off as another.
    No error shows a value or a key.
    """

    def __init__(self, database: Database, master_keys: str) -> None:
        """`master_keys`: Fernet keys, comma separated. Raises Misconfigured where there is none, or one is no key."""
        self._database, self._keys = database, _keys(master_keys)

    def __repr__(self) -> str:
        return f"Vault({len(self._keys)} master keys)"

    def set(self, name: str, value: str) -> None:
        """Seal a value under a name; the value that was there before is gone."""
        sealed = self._sealed(name, value)
        with self._database.writing() as connection:
            row = {"sealed": sealed, "sealed_at": clock(connection)}
            if not connection.execute(update(secrets).where(secrets.c.name == name).values(**row)).rowcount:
                connection.execute(insert(secrets).values(name=name, **row))

    def replace(self, name: str, old: str, new: str) -> bool:
        """Seal another value where the old one is there still. False: somebody set another one meanwhile, it stays."""
        sealed = self._sealed(name, new)
        with self._database.writing() as connection:
            found = select(secrets.c.sealed).where(secrets.c.name == name).with_for_update()
            before = connection.execute(found).scalar()
            if before is None or self._opened(name, before, self._keys) != old:
                return False
            row = {"sealed": sealed, "sealed_at": clock(connection)}
            connection.execute(update(secrets).where(secrets.c.name == name).values(**row))
        return True

    def get(self, name: str) -> str | None:
        """The value; None where there is none. Raises Misconfigured where no master key opens it."""
        with self._database.reading() as connection:
            sealed = connection.execute(select(secrets.c.sealed).where(secrets.c.name == name)).scalar()
        return None if sealed is None else self._opened(name, sealed, self._keys)

    def keep_bank_details(self, values: Mapping[str, str]) -> None:
        """Seal bank details by their marks; what is there stays: a mark stands for one content."""
        with self._database.writing() as connection:
            names = {f"{BANK}{mark}": value for mark, value in values.items()}
            for some in chunks(list(names)):
                there = connection.execute(select(secrets.c.name).where(secrets.c.name.in_(some))).scalars()
                missing = [name for name in some if name not in set(there)]
                now = clock(connection)
                rows = [{"name": name, "sealed": self._sealed(name, names[name]), "sealed_at": now} for name in missing]
                if rows:
                    connection.execute(insert(secrets), rows)

    def bank_details(self, mark: str) -> str | None:
        """What a mark stands for; None where it was not kept. Raises as `get`."""
        return self.get(f"{BANK}{mark}")

    def sealed(self) -> list[Sealed]:
        """All secrets by name, without their values; bank details are nobody's secret to set, and are left out."""
        mine = (of_tenant(secrets.c.name), secrets.c.name.not_like(f"{BANK}%"))
        with self._database.reading() as connection:
            rows = connection.execute(select(secrets).where(*mine).order_by(secrets.c.name)).all()
        return [
            Sealed(
                row.name,
                row.sealed_at,
                self._can_open(row.name, row.sealed, self._keys),
                self._can_open(row.name, row.sealed, self._keys[:1]),
            )
            for row in rows
        ]

    def rotate(self) -> int:
        """Seal every secret of the tenant anew with the first master key; how many. All of them, or none.

        Raises Misconfigured where one cannot be opened.
        """
        with self._database.writing() as connection:
            every = select(secrets.c.name, secrets.c.sealed).where(of_tenant(secrets.c.name))
            rows = connection.execute(every.with_for_update()).all()
            now = clock(connection)
            for row in rows:
                sealed = self._sealed(row.name, self._opened(row.name, row.sealed, self._keys))
                changed = update(secrets).where(secrets.c.name == row.name)
                connection.execute(changed.values(sealed=sealed, sealed_at=now))
        return len(rows)

    def remove(self, name: str) -> bool:
        """Whether there was one."""
        with self._database.writing() as connection:
            return bool(connection.execute(delete(secrets).where(secrets.c.name == name)).rowcount)

    def _sealed(self, name: str, value: str) -> str:
        return self._keys[0].encrypt(json.dumps([self._database.stored(name), value]).encode()).decode("ascii")

    def _opened(self, name: str, sealed: str, keys: list[Fernet]) -> str:
        from cryptography.fernet import InvalidToken

        for key in keys:
            try:
                owner, value = json.loads(key.decrypt(sealed.encode()))
            except InvalidToken:
                continue
            if owner == self._database.stored(name):
                return str(value)
        raise Misconfigured(
            f"the secret {name} cannot be opened with {MASTER_KEY}",
            cure=f"Add the key that it was sealed with to {MASTER_KEY}, or set it again: mlc credentials set {name}",
        )

    def _can_open(self, name: str, sealed: str, keys: list[Fernet]) -> bool:
        try:
            self._opened(name, sealed, keys)
        except Misconfigured:
            return False
        return True


def check_keys(master_keys: str) -> None:
    """Raises Misconfigured where there is no master key, or one is none: before anything is made for it."""
    _keys(master_keys)


def _keys(text: str) -> list[Fernet]:
    """The master keys. `cryptography` is loaded when a vault is used, not with every ledger."""
    from cryptography.fernet import Fernet

    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise Misconfigured(f"{MASTER_KEY} is not set: the vault stays closed", cure=f"Make a key: {NEW_KEY}")
    found = []
    for place, word in enumerate(words, 1):
        try:
            found.append(Fernet(word))
        except ValueError:  # its text may quote the key
            raise Misconfigured(
                f"{MASTER_KEY}: key {place} of {len(words)} is no Fernet key", cure=f"Make one: {NEW_KEY}"
            ) from None
    return found
