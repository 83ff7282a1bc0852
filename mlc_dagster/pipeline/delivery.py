"""One load under way: what is sent, in batches, and what comes back, remembered before anything else is sent."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

from mlc_dagster.core import write_guard as departures
from mlc_dagster.core.errors import ThrottledUntil
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.core.logs import logger
from mlc_dagster.core.outcomes import Agreed, Begun, Client, Draft, Outcome, Ready, Refused, Saved, State, Unanswered
from mlc_dagster.core.record_pages import with_page
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.ledger import Decision, Lease, LeaseLost, Ledger, Paused, Run, Standing
from mlc_dagster.pipeline import disagreements, ending, namesakes, stakes
from mlc_dagster.pipeline.batches import EXAMPLES, Slice, chunks
from mlc_dagster.pipeline.changed_back import changed_back
from mlc_dagster.pipeline.drafts import NOTHING_TO_SEND, asked_for, draft_of, superseded
from mlc_dagster.pipeline.fresh import SecondRead
from mlc_dagster.pipeline.kept_back import WhatPeopleDid
from mlc_dagster.pipeline.load_guard import LoadGuard
from mlc_dagster.pipeline.load_result import Loaded
from mlc_dagster.pipeline.ownership import Ownership
from mlc_dagster.pipeline.prepare import held_target
from mlc_dagster.pipeline.systematic_refusals import SystematicRefusal
from mlc_dagster.pipeline.twins import Twins

log = logger("mlc_dagster.pipeline")

ANSWERED = "target_answered"
SECONDS_BETWEEN_WORDS = 5.0
YOUNG = timedelta(days=2)
ROUNDS_IN_VAIN = 3  # of looking for what has no answer, before it is held

Answered = Saved | Refused | Unanswered


@dataclass
class Delivery:
    """One load under way."""

    flow: Flow
    client: Client
    ledger: Ledger
    lease: Lease
    run: Run
    loaded: Loaded
    longest_request: float
    slice: Slice
    account: Callable[[], None] | None
    fresh: SecondRead | None
    people: WhatPeopleDid
    also_unchanged: bool = False
    left: list[Ready] = field(default_factory=list)  # what the one before may have under way
    unanswered: list[Ready] = field(default_factory=list)
    refused: list[tuple[Ready, Refused]] = field(default_factory=list)  # it may not have been the record's fault
    told_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.futility = SystematicRefusal(self.flow.target.system)
        self.ownership = Ownership(self.flow, self.ledger)
        self.guard = LoadGuard(self.ledger, self.lease, self.flow.target.system, self.futility)

    def take(self, prepared: Sequence[Ready]) -> None:
        """Sort by what the ledger says of each; send what must be sent.

        While a discard stands, prepare makes nothing ready under that key: what is ready was so before.
        """
        if not self._is_the_account(len(prepared)):
            return
        decisions = self.ledger.decisions.of(self.flow.name, [one.key for one in prepared])
        away = {key for key, decision in decisions.items() if decision.verdict == "discarded"}
        ready = [one for one in prepared if one.key not in away]
        self.loaded.asked += len(prepared)
        self.loaded.discarded += len(prepared) - len(ready)
        to_send, standings = self._settled(ready, decisions)
        to_send, standings = self._looked_at(to_send, standings, decisions)
        if self.lease.quiet_for(self.longest_request):
            self.left += [one for one in to_send if standings[one.key].state is State.IN_DOUBT]
            to_send = [one for one in to_send if standings[one.key].state is not State.IN_DOUBT]
        self.send(to_send, standings)

    def _settled(
        self, ready: Sequence[Ready], decisions: Mapping[str, Decision]
    ) -> tuple[list[Ready], dict[str, Standing]]:
        """What must be sent, and how each stands; the rest is as it should be, and its holds are over."""
        standings = self.ledger.judge(self.flow.name, ready)
        again = changed_back(self.flow, standings, self.ledger) | self.people.again
        again |= asked_for(standings, decisions, self.also_unchanged)
        done = {key for key, one in standings.items() if one.state in NOTHING_TO_SEND} - again
        settled = [(one, standings[one.key].state) for one in ready if one.key in done]
        self.ledger.settle(self.flow.name, settled, run=self.run)
        counted = Counter(state for _, state in settled)
        self.loaded.unchanged += counted[State.UNCHANGED]
        self.loaded.superseded += counted[State.SUPERSEDED]
        self.loaded.tell_stale([one.key for one, state in settled if state is State.STALE])
        return [one for one in ready if one.key not in done], standings

    def _looked_at(
        self, to_send: list[Ready], standings: dict[str, Standing], decisions: Mapping[str, Decision]
    ) -> tuple[list[Ready], dict[str, Standing]]:
        """What is left to be sent of these when they were looked at in the source once more, where that is due."""
        if self.fresh is None or not to_send or self._is_stopped():
            return to_send, standings
        released = frozenset(key for key, decision in decisions.items() if decision.verdict == "released")
        wanted = {one.key for one in self.fresh.wanted(to_send, released)}
        try:
            reread = self.fresh.read([one for one in to_send if one.key in wanted], standings)
        except ThrottledUntil as error:
            self.loaded.throttled = error
            return to_send, standings
        self.loaded.add(reread)
        anew, now = self._settled(reread.ready, decisions)
        return [one for one in to_send if one.key not in wanted] + anew, {**standings, **now}

    def _is_the_account(self, records: int) -> bool:
        """Raises Misconfigured where it is another. False: the target asks to be left alone, so they are put off."""
        try:
            if self.account:
                self.account()
        except ThrottledUntil as error:
            self.loaded.put_off(records, error)
            return False
        return True

    def look_at_what_was_left(self) -> None:
        """What a writer that was killed or overtaken had sent is looked for when it can be seen, and last."""
        if self.left:
            if not self._is_stopped():
                self.lease.settle(self.longest_request)
            self.send(self.left, self.ledger.judge(self.flow.name, self.left))

    def send(self, ready: Sequence[Ready], standings: dict[str, Standing]) -> None:
        """All that people have not a word in: what they deleted is held, what was accepted stays."""
        if self._is_stopped():
            self.loaded.paused += len(ready)
            return
        ready, twins = Twins(self.flow, self.ledger).sort(ready)
        ready, drafts, kept = self.people.look_at(ready, lambda one: self._draft(one, standings[one.key]))
        for each in (*twins, *kept):
            self._hold(*each)
        self._send(ready, drafts, standings)

    def _send(self, ready: Sequence[Ready], drafts: dict[str, Draft], standings: dict[str, Standing]) -> None:
        for batch in chunks(ready, self.flow.target.batch):
            if self._is_stopped():
                self.loaded.paused += len(batch)
                continue
            attempts = [(one, standings[one.key].remote_id) for one in batch]
            self.ledger.begin(self.flow.name, attempts, run=self.run, lease=self.lease)
            with ending.after_this(), departures.guarded_by(self.guard):
                self._save({one.key: one for one in batch}, [drafts[one.key] for one in batch])
            self.slice.batches += 1
            self._tell()

    def _is_stopped(self) -> bool:
        """Asked before anything of a batch is written down or sent; who was stopped once stays away."""
        if not self.loaded.is_stopped:
            self.loaded.pause = self.ledger.pauses.of(self.flow.target.system)
            self.loaded.gave_way = self.loaded.pause is None and self.slice.is_over
        return self.loaded.is_stopped

    def _save(self, batch: dict[str, Ready], drafts: Iterable[Draft]) -> None:
        """One batch. What is stopped in its midst was begun, so that the next load looks it up first."""
        try:
            self._remember(batch, self.client.save(self.flow.target, drafts))
        except Paused as error:
            self.loaded.pause = error.pause
            self.loaded.paused += len(batch)
        except ThrottledUntil as error:
            self.loaded.throttled = error
            self.loaded.paused += len(batch)

    def hold_what_was_refused(self) -> None:
        refused, self.refused = self.refused, []
        for one, outcome in refused:
            self._hold(one, outcome.rule, outcome.reason)

    def _draft(self, one: Ready, standing: Standing) -> Draft:
        draft = draft_of(one, standing, self._agreed, self.ownership.owner)
        return replace(draft, title=self.flow.title, is_young=self._is_young)

    @cached_property
    def _is_young(self) -> bool:
        """Whether the ledger has begun with this flow lately, or not at all."""
        began = self.ledger.began_at(self.flow.name)
        return began is None or datetime.now(UTC) - began < YOUNG

    def _agreed(self, key: str) -> Agreed | None:
        return self.ledger.agreements.of(self.flow.pair, key) if self.flow.pair else None

    def _tell(self) -> None:
        """A line in the log every few seconds, never for each record."""
        if time.monotonic() - self.told_at > SECONDS_BETWEEN_WORDS:
            self.told_at = time.monotonic()
            log.info("%s %s: %d delivered so far", self.flow.name, self.run.partition, self.loaded.delivered)

    def _remember(self, batch: dict[str, Ready], outcomes: Iterator[Outcome]) -> None:
        """Write what came back before anything else is sent, also when the client gives up in mid-batch.

        Takes what was answered out of the batch.
        """
        last_words: list[tuple[Ready, Answered]] = []
        try:
            for outcome in outcomes:
                one = batch[outcome.draft.key]
                self.ownership.note(outcome)
                if isinstance(outcome, Begun):
                    if self.ownership.owner(one.key, outcome.remote_id):
                        continue  # another key's: this one never has its id
                    self.ledger.note_id(self.flow.name, one.key, outcome.remote_id, run=self.run, lease=self.lease)
                else:
                    last_words.append((one, self._with_page(one, outcome)))
        finally:
            for one, outcome in self._write_down(last_words):
                self._count(batch.pop(one.key), outcome)
            if not self.futility.is_suspected:
                self.hold_what_was_refused()

    def _with_page(self, one: Ready, outcome: Answered) -> Answered:
        """Of what the target took: where people see it, which the first few of a load are shown with."""
        if not isinstance(outcome, Saved):
            return outcome
        saved = with_page(self.flow.target.page, outcome)
        self.loaded.show(one.key, saved)
        return saved

    def _write_down(self, last_words: Sequence[tuple[Ready, Answered]]) -> Sequence[tuple[Ready, Answered]]:
        """What counts of it: a document that is another key's is refused.

        Raises LeaseLost, which says how much was answered all the same: that is in the trail, and looked for."""
        flow, run = self.flow, self.run
        taken = superseded(flow, last_words)
        self.loaded.differing += disagreements.remember(flow.name, last_words, self.ledger, self.run)
        stakes.remember(flow, last_words, self.ledger)
        try:
            kept = self.ledger.finish(
                flow.name,
                last_words,
                run=run,
                lease=self.lease,
                pair=flow.pair,
                supersedes=taken,
                shares=flow.target.shares,
                target=flow.title or flow.target.system,
            )
        except LeaseLost as lost:
            self.ledger.tell_late(flow.name, last_words, run=run)
            saved = sum(isinstance(outcome, Saved) for _, outcome in last_words)
            words = f"{lost.message}; {flow.target.system} took {saved} record(s) of this batch before that"
            raise LeaseLost(words, cure=lost.cure) from lost
        self.loaded.differing += self.ownership.tell_shared(self.run)
        steps = [outcome.bank for _, outcome in last_words if isinstance(outcome, Saved) and outcome.bank]
        self.ledger.bank_marks.follow(f"{ERP}/suppliers_from_{flow.spoke}", steps)
        created = [one.key for one, outcome in last_words if isinstance(outcome, Saved) and outcome.action == "created"]
        self.loaded.differing += namesakes.tell_alike(self.flow, created, self.ledger, self.run)
        return kept

    def _count(self, one: Ready, outcome: Answered) -> None:
        if isinstance(outcome, Saved):
            setattr(self.loaded, outcome.action, getattr(self.loaded, outcome.action) + 1)
        elif isinstance(outcome, Refused):
            self.refused.append((one, outcome))
        else:
            self.unanswered.append(one)
            which = (self.flow.name, one.key, outcome.reason)
            log.warning("%s %s: no answer (%s); it is looked up before anything is sent again", *which)

    def look_again(self) -> None:
        """What has no answer is looked up, and sent again where it is not there, as long as that helps.

        What still has no answer is held, and stays in doubt.
        """
        in_vain = 0
        while self.unanswered and in_vain < ROUNDS_IN_VAIN:
            doubtful, self.unanswered = self.unanswered, []
            self.send(doubtful, self.ledger.judge(self.flow.name, doubtful))
            in_vain = in_vain + 1 if len(self.unanswered) == len(doubtful) else 0
        for one in self.unanswered:
            self._hold(one, ANSWERED, f"{self.flow.target.system} gave no answer; the next load looks it up first")

    def _hold(self, one: Ready, rule: str, reason: str) -> None:
        held = held_target(one, (Problem(rule, reason),), self.run.partition)
        self.ledger.hold(self.flow.name, [held], run=self.run, owner=self.flow.owner)
        self.loaded.held += 1
        if len(self.loaded.reasons) < EXAMPLES:
            self.loaded.reasons[one.key] = reason
