"""Who signs in to the review page, by a personal token that is shown once; and who is signed in."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from sqlalchemy import Row, select, update

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.inert import acts
from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.tables import sessions, users
from mlc_dagster.ledger.tenants import of_tenant

Role = Literal["look", "work", "decide", "confirm", "sign", "audit"]
ROLES: tuple[Role, ...] = get_args(Role)
IMPLIED: dict[str, frozenset[str]] = {
    "work": frozenset({"work", "decide"}),
    "look": frozenset(ROLES),
}
"""Role -> the roles of which each may do the same."""
ALL = "*"
"""Every company, and what is of no company that is told."""

IDLE, LONGEST = timedelta(minutes=30), timedelta(hours=10)
_SEEN = timedelta(minutes=1)  # a page does not write for each look
_HASHING = threading.BoundedSemaphore(2)  # each takes 19 MiB
_COST: dict[str, Any] = {"length": 32, "iterations": 2, "lanes": 1, "memory_cost": 19 * 1024}  # OWASP's, for Argon2id


@dataclass(frozen=True)
class User:
    """Somebody who may sign in, until his token ends."""

    name: str
    grants: tuple[tuple[str, str], ...]  # (role, company)
    made_at: datetime
    ends_at: datetime
    removed_at: datetime | None = None

    @property
    def companies(self) -> frozenset[str] | None:
        """Those that he may see; None: all."""
        found = frozenset(company for _, company in self.grants)
        return None if ALL in found else found

    def may(self, role: Role, company: str) -> bool:
        """Whether he has the role for a company; what is of none is for those who have it for all."""
        enough = IMPLIED.get(role, frozenset({role}))
        return any(each in enough and where in (ALL, company) for each, where in self.grants)


class Users:
    """Tokens are kept as Argon2id hashes, sessions by their digest: neither can be used by who reads the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._nobodys = ""

    def add(self, name: str, grants: Iterable[tuple[str, str]], days: int) -> str:
        """Make or replace somebody's token; it is told here and never again. Raises Misconfigured."""
        given = sorted(set(grants))
        _expect(name, given, days)
        token = f"mlc_{secrets.token_urlsafe(32)}"
        with self._database.writing() as connection:
            now = clock(connection)
            row = {"name": name, "token": _hash(token), "grants": json.dumps(given), "made_at": now}
            row |= {"ends_at": now + timedelta(days=days), "removed_at": None}
            new = upsert(connection.dialect.name, users)
            put = {key: new.excluded[key] for key in row if key != "name"}
            connection.execute(new.on_conflict_do_update(index_elements=["name"], set_=put), row)
            self._end_all(connection, name, now)
        return token

    def remove(self, name: str) -> bool:
        """He signs in no more, and is signed in nowhere; whether there was one."""
        with self._database.writing() as connection:
            now = clock(connection)
            mine = (users.c.name == name, users.c.removed_at.is_(None))
            found = connection.execute(update(users).where(*mine).values(removed_at=now))
            self._end_all(connection, name, now)
            return found.rowcount > 0

    def all(self) -> list[User]:
        with self._database.reading() as connection:
            rows = connection.execute(select(users).where(of_tenant(users.c.name)).order_by(users.c.name))
            return [_user(row) for row in rows]

    def any(self) -> bool:
        """Whether people sign in at all."""
        with self._database.reading() as connection:
            mine = (of_tenant(users.c.name), users.c.removed_at.is_(None))
            return connection.execute(select(users.c.name).where(*mine).limit(1)).first() is not None

    def of(self, name: str) -> User | None:
        """Who goes by this name, and may sign in now."""
        with self._database.reading() as connection:
            row = connection.execute(select(users).where(users.c.name == name)).first()
            return _user(row) if row is not None and _is_valid(row, clock(connection)) else None

    def has_left(self, name: str) -> bool:
        """Whether there was one of this name, who may not sign in now. Of others nothing is known."""
        with self._database.reading() as connection:
            row = connection.execute(select(users).where(users.c.name == name)).first()
            return row is not None and not _is_valid(row, clock(connection))

    def sign_in(self, name: str, token: str) -> str | None:
        """What the cookie holds from now on; None: there is no such person, or it is not his token. Both take alike
        long.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(users).where(users.c.name == name)).first()
            now = clock(connection)
        self._nobodys = self._nobodys or _hash("nobody's")
        right = _verified(token, row.token if row is not None else self._nobodys)
        if row is None or not right or not _is_valid(row, now):
            return None
        value = secrets.token_urlsafe(32)
        with self._database.writing() as connection:
            at = clock(connection)
            put = {"digest": _digest(value), "person": name, "made_at": at, "seen_at": at, "ended_at": None}
            connection.execute(upsert(connection.dialect.name, sessions), put)
        return value

    def signed_in(self, value: str, is_seen: bool = True) -> User | None:
        """Whose session it is; None where it has ended, or he may sign in no more. `is_seen`: he is there himself."""
        mine = sessions.c.digest == _digest(value)
        with self._database.reading() as connection:
            session = connection.execute(select(sessions).where(mine)).first()
            now = clock(connection)
            if session is None or _has_ended(session, now):
                return None
            row = connection.execute(select(users).where(users.c.name == session.person)).first()
        if row is None or not _is_valid(row, now):
            return None
        if is_seen and now - session.seen_at > _SEEN:
            with self._database.writing() as connection:
                connection.execute(update(sessions).where(mine).values(seen_at=now))
        return _user(row)

    def sign_out(self, value: str) -> None:
        """The session ends here, whoever still has its cookie."""
        with self._database.writing() as connection:
            mine = (sessions.c.digest == _digest(value), sessions.c.ended_at.is_(None))
            connection.execute(update(sessions).where(*mine).values(ended_at=clock(connection)))

    def _end_all(self, connection: Any, name: str, now: datetime) -> None:
        mine = (of_tenant(sessions.c.digest), sessions.c.person == name, sessions.c.ended_at.is_(None))
        connection.execute(update(sessions).where(*mine).values(ended_at=now))


def _expect(name: str, grants: list[tuple[str, str]], days: int) -> None:
    if not name.strip() or name != name.strip() or len(name) > 80 or acts(name) or name.startswith("!"):
        raise Misconfigured(f"{name[:80]!r} is no name of a person", cure="Such as ap.clerk2, as your company has it.")
    strange = sorted({role for role, _ in grants} - set(ROLES))
    if strange or not grants:
        found = f"there is no role {', '.join(strange)}" if strange else "no role is named"
        raise Misconfigured(found, cure=f"Roles: {', '.join(ROLES)}; such as --role decide --company 20.")
    if not 1 <= days <= 366:
        raise Misconfigured(f"a token of {days} days: it ends by itself", cure="Between 1 and 366: --days 90.")


def _is_valid(row: Row[Any], now: datetime) -> bool:
    return row.removed_at is None and bool(row.ends_at > now)


def _has_ended(session: Row[Any], now: datetime) -> bool:
    return session.ended_at is not None or now - session.seen_at > IDLE or now - session.made_at > LONGEST


def _user(row: Row[Any]) -> User:
    grants = tuple((role, company) for role, company in json.loads(row.grants))
    return User(row.name, grants, row.made_at, row.ends_at, row.removed_at)


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "backslashreplace")).hexdigest()


def _hash(token: str) -> str:
    with _HASHING:
        return Argon2id(salt=secrets.token_bytes(16), **_COST).derive_phc_encoded(token.encode())


def _verified(token: str, phc: str) -> bool:
    with _HASHING:
        try:
            Argon2id.verify_phc_encoded(token.encode("utf-8", "backslashreplace"), phc)
        except InvalidKey:
            return False
    return True
