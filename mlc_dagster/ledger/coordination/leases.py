"""One writer for a name, across threads, processes and machines: to the last request that leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select, update

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.logs import logger
from mlc_dagster.ledger.coordination.pauses import Pause, standing
from mlc_dagster.ledger.database import Database, LedgerUnavailable, clock, upsert
from mlc_dagster.ledger.tables import leases

POLL_SECONDS = 0.25
SECONDS_BETWEEN_WORDS = 60.0
FREE = datetime(1970, 1, 1, tzinfo=UTC)
"""When a lease ends that its owner gave back: what that one sent was answered, or it said otherwise."""
LEFT = FREE + timedelta(seconds=1)
"""The same where something may be under way still. No clock has a part in either: the owner's may be wrong."""
_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
log = logger(__name__)


class LeaseLost(MlcError):
    """Another writer took over, or may have: stop the run. Nothing of the call that found it out was written."""


def boot_time() -> float:
    """Seconds since the machine was started, those in which it slept included; nobody can set this clock."""
    return time.clock_gettime(_BOOT_CLOCK)


@dataclass
class Lease:
    """The right to write for a name. `token` counts up with each owner, so that a late writer is recognised."""

    name: str
    owner: str
    token: int
    seconds: float
    good_until: float  # by the boot clock of this machine
    taken_at: float = 0.0
    taken_from: str = ""  # who did not give it back: what that one sent last may be under way still
    is_settled: bool = True

    def renewed(self, since: float) -> None:
        """The ledger has it as ours, asked at `since`."""
        self.good_until = max(self.good_until, since + self.seconds)

    def quiet_for(self, longest: float) -> float:
        """Seconds until nothing is under way any more that was sent before, where a request takes `longest`."""
        return 0.0 if self.is_settled else max(0.0, self.taken_at + longest - boot_time())

    def settle(self, longest: float) -> None:
        """Wait until a look in the target finds all that the one before has sent."""
        if seconds := self.quiet_for(longest):
            log.info("%s: waiting %.0f s for what %s may have under way", self.name, seconds, self.taken_from)
            time.sleep(seconds)
        self.is_settled = True

    def check(self, call: str) -> None:
        """The last statement before `call` leaves: by this machine's clock it is still ours. Raises LeaseLost."""
        if boot_time() >= self.good_until:
            raise lost(self, call, f"did not renew {self.name} for {self.seconds:g} s, so that another may have it")


def lost(held: Lease, call: str, how: str) -> LeaseLost:
    return LeaseLost(
        f"{held.owner} {how}: {call} was not sent",
        cure="The run that took over looks in the target for what was sent before. Where there is none, run again.",
    )


@contextmanager
def lease(
    database: Database, name: str, owner: str, *, seconds: float, on_wait: Callable[[str], None] | None
) -> Iterator[Lease]:
    held = _wait_for(database, name, owner, seconds, on_wait)
    stop = threading.Event()
    heart = threading.Thread(target=_beat, args=(database, held, stop), name=f"lease {name}", daemon=True)
    heart.start()
    try:
        yield held
    except MlcError:
        raise
    except BaseException:
        held.is_settled = False  # stopped in mid-request: the next one waits for what may be under way
        raise
    finally:
        stop.set()
        heart.join()
        _release(database, held)


def confirm(connection: Connection, held: Lease, now: datetime) -> None:
    """Renew, in the transaction that relies on it. Raises LeaseLost where another one took over."""
    asked_at = boot_time()
    if not _renewed(connection, held, now):
        raise LeaseLost(
            f"{held.owner} lost {held.name}: another writer took over after {held.seconds:g} s of silence",
            cure="Nothing of this is in the ledger. The run that took over looks in the target for what was sent.",
        )
    held.renewed(asked_at)


def ask(database: Database, held: Lease, call: str, target: str) -> Pause | None:
    """Whether it is still ours, asked of the ledger before `call` leaves; in the same look the pause of its target.

    Raises LeaseLost, LedgerUnavailable.
    """
    with database.reading() as connection:
        pause = standing(connection, target)
        found = connection.execute(select(leases.c.token, leases.c.owner).where(leases.c.name == held.name)).one()
    if found.token != held.token:
        raise lost(held, call, f"lost {held.name} to {found.owner}")
    if boot_time() >= held.good_until:
        _renew(database, held)
    held.check(call)
    return pause


def _wait_for(
    database: Database, name: str, owner: str, seconds: float, on_wait: Callable[[str], None] | None
) -> Lease:
    watch = _Watch(name, seconds, on_wait)
    while True:
        asked_at = boot_time()
        with database.writing(hasty=True) as connection:
            token, other = _take(connection, name, owner, seconds, watch.silent)
        if token is not None:
            return Lease(name, owner, token, seconds, asked_at + seconds, boot_time(), other, not other)
        with database.reading() as connection:
            watch.look(connection.execute(select(leases).where(leases.c.name == name)).one())
        time.sleep(POLL_SECONDS)


@dataclass
class _Watch:
    """Another's lease while it is waited for: who lives renews it. When it ends is the word of a clock, which may have
    been a day ahead; that nobody renewed it for its own period is seen by the boot clock of this machine.
    """

    name: str
    seconds: float
    on_wait: Callable[[str], None] | None
    seen: tuple[int, datetime] | None = None
    silent: tuple[int, datetime] | None = None  # token and end of what nobody renewed: it is void
    since: float = 0.0
    told: str | None = None
    told_at: float = field(default_factory=boot_time)

    def look(self, row: Row[Any]) -> None:
        now, found = boot_time(), (row.token, row.expires_at)
        if found != self.seen:
            self.seen, self.since, self.silent = found, now, None
        elif now - self.since > max(self.seconds, row.seconds or 0.0):
            self.silent = found
        if row.owner != self.told and self.on_wait is not None:
            self.on_wait(row.owner)
            self.told, self.told_at = row.owner, now
        elif now - self.told_at > SECONDS_BETWEEN_WORDS:
            self.told_at = now
            words = "%s: still waiting for %s, until that ends or gives no sign of life for %g s"
            log.info(words, self.name, row.owner, row.seconds or self.seconds)


def _take(
    connection: Connection, name: str, owner: str, seconds: float, silent: tuple[int, datetime] | None
) -> tuple[int | None, str]:
    """The token where the lease is ours now, and who did not give it back; None where another has it."""
    now = clock(connection)
    mine = leases.c.name == name
    before = connection.execute(select(leases.c.owner, leases.c.expires_at).where(mine).with_for_update()).first()
    free = leases.c.expires_at <= now
    if silent:
        free = or_(free, and_(leases.c.token == silent[0], leases.c.expires_at == silent[1]))
    statement = upsert(connection.dialect.name, leases)
    new = statement.excluded
    taken = {name: getattr(new, name) for name in ("owner", "expires_at", "seconds")}
    take = statement.on_conflict_do_update(
        index_elements=["name"], set_={**taken, "token": leases.c.token + 1}, where=free
    ).returning(leases.c.token)
    until = now + timedelta(seconds=seconds)
    ours = {"name": name, "owner": owner, "token": 1, "expires_at": until, "seconds": seconds}
    token = connection.execute(take, ours).scalar()
    return token, before.owner if before and before.expires_at > FREE else ""


def _renewed(connection: Connection, held: Lease, now: datetime) -> bool:
    renew = update(leases).where(leases.c.name == held.name, leases.c.token == held.token)
    return connection.execute(renew.values(expires_at=now + timedelta(seconds=held.seconds))).rowcount == 1


def _renew(database: Database, held: Lease) -> bool:
    asked_at = boot_time()
    with database.writing(hasty=True) as connection:
        if not _renewed(connection, held, clock(connection)):
            return False
    held.renewed(asked_at)
    return True


def _beat(database: Database, held: Lease, stop: threading.Event) -> None:
    """Renew at a third of the time: two failures in a row lose nothing. The writer finds a loss before it sends."""
    while not stop.wait(held.seconds / 3):
        try:
            if not _renew(database, held):
                log.warning("lease %s: another writer took over from %s", held.name, held.owner)
                return
        except LedgerUnavailable as error:
            log.warning("lease %s was not renewed: %s", held.name, error.message)


def _release(database: Database, held: Lease) -> None:
    """Let the next one in at once. Where that fails it expires by itself: the end of a run is not lost over it.

    Who has not waited for what the one before had under way leaves that to the next.
    """
    try:
        with database.writing(hasty=True) as connection:
            free = update(leases).where(leases.c.name == held.name, leases.c.token == held.token)
            connection.execute(free.values(expires_at=FREE if held.is_settled else LEFT))
    except LedgerUnavailable as error:
        log.warning("lease %s was not released, it expires in %g s: %s", held.name, held.seconds, error.message)
