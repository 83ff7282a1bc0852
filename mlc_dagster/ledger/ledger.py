"""The ledger: what was delivered, what was tried, what is held, what was read; and who may write and call now.

The only way to the database. Each call is one transaction: all of it is on the disk when it returns.
Every call may raise LedgerUnavailable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Self

from sqlalchemy import Connection

from mlc_dagster.core.outcomes import Ready, Saved, State
from mlc_dagster.core.vocabulary import Pull
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.coordination import leases
from mlc_dagster.ledger.coordination.budgets import SharedBudget
from mlc_dagster.ledger.coordination.leases import Lease
from mlc_dagster.ledger.coordination.pauses import Pause
from mlc_dagster.ledger.entries import (
    Answer,
    AsOf,
    Attempt,
    Closing,
    Event,
    Held,
    HoldEntry,
    PullEntry,
    Run,
    Standing,
    as_of,
)
from mlc_dagster.ledger.opening import existing_database, open_database
from mlc_dagster.ledger.records import agreements, deliveries, holds, judging, looks, owners, pulls, trail
from mlc_dagster.ledger.records.settling import Settling
from mlc_dagster.ledger.records.trail import Trail
from mlc_dagster.ledger.sections import Sections
from mlc_dagster.ledger.tenants import checked
from mlc_dagster.ledger.vault import Vault


class Ledger(Sections):
    """Safe to share between threads. Other processes open it by the same address.

    It is of one tenant: of another one's rows it neither sees nor changes any. The empty tenant is whom a ledger of an
    earlier release belongs to.
    """

    @classmethod
    def open(cls, url: str, tenant: str = "") -> Self:
        """The ledger at `sqlite:///folder/ledger.db` or `postgresql://...`, made and migrated where needed.

        Raises Misconfigured when it cannot be reached or written, or is not a ledger that this release understands.
        """
        return cls(open_database(url, checked(tenant)))

    @classmethod
    def existing(cls, url: str, tenant: str = "") -> Self:
        """The one that is there already, to be written; migrated where needed. Raises Misconfigured: there is none."""
        return cls(existing_database(url, checked(tenant), reads_only=False))

    @classmethod
    def to_read(cls, url: str, tenant: str = "") -> Self:
        """The ledger that is there already, as it is. Raises Misconfigured: there is none, or it is of another release.

        Every call that writes raises LedgerUnavailable.
        """
        return cls(existing_database(url, checked(tenant), reads_only=True))

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def judge(self, flow: str, ready: Sequence[Ready]) -> dict[str, Standing]:
        """Key -> what to do with it. In bulk and by index: the size of the ledger does not matter.

        What is older than an attempt without an answer is SUPERSEDED too: that attempt may have reached the target.
        STALE: the source is as it was delivered, and what is made of it now would be another record.
        """
        with self._database.reading() as connection:
            return judging.judge(connection, flow, ready)

    def is_first_load(self, flow: str) -> bool:
        """Whether nothing was ever delivered by this flow. False as soon as the first batch of a first load is in."""
        with self._database.reading() as connection:
            return not deliveries.has_any(connection, flow)

    def began_at(self, flow: str) -> datetime | None:
        """The flow's first attempt ever. A NEW record whose version is older may be in the target by another way."""
        with self._database.reading() as connection:
            return deliveries.began_at(connection, flow)

    def begin(
        self, flow: str, attempts: Sequence[tuple[Ready, str | None]], *, run: Run, lease: Lease | None = None
    ) -> None:
        """Write down what is about to be sent, with the remote id where it is known. Call it before a request leaves.

        Raises LeaseLost, and ValueError where a key stands twice.
        """
        with self._database.writing() as connection:
            deliveries.begin(_trail(connection, flow, run, lease), attempts)

    def note_id(self, flow: str, key: str, remote_id: str, *, run: Run, lease: Lease | None = None) -> None:
        """The target has an id for a key that was begun, but not all of it yet. Raises LeaseLost."""
        with self._database.writing() as connection:
            deliveries.note_id(_trail(connection, flow, run, lease), key, remote_id)

    def finish(
        self,
        flow: str,
        outcomes: Sequence[tuple[Ready, Answer]],
        *,
        run: Run,
        lease: Lease | None = None,
        pair: str = "",
        supersedes: Mapping[str, Mapping[str, str]] | None = None,
        shares: bool = True,
        target: str = "",
    ) -> Sequence[tuple[Ready, Answer]]:
        """Write down the answers. Raises LeaseLost, and ValueError where a key stands twice.

        Saved: delivered, and its hold is closed unless that is newer. Refused: no longer in doubt; an id that the
        target gave is kept, so that the next attempt updates. Unanswered: in doubt from its first attempt on.
        `supersedes`: {flow: {key: what took its place}}: never delivered from now on, whatever its version.
        Where the target does not share its documents, what another key owns is refused. The answers as they are kept.
        """
        if not shares:
            with self._database.reading() as connection:
                outcomes = owners.refused(outcomes, owners.taken(connection, flow, outcomes), target)
        saved = {ready.key: as_of(ready) for ready, answer in outcomes if isinstance(answer, Saved)}
        answers = {ready.key: answer for ready, answer in outcomes if isinstance(answer, Saved)}
        kept = (each for answer in answers.values() for each in (answer.agreed, *answer.also_agreed))
        agreed = dict(each for each in kept if each and pair)
        with self._database.writing() as connection:
            mine = _trail(connection, flow, run, lease)
            deliveries.finish(mine, outcomes)
            looks.answered(mine, answers)
            holds.close(mine, holds.open_up_to(connection, flow, saved), "delivered")
            for other, taken in sorted((supersedes or {}).items()):
                theirs = Trail(connection, other, run)
                new = deliveries.supersede(theirs, taken)
                holds.close(theirs, holds.of_keys(connection, other, new), "superseded")
            agreements.write(mine, pair, agreed)
        return outcomes

    def tell_late(self, flow: str, outcomes: Sequence[tuple[Ready, Answer]], *, run: Run) -> None:
        """Answers to a writer that was overtaken: lines in the trail, and nothing else. The next one has looked."""
        with self._database.writing() as connection:
            Trail(connection, flow, run).add(deliveries.late(outcomes))

    def tell_raised(self, flow: str, raised: Mapping[str, str], *, run: Run) -> None:
        """A line in the trail of each key that a guard held and holds no more: key -> what was changed, by whom."""
        with self._database.writing() as connection:
            told = (trail.line(Event.GUARD_RAISED, key, detail=said) for key, said in raised.items())
            Trail(connection, flow, run).add(told)

    def settle(self, flow: str, settled: Sequence[tuple[Ready, State]], *, run: Run) -> None:
        """Write down what needs no request: records that are UNCHANGED, STALE or SUPERSEDED; others are not looked at.

        Their holds are closed unless newer than what was delivered. Nothing is written where nothing changes, but for
        one line in the trail for each superseded record. What is stale is so from its first look on.
        """
        with self._database.reading() as connection:
            settling = Settling(connection, flow, settled)
        if settling:
            with self._database.writing() as connection:
                settling.write(Trail(connection, flow, run))

    def remote_ids(self, flow: str, keys: Iterable[str] | None = None) -> dict[str, str]:
        """Key -> remote id, of what was delivered; of the whole flow where no keys are named."""
        with self._database.reading() as connection:
            return deliveries.remote_ids(connection, flow, None if keys is None else list(dict.fromkeys(keys)))

    def trail(self, flow: str, key: str) -> list[Attempt]:
        """All that happened to a key, oldest first."""
        with self._database.reading() as connection:
            return trail.read(connection, flow, key)

    def tell_start(self, flow: str, run: Run) -> None:
        """Where a person started the run, a line in the trail says so, also if nothing else comes of it."""
        if run.by and run.by_person:
            with self._database.writing() as connection:
                Trail(connection, flow, run).tell_start()

    def hold(self, flow: str, held: Sequence[Held], *, run: Run, owner: str = "") -> frozenset[str]:
        """Put records on hold: one open hold for a key, replaced when held anew, untouched when nothing changed.

        `owner`: who is asked about them.
        Returns the keys that were not held, since something newer was delivered or is held: they are superseded.
        """
        with self._database.reading() as connection:
            changes = holds.Changes(connection, flow, held)
        if changes:
            with self._database.writing() as connection:
                changes.write(Trail(connection, flow, run), owner)
        return frozenset(each.key for each in changes.superseded)

    def leave(self, flow: str, seen: Mapping[str, AsOf], *, run: Run) -> None:
        """Close the holds of records that are no matter of the flow any more: unless newer than what was seen."""
        if not seen:
            return
        with self._database.reading() as connection:
            if not holds.open_up_to(connection, flow, seen):
                return
        with self._database.writing() as connection:
            mine = Trail(connection, flow, run)
            holds.close(mine, holds.open_up_to(connection, flow, seen), "out_of_scope")

    def close_holds(self, flow: str, keys: Iterable[str], how: Closing, *, run: Run, reason: str = "") -> int:
        """Close the open holds of keys, whatever their version; how many there were."""
        with self._database.writing() as connection:
            mine = Trail(connection, flow, run)
            found = holds.of_keys(connection, flow, list(keys))
            holds.close(mine, found, how, reason)
            return len(found)

    def open_holds(self, flow: str | None = None, rule: str | None = None, limit: int | None = 1000) -> list[HoldEntry]:
        """Open holds, the oldest first; of a flow, or of those in which a rule is named."""
        with self._database.reading() as connection:
            return holds.read(connection, flow, rule, limit)

    def held(self, flow: str, keys: Iterable[str]) -> frozenset[str]:
        """Those of the keys that have an open hold."""
        stored = {stored_key(key): key for key in keys}
        with self._database.reading() as connection:
            return frozenset(stored[row.key] for row in holds.of_keys(connection, flow, list(stored.values())))

    def count_holds(self) -> dict[tuple[str, str], int]:
        """(flow, rule) -> open holds; a hold with two rules counts for both."""
        with self._database.reading() as connection:
            return dict(holds.count(connection))

    def held_partitions(self) -> list[tuple[str, str]]:
        """(flow, partition) of all that is on hold, each once, sorted."""
        with self._database.reading() as connection:
            return holds.partitions(connection)

    def record_pull(self, pull: Pull, *, run: Run) -> None:
        """Write down a read that came to its end."""
        with self._database.writing() as connection:
            pulls.write(connection, pull, run)

    def pulls(
        self, entity: str | None = None, partition: str | None = None, limit: int | None = 100
    ) -> list[PullEntry]:
        """The newest first."""
        with self._database.reading() as connection:
            return pulls.read(connection, entity, partition, limit)

    def last_pull(self, entity: str, partition: str) -> PullEntry | None:
        with self._database.reading() as connection:
            return pulls.last(connection, entity, partition)

    def freshness(self, entity: str | None = None) -> dict[tuple[str, str], datetime]:
        """(entity, partition) -> when its latest read ended."""
        with self._database.reading() as connection:
            return pulls.freshness(connection, entity)

    def lease(
        self, name: str, owner: str, *, seconds: float = 20.0, on_wait: Callable[[str], None] | None = None
    ) -> AbstractContextManager[Lease]:
        """Be the one writer for a name; waits while another is, and tells `on_wait` who it is.

        A writer that was killed is out of the way after `seconds`; what it sent last may be under way for longer.
        Hand the lease to begin, note_id and finish, and ask it before a write leaves.
        """
        return leases.lease(self._database, name, owner, seconds=seconds, on_wait=on_wait)

    def ask_lease(self, lease: Lease, call: str, target: str) -> Pause | None:
        """Before `call` leaves: is the lease still ours? Raises LeaseLost, which says that it was not sent.

        The pause of `target`, where one stands: what follows from it is the caller's matter.
        """
        return leases.ask(self._database, lease, call, target)

    def budget(self, name: str, limit: int, period: float) -> SharedBudget:
        """At most `limit` calls in any `period` seconds, for all who name this budget. Never name it by a secret."""
        return SharedBudget(self._database, name, limit, period)

    def vault(self, master_keys: str) -> Vault:
        """The sealed credentials. Raises Misconfigured where `master_keys` are none."""
        return Vault(self._database, master_keys)


def _trail(connection: Connection, flow: str, run: Run, lease: Lease | None) -> Trail:
    """The flow's trail, for whoever still has the lease. Raises LeaseLost."""
    opened = Trail(connection, flow, run)
    if lease is not None:
        leases.confirm(connection, lease, opened.at)
    return opened
