"""Which account each connection leads to; and what becomes of its deliveries where it leads to another one."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, select, update

from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.entries import Event, Run
from mlc_dagster.ledger.records import setting_aside
from mlc_dagster.ledger.records.trail import Trail, line
from mlc_dagster.ledger.tables import accounts, attempts, deliveries, leases
from mlc_dagster.ledger.tenants import of_tenant

_STANDS = accounts.c.replaced_at.is_(None)
SAME_ACCOUNT = Run("mlc ledger same-account")


class Sampled(NamedTuple):
    """A delivery by which an account is judged."""

    flow: str
    key: str
    remote_id: str


class AccountRefused(MlcError):
    """The account was not replaced: nothing has changed."""


@dataclass(frozen=True)
class KnownAccount:
    """The account that a connection led to when it was last written to."""

    connection: str  # the section of mlc.yaml: "hubspot"
    identity: str  # the system's own immutable id of it; never a credential, a host or a display name
    title: str
    noted_at: datetime
    noted_by: str


class Accounts:
    """One account stands for a connection; those that it replaced are kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self, connection: str) -> KnownAccount | None:
        """The one that stands; None where none was ever noted."""
        wanted = select(accounts).where(accounts.c.connection == connection, _STANDS)
        with self._database.reading() as opened:
            row = opened.execute(wanted).first()
        return None if row is None else _known(row)

    def history(self, connection: str) -> list[KnownAccount]:
        """All that it ever led to, the newest first."""
        wanted = select(accounts).where(accounts.c.connection == connection).order_by(accounts.c.id.desc())
        with self._database.reading() as opened:
            return [_known(row) for row in opened.execute(wanted)]

    def note(self, connection: str, identity: str, title: str, who: str, *, over_another: bool = True) -> KnownAccount:
        """From now on it is this account: the first time, or as a person says that it is the same one under a new name.

        Its deliveries stay. Nothing is written where it is so already. The one that stands now is returned.

        `over_another=False`: where one with another id stands, that one stays; of several at one moment, the first.
        """
        with self._database.writing() as opened:
            return _note(opened, connection, identity, title, who, over_another=over_another)

    def concerned(self, connection: str, flows: Sequence[str]) -> int:
        """How many records these flows of the connection delivered, whose id in the target is known."""
        with self._database.reading() as opened:
            return int(opened.execute(_delivered(select(func.count()), flows)).scalar_one())

    def sample(self, flows: Sequence[str], count: int = 3) -> list[Sampled]:
        """At most `count` deliveries: in turns from each flow, its newest first. None of which a person said that it is
        not there any more.
        """
        found: list[Sampled] = []
        with self._database.reading() as opened:
            newest = deque(_newest(opened, flow, count) for flow in dict.fromkeys(flows))
            while newest and len(found) < count:
                of_flow = newest.popleft()
                if (one := next(of_flow, None)) is not None:
                    found.append(one)
                    newest.append(of_flow)
        return found

    def absent(self, missing: Sequence[Sampled], who: str, reason: str) -> None:
        """By a person's word these are not there any more, and the account is the same: it is not judged by them again.
        They stay delivered; each has a line in the trail. What is made anew, under another id, counts again.

        Raises AccountRefused where it is not said who and why.
        """
        if not (who.strip() and reason.strip()):
            raise AccountRefused("it is not said by whom, or why, these are not there", cure="The trail keeps both.")
        with self._database.writing() as opened:
            for flow in sorted({one.flow for one in missing}):
                mine = (one for one in missing if one.flow == flow)
                said = f"not there any more, and the same account; by {who.strip()}: {reason.strip()}"
                lines = [line(Event.ABSENT, one.key, remote_id=one.remote_id, detail=said) for one in mine]
                Trail(opened, flow, SAME_ACCOUNT).add(lines)

    def renew(self, connection: str, identity: str, title: str, who: str, reason: str, flows: Sequence[str]) -> int:
        """From now on it is another account: what these flows delivered to the one before is set aside, not deleted.

        With it go attempts without an answer, first attempts, and what both sides agreed on (the pairs that bear the
        name of one of the flows). Each record is looked up in the target first then, as on a first load. A line in the
        trail of each flow, and of each record. What another record took the place of is still never delivered; holds
        and decisions stand.

        Returns how many delivered records that were, as `concerned` counts them. Raises AccountRefused where somebody
        writes, or it is not said who and why.
        """
        if not (who.strip() and reason.strip()):
            raise AccountRefused(
                f"{connection}: it is not said {'why' if who.strip() else 'by whom'} its account is replaced",
                cure="The trail keeps who decided, and why.",
            )
        with self._database.writing() as opened:
            _nobody_writes(opened, connection)
            before = opened.execute(select(accounts).where(accounts.c.connection == connection, _STANDS)).first()
            number = int(opened.execute(_delivered(select(func.count()), flows)).scalar_one())
            was = setting_aside.Account(connection, "" if before is None else before.identity)
            said = f"{connection} leads to {title or identity} now; by {who.strip()}: {reason.strip()}"
            for flow in sorted(set(flows)):  # two at once cannot block each other
                setting_aside.set_aside(opened, flow, was, said)
            _note(opened, connection, identity, title, who)
        return number


def _note(
    opened: Connection, connection: str, identity: str, title: str, who: str, *, over_another: bool = True
) -> KnownAccount:
    ours = (accounts.c.connection == connection, _STANDS)
    row = opened.execute(select(accounts).where(*ours).with_for_update()).first()
    if row is not None and (row.identity, row.title) == (identity, title):
        return _known(row)
    if row is not None and row.identity not in ("", identity) and not over_another:
        return _known(row)
    now = clock(opened)
    if row is not None:  # that one alone: what was noted since we looked is not ours to replace
        opened.execute(update(accounts).where(accounts.c.id == row.id).values(replaced_at=now))
    new = {"connection": connection, "identity": identity, "title": title, "noted_at": now, "noted_by": who}
    first = upsert(opened.dialect.name, accounts).values(**new).on_conflict_do_nothing().returning(accounts)
    made = opened.execute(first).first()  # none: another run noted one at this moment, and that one stands
    return _known(made or opened.execute(select(accounts).where(*ours)).one())


def _known(row: Row[Any]) -> KnownAccount:
    return KnownAccount(row.connection, row.identity, row.title, row.noted_at, row.noted_by)


def _delivered(wanted: Select[Any], flows: Sequence[str]) -> Select[Any]:
    there = (deliveries.c.remote_id.is_not(None), deliveries.c.fingerprint.is_not(None))
    return wanted.select_from(deliveries).where(deliveries.c.flow.in_(list(dict.fromkeys(flows))), *there)


def _newest(opened: Connection, flow: str, count: int) -> Iterator[Sampled]:
    """At most `count`, without those of which a person said that they are not there."""
    columns = select(deliveries.c.flow, deliveries.c.key, deliveries.c.remote_id)
    wanted = _delivered(columns, [flow]).order_by(deliveries.c.delivered_at.desc(), deliveries.c.key).limit(count)
    found = 0
    for offset in itertools.count(step=count):
        page = [Sampled(*row) for row in opened.execute(wanted.offset(offset))]
        for one in (one for one in page if not _is_absent(opened, one)):
            yield one
            found += 1
        if len(page) < count or found >= count:
            return


def _is_absent(opened: Connection, one: Sampled) -> bool:
    """By a person's word, of that very id."""
    mine = (attempts.c.flow == one.flow, attempts.c.key == stored_key(one.key), attempts.c.event == Event.ABSENT.value)
    said = select(attempts.c.id).where(*mine, attempts.c.remote_id == one.remote_id).limit(1)
    return opened.execute(said).first() is not None


def _nobody_writes(opened: Connection, connection: str) -> None:
    held = select(leases).where(of_tenant(leases.c.name), leases.c.expires_at > clock(opened)).order_by(leases.c.name)
    if (found := opened.execute(held).first()) is not None:
        raise AccountRefused(
            f"the account of {connection} is not replaced: {found.owner} has {found.name}",
            cure="Stop Dagster, and wait until its runs have ended. Nothing was changed.",
        )
