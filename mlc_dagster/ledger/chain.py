"""The lines of a flow's trail form a chain: each carries a hash over itself and the line before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from mlc_dagster.ledger.database import upsert
from mlc_dagster.ledger.tables import chains
from mlc_dagster.vocabulary import version_of

HASHED = ("key", "event", "version", "fingerprint", "remote_id", "detail", "run_id", "partition")
"""All columns of a line but id, which the database gives, and those that are hashed by other means. Never change it."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last line of a flow's trail. Whoever keeps it elsewhere can tell later that nobody rewrote the trail."""

    seq: int  # 0: no line yet
    hash: str


START = Head(0, "")


def link(previous: str, flow: str, seq: int, at: str, values: Sequence[str | None]) -> str:
    """The hash of a line: `at` as `version_of` writes it, `values` as they are stored, in the order of HASHED."""
    text = json.dumps([previous, flow, seq, at, *values], default=repr)  # ASCII; two lines never have one text
    return hashlib.blake2b(text.encode("ascii"), digest_size=16).hexdigest()


def chained(head: Head, flow: str, lines: Sequence[Mapping[str, Any]]) -> Iterator[Head]:
    """The head after each line, of lines as they are stored."""
    seq, last = head.seq, head.hash
    for line in lines:
        seq += 1
        last = link(last, flow, seq, version_of(line["at"]), [line[name] for name in HASHED])
        yield Head(seq, last)


def locked(connection: Connection, flow: str) -> Head:
    """The head of a flow's trail; nobody else moves it until this transaction ends."""
    found = connection.execute(_LOCKED, {"of_flow": flow}).first()
    if found is None:
        connection.execute(upsert(connection, chains).on_conflict_do_nothing(), {"flow": flow, "seq": 0, "hash": ""})
        found = connection.execute(_LOCKED, {"of_flow": flow}).one()
    return Head(found.seq, found.hash)


def move(connection: Connection, flow: str, head: Head) -> None:
    connection.execute(_MOVED, {"of_flow": flow, "to_seq": head.seq, "to_hash": head.hash})


_MINE = chains.c.flow == bindparam("of_flow")
_LOCKED = select(chains.c.seq, chains.c.hash).where(_MINE).with_for_update()
_MOVED = update(chains).where(_MINE).values(seq=bindparam("to_seq"), hash=bindparam("to_hash"))
