"""What was sent, once for each content. The chain holds a salted hash: an erasure leaves it whole."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, select

from mlc_dagster.core.outcomes import Ready
from mlc_dagster.ledger.bulk import Bulk
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import DIALECTS, Database, chunks, upsert
from mlc_dagster.ledger.records.hold_columns import dated_in
from mlc_dagster.ledger.records.trail import Trail
from mlc_dagster.ledger.tables import contents, deliveries

MARK = "content "
"""What stands in a line of the trail before the hash of what was sent."""


class Sent(NamedTuple):
    """A content that was sent under a key; the trail has each time that it was."""

    fingerprint: str
    content: Any  # plain JSON, Decimals as text
    first_sent_at: datetime


class Delivered(NamedTuple):
    """What a target was given last of a key, as it was sent."""

    partition: str
    version: str
    fingerprint: str
    content: Any  # plain JSON, Decimals as text
    source: str = ""  # fingerprint of the record that it was made from; empty: not known


class Contents:
    """Read by key: all that a record ever was when it was sent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, flow: str, key: str) -> list[Sent]:
        """The oldest first. What was erased is not there."""
        mine = (contents.c.flow == flow, contents.c.key == stored_key(key))
        wanted = select(contents.c.fingerprint, contents.c.content, contents.c.first_sent_at).where(*mine)
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(contents.c.first_sent_at, contents.c.fingerprint)).all()
        return [Sent(row.fingerprint, json.loads(row.content), row.first_sent_at) for row in rows]

    def delivered(self, flow: str, keys: Iterable[str]) -> dict[str, Delivered]:
        """Key -> what was delivered last; not of what a release before kept nothing of, or was erased."""
        stored, found = {stored_key(key): key for key in keys}, dict[str, Delivered]()
        rows = select(deliveries).where(deliveries.c.flow == flow, deliveries.c.fingerprint.is_not(None))
        kept = select(contents).where(contents.c.flow == flow)
        with self._database.reading() as connection:
            for chunk in chunks(list(stored)):
                last = {row.key: row for row in connection.execute(rows.where(deliveries.c.key.in_(chunk)))}
                for row in connection.execute(kept.where(contents.c.key.in_(chunk))):
                    if row.key in last and last[row.key].fingerprint == row.fingerprint:
                        of = last[row.key]
                        where = (of.partition or "", of.version or "", row.fingerprint)
                        source = of.source_fingerprint or ""
                        found[stored[row.key]] = Delivered(*where, json.loads(row.content), source)
        return found


def keep(trail: Trail, attempts: Sequence[Ready]) -> dict[str, str]:
    """Keep what is new of what is about to be sent; stored key -> what the trail says of it, for those."""
    known = _known(trail.connection, trail.flow, attempts)
    new = {stored_key(one.key): one for one in attempts if (stored_key(one.key), one.fingerprint) not in known}
    rows = [(key, one.fingerprint, secrets.token_hex(8), *_kept(one.record)) for key, one in new.items()]
    _KEPT.write(trail.connection, {"flow": trail.flow, "first_sent_at": trail.at}, rows)
    return {key: f"{MARK}{digest(salt, content)}" for key, _, salt, content, _ in rows}


def digest(salt: str, content: str) -> str:
    """The salted hash of a content as it is stored."""
    return hashlib.blake2b(content.encode(), salt=bytes.fromhex(salt), digest_size=16).hexdigest()


def _known(connection: Connection, flow: str, attempts: Iterable[Ready]) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for chunk in chunks([stored_key(one.key) for one in attempts]):
        wanted = select(contents.c.key, contents.c.fingerprint).where(contents.c.flow == flow)
        found.update((row.key, row.fingerprint) for row in connection.execute(wanted.where(contents.c.key.in_(chunk))))
    return found


def _kept(record: Any) -> tuple[str, str]:
    """Decimals and times as text; what is not ASCII is escaped, so that NUL and the like come back exactly. And the day
    that the record tells.
    """
    plain = msgspec.to_builtins(record)
    return json.dumps(plain), (dated_in(plain) or "") if isinstance(plain, dict) else ""


_KEPT = Bulk(
    {dialect: upsert(dialect, contents).on_conflict_do_nothing() for dialect in DIALECTS},
    alike=("flow", "first_sent_at"),
    own=("key", "fingerprint", "salt", "content", "dated"),
)
