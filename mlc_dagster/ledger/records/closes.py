"""Month ends as they were: every version of a company's figures, and who signed which. Nothing here is ever deleted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, insert, select, update

from mlc_dagster.ledger.database import Database
from mlc_dagster.ledger.entries import Event, Run
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.tables import closes, signatures

CHAIN = "closes"
"""The flow, so to speak, under which the trail tells of every signature."""


class Books(NamedTuple):
    """Whose figures, and of which month."""

    company: str  # empty: of the documents that tell none
    period: str  # "2026-11"

    @property
    def stored(self) -> str:
        return f"company {self.company}"

    def __str__(self) -> str:
        return f"{self.period} {self.company or 'no company told'}"


@dataclass(frozen=True)
class Version:
    """Figures as they once were."""

    number: int
    made_at: datetime
    fingerprint: str
    figures: dict[str, Any]
    heads: dict[str, list[Any]]  # flow -> [lines, hash]


@dataclass(frozen=True)
class Signature:
    """Whose word it is that the figures of a version are right."""

    version: int
    fingerprint: str
    who: str
    reason: str
    signed_at: datetime
    voided_at: datetime | None = None
    voided_because: str | None = None


class Closes:
    """A version is written where the figures are others than those of the version before."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(
        self,
        books: Books,
        fingerprint: str,
        figures: Mapping[str, Any],
        heads: Mapping[str, tuple[int, str]],
        run: Run,
    ) -> Version:
        """The newest version, which has these figures: a new one where the last one has others."""
        with self._database.writing() as connection:
            at = Trail(connection, CHAIN, run).at
            last = _versions(connection, books, 1)
            if last and last[0].fingerprint == fingerprint:
                return last[0]
            number = last[0].number + 1 if last else 1
            row = {"company": books.stored, "period": books.period, "version": number, "made_at": at}
            row |= {"run_id": run.run_id, "fingerprint": fingerprint}
            row |= {"figures": json.dumps(figures, sort_keys=True), "heads": json.dumps(heads, sort_keys=True)}
            connection.execute(insert(closes).values(**row))
            return _versions(connection, books, 1)[0]

    def versions(self, books: Books) -> list[Version]:
        """The newest first."""
        with self._database.reading() as connection:
            return _versions(connection, books, None)

    def version(self, books: Books, number: int) -> Version | None:
        return next((each for each in self.versions(books) if each.number == number), None)

    def signatures(self, books: Books) -> list[Signature]:
        """All that ever were, the newest first."""
        mine = (signatures.c.company == books.stored, signatures.c.period == books.period)
        with self._database.reading() as connection:
            rows = connection.execute(select(signatures).where(*mine).order_by(signatures.c.id.desc()))
            return [_signature(row) for row in rows]

    def valid(self, books: Books) -> Signature | None:
        """The one that stands; None: nobody signed, or it is void."""
        return next((each for each in self.signatures(books) if each.voided_at is None), None)

    def sign(self, books: Books, version: Version, who: str, reason: str, run: Run) -> None:
        """Raises ValueError where one stands already, or nobody is named."""
        if not who.strip():
            raise ValueError("a signature has a name")
        row = {"company": books.stored, "period": books.period, "version": version.number}
        row |= {"fingerprint": version.fingerprint, "who": who, "reason": reason}
        with self._database.writing() as connection:
            trail = Trail(connection, CHAIN, run)
            if _standing(connection, books) is not None:
                raise ValueError(f"{books} is signed already")
            connection.execute(insert(signatures).values(**row, signed_at=trail.at))
            kept = connection.execute(select(closes.c.figures, closes.c.heads).where(*_of(books, version.number))).one()
            digest = version_digest(kept.figures, kept.heads)
            trail.add([_told(Event.SIGNED, books, version.fingerprint, signed_words(who, reason), digest)])

    def void(self, books: Books, because: str, run: Run) -> Signature | None:
        """The one that stood until now, where one did."""
        with self._database.writing() as connection:
            trail = Trail(connection, CHAIN, run)
            if (found := _standing(connection, books)) is None:
                return None
            put = update(signatures).where(signatures.c.id == found.id, signatures.c.company == books.stored)
            connection.execute(put.values(voided_at=trail.at, voided_because=because))
            trail.add([_told(Event.SIGNATURE_VOID, books, found.fingerprint, void_words(found.who, because))])
        return next((each for each in self.signatures(books) if each.voided_at), None)


def version_digest(figures: str, heads: str) -> str:
    """Of a version as it is stored: a signature's line has it."""
    return hashlib.blake2b(f"{figures}\0{heads}".encode(), digest_size=16).hexdigest()


def signed_words(who: str, reason: str) -> str:
    return f"by {who}{f': {reason}' if reason else ''}"


def void_words(who: str, because: str) -> str:
    return f"of {who}: {because}"


def _told(event: Event, books: Books, fingerprint: str, detail: str, digest: str | None = None) -> dict[str, Any]:
    return line(event, str(books), fingerprint=fingerprint, detail=detail, remote_id=digest)


def _of(books: Books, version: int) -> tuple[ColumnElement[bool], ...]:
    return closes.c.company == books.stored, closes.c.period == books.period, closes.c.version == version


def _standing(connection: Connection, books: Books) -> Row[Any] | None:
    mine = (signatures.c.company == books.stored, signatures.c.period == books.period)
    return connection.execute(select(signatures).where(*mine, signatures.c.voided_at.is_(None))).first()


def _versions(connection: Connection, books: Books, limit: int | None) -> list[Version]:
    mine = (closes.c.company == books.stored, closes.c.period == books.period)
    rows = connection.execute(select(closes).where(*mine).order_by(closes.c.version.desc()).limit(limit))
    return [
        Version(row.version, row.made_at, row.fingerprint, json.loads(row.figures), json.loads(row.heads))
        for row in rows
    ]


def _signature(row: Row[Any]) -> Signature:
    names = ("version", "fingerprint", "who", "reason", "signed_at", "voided_at", "voided_because")
    return Signature(*(getattr(row, name) for name in names))
