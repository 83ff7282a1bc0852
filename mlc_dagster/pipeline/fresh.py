"""Nothing stored is delivered without a look: what was read a while ago, or was on hold, is read again by its key.

Between the read and the first delivery a record may have been cancelled, deleted, voided or changed, its account
blocked, its period closed. What is read now is judged by today's facts, as prepare would; what is unchanged in the
target is not asked for at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from mlc_dagster.core.difference_kinds import GONE_IN_THE_SOURCE
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.core.outcomes import Ready, State
from mlc_dagster.core.vocabulary import Record, record_key
from mlc_dagster.ledger import Ledger, Run, Standing
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.pipeline.prepare import AsRead, Look, Numbered, Verdict, held_target, prepare

THERE = "is_still_in_the_source"
"""The rule under which a record is held that is gone, where nobody can say that it was taken away on purpose."""
MOST_GONE = 20
"""So many at once are no deletions: rights, or a filter of the service, have changed."""

ByKeys = Callable[[Sequence[str], datetime | None], Iterable[AsRead]]
"""(keys, when the one that was changed longest ago was changed) -> the rows of those that are there."""
Ask = Callable[[], tuple[Facts, Look | None]]
"""Today's facts, and how the target is asked what it has. Called where something is looked at, and not before."""


@dataclass
class Reread:
    """What came of a look. ready + held + gone + superseded + discarded + out of scope = asked."""

    ready: list[Ready] = field(default_factory=list)
    held: int = 0
    gone: int = 0
    superseded: int = 0
    discarded: int = 0
    out_of_scope: int = 0
    reasons: dict[str, str] = field(default_factory=dict)  # key -> why it is held


@dataclass
class SecondRead:
    """The look of one load. `is_old`: whether its rows are older now than they may be. `read_here`: by this very run;
    else what was on hold, or released, is looked at whatever its age.
    """

    flow: Flow
    ledger: Ledger
    run: Run
    by_keys: ByKeys
    ask: Ask
    is_old: Callable[[], bool]
    read_here: bool = False
    today: Callable[[], date] = lambda: datetime.now(UTC).date()

    def wanted(self, ready: Sequence[Ready], released: frozenset[str]) -> list[Ready]:
        """Those of what is about to be sent that are looked at first."""
        if self.is_old():
            return list(ready)
        if self.read_here:
            return []
        waited = self.ledger.held(self.flow.name, [one.key for one in ready]) | released
        return [one for one in ready if one.key in waited]

    def read(self, ready: Sequence[Ready], standings: Mapping[str, Standing]) -> Reread:
        """Read these again, and judge them by today's facts. Raises as the source's `by_keys` and prepare's look."""
        if not ready:
            return Reread()
        asked = {one.key: one for one in ready}
        number = self.ledger.reads.begin("/".join(self.flow.source.key), self.run.partition, self.run.run_id)
        rows = {_key(row, self.flow): row for row in self.by_keys(list(asked), _earliest(ready))}
        found = self._judged([rows[key] for key in asked if key in rows], number)
        gone = [one for key, one in asked.items() if key not in rows]
        if gone:
            self._tell(gone, standings, found)
        return found

    def _judged(self, rows: Sequence[AsRead], number: int) -> Reread:
        """Each in the partition that it belongs to now: what was changed since is of another day."""
        found = Reread()
        if not rows:
            return found
        facts, look = self.ask()
        for partition, some in self._by_partition(rows).items():
            verdict, run = Verdict(partition), replace(self.run, partition=partition)
            for ready in prepare(self.flow, [Numbered(some, number)], facts, self.ledger, run, verdict, look):
                found.ready += ready
            found.held += verdict.held
            found.superseded += verdict.superseded
            found.discarded += verdict.discarded
            found.out_of_scope += verdict.out_of_scope.total()
            found.reasons |= {key: each.reason for some in verdict.examples.values() for key, each in some}
        return found

    def _by_partition(self, rows: Iterable[AsRead]) -> dict[str, list[AsRead]]:
        found: dict[str, list[AsRead]] = {}
        for row in rows:
            found.setdefault(self._place(row[0]), []).append(row)
        return found

    def _place(self, record: Record | None) -> str:
        source = self.flow.source
        if record is None or source.partition != "day" or source.delta == "sweep" or source.modified is None:
            return self.run.partition
        modified: datetime | None = getattr(record, source.modified, None)
        day = modified.astimezone(UTC).date() if modified else None
        return max(self.run.partition, day.isoformat()) if day and day <= self.today() else self.run.partition

    # --- what is gone -------------------------------------------------------------------------------------------------

    def _tell(self, gone: Sequence[Ready], standings: Mapping[str, Standing], found: Reread) -> None:
        """Its hold is over, and the trail says why. What may be in the target, and too many at once, are held."""
        if len(gone) > MOST_GONE:
            self._hold(gone, f"{len(gone)} records at once: have rights or a filter changed?", found)
            return
        doubtful = [one for one in gone if standings[one.key].state is State.IN_DOUBT]
        why = f"An attempt to deliver it has no answer: look in {self.flow.target.system}, then discard this hold."
        self._hold(doubtful, why, found)
        over = [one for one in gone if standings[one.key].state is not State.IN_DOUBT]
        self.ledger.gone.tell(self.flow.name, {one.key: one.version for one in over}, run=self.run)
        delivered = [one.key for one in over if standings[one.key].delivered_version is not None]
        self.ledger.differences.see(self.flow.name, [Found(key, GONE_IN_THE_SOURCE) for key in delivered], self.run)
        found.gone += len(over)

    def _hold(self, gone: Sequence[Ready], why: str, found: Reread) -> None:
        reason = f"{self.flow.source.system} does not have the record any more. {why}"
        held = [held_target(one, (Problem(THERE, reason),), self.run.partition) for one in gone]
        passed = self.ledger.hold(self.flow.name, held, run=self.run, owner=self.flow.owner) if held else frozenset()
        found.held += len(held) - len(passed)
        found.superseded += len(passed)
        found.reasons |= {one.key: reason for one in held if one.key not in passed}


def _key(row: AsRead, flow: Flow) -> str:
    """Of a row that fits no record the key that could be read of it."""
    record, etag, unreadable = row
    if record is not None:
        return record_key(record, flow.source.keys)
    return str(json.loads(unreadable or "{}").get("key") or f"unreadable {etag}")


def _earliest(ready: Iterable[Ready]) -> datetime | None:
    """When the one was changed that was changed longest ago; None where nobody says so."""
    texts = [one.version for one in ready if len(one.version) > len("2026-11-05")]
    return min(map(datetime.fromisoformat, texts), default=None)
