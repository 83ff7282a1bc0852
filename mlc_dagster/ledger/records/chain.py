"""The lines of a flow's trail form a chain: each carries a hash over itself and the line before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from mlc_dagster.ledger.database import upsert
from mlc_dagster.ledger.tables import chains

COMMON = ("flow", "at", "run_id", "partition")  # alike in all lines that are written at once
OWN = ("key", "event", "version", "fingerprint", "remote_id", "detail")
"""All columns of a line but its id, which the database gives. What is hashed, and how, never changes."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last line of a flow's trail. Whoever keeps it elsewhere can tell later that nobody rewrote the trail."""

    seq: int  # 0: no line yet
    hash: str


START = Head(0, "")


def canonical(values: Iterable[str | None]) -> str:
    """Each value behind its length, so that two lists never have one text."""
    return "".join(["-," if value is None else f"{len(value)}:{value}," for value in values])


def link(previous: str, seq: int, common: str, own: str) -> str:
    """The hash of a line: of the one before it, its place, and the canonical texts of its COMMON and OWN values.

    Values are as they are stored, `at` as `version_of` writes it.
    """
    return hashlib.blake2b(f"{previous},{seq},{common}{own}".encode(), digest_size=16).hexdigest()


def chained(head: Head, common: Sequence[str], lines: Sequence[dict[str, Any]]) -> Head:
    """Give each line its `seq` and `hash`; the new head. Lines are as they are stored, COMMON is alike in all."""
    seq, last, shared = head.seq, head.hash, canonical(common)
    for line in lines:
        seq += 1
        last = link(last, seq, shared, canonical(_own(line)))
        line["seq"], line["hash"] = seq, last
    return Head(seq, last)


_own = itemgetter(*OWN)


def locked(connection: Connection, flow: str) -> Head:
    """The head of a flow's trail; nobody else moves it until this transaction ends."""
    found = connection.execute(_LOCKED, {"of_flow": flow}).first()
    if found is None:
        connection.execute(
            upsert(connection.dialect.name, chains).on_conflict_do_nothing(), {"flow": flow, "seq": 0, "hash": ""}
        )
        found = connection.execute(_LOCKED, {"of_flow": flow}).one()
    return Head(found.seq, found.hash)


def move(connection: Connection, flow: str, head: Head) -> None:
    connection.execute(_MOVED, {"of_flow": flow, "to_seq": head.seq, "to_hash": head.hash})


_MINE = chains.c.flow == bindparam("of_flow")
_LOCKED = select(chains.c.seq, chains.c.hash).where(_MINE).with_for_update()
_MOVED = update(chains).where(_MINE).values(seq=bindparam("to_seq"), hash=bindparam("to_hash"))
