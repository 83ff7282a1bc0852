"""Decisions that wait for a second person: a proposal is of this content, and void when the content changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, update

from mlc_dagster.ledger.database import Database, upsert
from mlc_dagster.ledger.entries import Event, HoldEntry, Run
from mlc_dagster.ledger.records.differences import Difference
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.tables import proposals
from mlc_dagster.ledger.tenants import of_tenant

LIVES = timedelta(days=14)
CONFIRMED, REFUSED, VOID = "confirmed", "refused", "void"


@dataclass(frozen=True)
class Proposal:
    """What a person proposed, and what became of it."""

    id: int
    flow: str
    key: str
    action: str  # release, discard, accept, restore, ...
    content: str
    company: str
    who: str
    reason: str
    at: datetime
    ended_at: datetime | None = None
    ended_how: str | None = None
    ended_by: str | None = None
    argument: str | None = None  # of a relink: the id in the target
    shown: str | None = None  # JSON: what was looked at, name -> value; None: it is not kept

    @property
    def looked_at(self) -> dict[str, str]:
        """Name -> value, as it was when it was proposed."""
        found: dict[str, str] = json.loads(self.shown) if self.shown else {}
        return found

    def is_too_old(self, now: datetime) -> bool:
        return now - self.at > LIVES


def mark_of(*open_now: HoldEntry | Difference) -> str:
    """Of what is open of a record, as a person looks at it: another content, another mark."""
    told = [
        (one.id, one.version, one.content, *one.rules) if isinstance(one, HoldEntry) else (one.id, one.ours, one.theirs)
        for one in open_now
    ]
    return hashlib.blake2b(json.dumps(told).encode(), digest_size=16).hexdigest()


class Proposals:
    """At most one waits for a key and action: a later one takes its place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def propose(
        self,
        flow: str,
        key: str,
        action: str,
        content: str,
        company: str,
        said: tuple[str, str],
        *,
        argument: str = "",
        shown: Mapping[str, str] | None = None,
    ) -> None:
        """`said`: by whom, and why; `shown`: what he looked at, name -> value."""
        who, reason = said
        with self._database.writing() as connection:
            trail = Trail(connection, flow, Run("review"))
            mine = (proposals.c.flow == flow, proposals.c.key == key, proposals.c.action == action)
            over = {"ended_at": trail.at, "ended_how": f"{VOID}: proposed anew", "ended_by": who}
            connection.execute(update(proposals).where(*mine, proposals.c.ended_at.is_(None)).values(over))
            row: dict[str, object] = {
                "flow": flow,
                "key": key,
                "action": action,
                "content": content,
                "company": company,
            }
            row |= {"who": who, "reason": reason, "at": trail.at, "argument": argument or None}
            row["shown"] = None if shown is None else json.dumps(shown, ensure_ascii=False)
            connection.execute(upsert(connection.dialect.name, proposals), row)
            trail.add([line(Event.PROPOSED, key, fingerprint=content[:200], detail=f"by {who}: {action}: {reason}")])

    def standing(self, flow: str | None = None, key: str | None = None) -> list[Proposal]:
        """Those that wait, the oldest first."""
        whose = of_tenant(proposals.c.flow) if flow is None else proposals.c.flow == flow
        wanted = select(proposals).where(whose, proposals.c.ended_at.is_(None)).order_by(proposals.c.id)
        if key is not None:
            wanted = wanted.where(proposals.c.key == key)
        with self._database.reading() as connection:
            return [_proposal(row) for row in connection.execute(wanted)]

    def of(self, number: int) -> Proposal | None:
        """One, also where it waits no more."""
        wanted = select(proposals).where(proposals.c.id == number, of_tenant(proposals.c.flow, walked=True))
        with self._database.reading() as connection:
            row = connection.execute(wanted).first()
            return None if row is None else _proposal(row)

    def end(self, one: Proposal, how: str, by: str, why: str = "") -> bool:
        """Whether it waited still: of two who end it at once, one does. `how`: confirmed, refused, void."""
        with self._database.writing() as connection:
            trail = Trail(connection, one.flow, Run("review"))
            mine = (proposals.c.id == one.id, proposals.c.ended_at.is_(None))
            told = f"{how}: {why}" if why else how
            over = {"ended_at": trail.at, "ended_how": told, "ended_by": by}
            if not connection.execute(update(proposals).where(*mine).values(over)).rowcount:
                return False
            if how != CONFIRMED:
                detail = f"by {by}: {one.action} proposed by {one.who}: {told}"
                trail.add([line(Event.REFUSED_BY_PERSON, one.key, detail=detail)])
            return True


def _proposal(row: Row[Any]) -> Proposal:
    return Proposal(**row._mapping)
