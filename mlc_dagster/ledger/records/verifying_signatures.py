"""Whether signatures of month ends, and the versions that they are of, are as the trail tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, select

from mlc_dagster.ledger.columns import storable, stored_key
from mlc_dagster.ledger.entries import Event
from mlc_dagster.ledger.records.closes import CHAIN, Books, signed_words, version_digest, void_words
from mlc_dagster.ledger.tables import attempts, closes, signatures
from mlc_dagster.ledger.tenants import of_tenant

Line = tuple[str, str, str, str]
"""Event, key, fingerprint, words."""


def altered_signatures(connection: Connection) -> Iterator[tuple[str, str]]:
    """(period and company, what): a signature that was changed, slipped in, removed, voided or made good again by hand,
    and a signed version whose figures are others. They are few: all are read.
    """
    told, digests = Counter[Line](), dict[tuple[str, str], str]()
    wanted = select(attempts).where(
        attempts.c.flow == CHAIN, attempts.c.event.in_((Event.SIGNED, Event.SIGNATURE_VOID))
    )
    for row in connection.execute(wanted.order_by(attempts.c.id)):
        told[row.event, row.key, row.fingerprint, row.detail] += 1
        if row.event == Event.SIGNED:
            digests[row.key, row.fingerprint] = row.remote_id or ""
    there = Counter[Line]()
    for row in connection.execute(select(signatures).where(of_tenant(signatures.c.company))):
        there.update(_lines(row))
        if digests.get((_key(row), row.fingerprint)) != _digest(connection, row):
            yield _key(row), f"version {row.version}: other figures than those that were signed"
    for event, key, _, words in (there - told).elements():
        yield key, f"signature: the trail tells of none that is {event} {words}"
    for event, key, _, words in (told - there).elements():
        yield key, f"signature: the trail tells of one that is {event} {words}"


def _lines(row: Row[Any]) -> Iterator[Line]:
    """What the trail tells of it, as far as the row is right."""
    yield Event.SIGNED.value, _key(row), row.fingerprint, storable(signed_words(row.who, row.reason))
    if row.voided_at is not None:
        words = void_words(row.who, row.voided_because or "")
        yield Event.SIGNATURE_VOID.value, _key(row), row.fingerprint, storable(words)


def _key(row: Row[Any]) -> str:
    return stored_key(str(Books(row.company.removeprefix("company "), row.period)))


def _digest(connection: Connection, row: Row[Any]) -> str | None:
    mine = (closes.c.company == row.company, closes.c.period == row.period, closes.c.version == row.version)
    kept = connection.execute(select(closes.c.figures, closes.c.heads).where(*mine)).first()
    return None if kept is None else version_digest(kept.figures, kept.heads)
