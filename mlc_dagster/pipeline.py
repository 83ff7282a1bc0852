"""A row's journey as plain functions: prepare() maps and judges, load() delivers and remembers."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any, TypeVar

import msgspec

from mlc_dagster.ledger import Held, Lease, Ledger, Run, Standing
from mlc_dagster.outcomes import Begun, Client, Draft, Outcome, Ready, Refused, Saved, State, Unanswered
from mlc_dagster.vocabulary import Facts, Flow, Problem, Record, fingerprint, record_key, version_of

log = logging.getLogger("mlc_dagster.pipeline")

T = TypeVar("T")
AsRead = tuple[Record | None, str | None, str | None]
"""A record, its ETag, and why it could not be read (JSON text) where the record is None."""

READABLE = "record_is_readable"
MAPPABLE = "record_can_be_mapped"
ACCEPTED = "target_accepts_it"
ANSWERED = "target_answered"
BUILT_IN = {
    READABLE: "The row has its key, and every value fits its field.",
    MAPPABLE: "The mapping has what it needs.",
}
EVER = datetime(1970, 1, 1, tzinfo=UTC)
JUDGED_AT_ONCE = 1000  # records whose standing is looked up in one go
SECONDS_BETWEEN_WORDS = 5.0
EXAMPLES = 200  # held records that a verdict names


def chunks(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """The things in lists of `size`, the last one shorter."""
    iterator = iter(things)
    while chunk := list(islice(iterator, size)):
        yield chunk


# --- prepare --------------------------------------------------------------------------------------------------------


@dataclass
class Verdict:
    """The account of one prepare. ready + held + superseded = read."""

    partition: str
    read: int = 0
    ready: int = 0
    held: int = 0
    superseded: int = 0  # not held: something newer was delivered, or is held
    held_by: Counter[str] = field(default_factory=Counter)  # rule -> records; a record may break several
    examples: dict[str, list[tuple[str, Problem]]] = field(default_factory=dict)  # rule -> (key, problem)
    blocked: dict[str, str] = field(default_factory=dict)  # rule -> why the whole partition is held

    def count(self, held: Sequence[Held]) -> None:
        for one in held:
            for problem in one.problems:
                self.held_by[problem.rule] += 1
                named = self.examples.setdefault(problem.rule, [])
                if len(named) < EXAMPLES:
                    named.append((one.key, problem))
        self.held += len(held)


def prepare(
    flow: Flow, batches: Iterable[Iterable[AsRead]], facts: Facts, ledger: Ledger, run: Run, verdict: Verdict
) -> Iterator[list[Ready]]:
    """Map and judge the rows of one partition; what is ready comes out, what is not is held in the ledger.

    Where there is nothing to validate against (`facts.unusable`), every record is held with that reason.
    """
    verdict.blocked.update(facts.unusable)
    for batch in batches:
        rows = list(batch)
        known = replace(facts, delivered=_delivered(flow, rows, ledger))
        judged = [judge(flow, row, known, run.partition) for row in rows]
        ready = [one for one in judged if isinstance(one, Ready)]
        held = [one for one in judged if isinstance(one, Held)]
        passed = ledger.hold(flow.name, held, run=run)
        verdict.read += len(rows)
        verdict.ready += len(ready)
        verdict.superseded += sum(one.key in passed for one in held)
        verdict.count([one for one in held if one.key not in passed])
        yield ready


def _delivered(flow: Flow, rows: Sequence[AsRead], ledger: Ledger) -> dict[str, dict[str, str]]:
    """The remote ids of what these rows refer to: {flow: {key: remote id}}."""
    if flow.needs_key is None:
        return {}
    wanted: dict[str, set[str]] = {needed: set() for needed in flow.needs}
    for record, _, _ in rows:
        for needed, key in flow.needs_key(record).items() if record is not None else ():
            wanted[needed].add(key)
    return {needed: ledger.remote_ids(needed, keys) for needed, keys in wanted.items()}


def judge(flow: Flow, row: AsRead, facts: Facts, partition: str) -> Ready | Held:
    """One row becomes ready, or is held with every rule that it breaks."""
    record, etag, unreadable = row
    if record is None:
        return _unreadable(etag, unreadable or "{}", partition)
    key = record_key(record, flow.source.keys)
    version = version_of(getattr(record, flow.source.modified or "last_modified", None))
    problems = [Problem(rule, reason) for rule, reason in facts.unusable.items()]
    if not problems:
        try:
            mapped = flow.mapping(record, facts)
        except (ValueError, ArithmeticError, LookupError, msgspec.ValidationError) as error:
            problems = [Problem(MAPPABLE, f"{type(error).__name__}: {error}")]
        else:
            problems = [problem for rule in flow.rules if (problem := rule(record, mapped, facts))]
            if not problems:
                return Ready(key, version, fingerprint(mapped), mapped)
    return Held(key, version, tuple(problems), msgspec.to_builtins(record), partition)


def _unreadable(etag: str | None, text: str, partition: str) -> Held:
    """A row that fits no record is held under what could be read of its key, or under its ETag."""
    found = msgspec.json.decode(text)
    key = found.get("key") or f"unreadable {etag or hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"
    reason = found.get("reason", "the row does not fit its record")
    return Held(key, "", (Problem(READABLE, reason),), {"row": found.get("row", text)}, partition)


def hold_all(flow: Flow, ready: Iterable[Ready], rule: str, reason: str, ledger: Ledger, run: Run) -> int:
    """One failure blocks the partition: what was ready is held as well. How many."""
    held = 0
    for chunk in chunks(ready, JUDGED_AT_ONCE):
        problem = (Problem(rule, reason),)
        entries = [Held(one.key, one.version, problem, msgspec.to_builtins(one.record), run.partition) for one in chunk]
        held += len(entries) - len(ledger.hold(flow.name, entries, run=run))
    return held


# --- load -----------------------------------------------------------------------------------------------------------


@dataclass
class Loaded:
    """The account of one load. created + updated + adopted + unchanged + superseded + held = asked."""

    asked: int = 0
    created: int = 0
    updated: int = 0
    adopted: int = 0
    unchanged: int = 0
    superseded: int = 0
    held: int = 0
    seconds: float = 0.0
    reasons: dict[str, str] = field(default_factory=dict)  # key -> why the target refused it; the first few

    @property
    def delivered(self) -> int:
        return self.created + self.updated + self.adopted


def load(
    flow: Flow,
    ready: Iterable[Ready],
    client: Client,
    ledger: Ledger,
    run: Run,
    *,
    lease_seconds: float = 30.0,
) -> Loaded:
    """Deliver what is new or changed, look first where an earlier attempt has no answer, and remember each outcome.

    One writer for a flow at a time: a second load waits, and then finds everything unchanged. A writer that was killed
    is out of the way after `lease_seconds`.
    Raises AccessDenied, TransientError, Misconfigured; what was delivered until then is in the ledger.
    """
    loaded, started = Loaded(), time.monotonic()

    def waiting(owner: str) -> None:
        log.info("%s: waiting for run %s, which is delivering", flow.name, owner)

    with ledger.lease(f"load {flow.name}", run.run_id, seconds=lease_seconds, on_wait=waiting) as lease:
        delivery = _Delivery(flow, client, ledger, lease, run, loaded)
        for chunk in chunks(ready, JUDGED_AT_ONCE):
            delivery.take(chunk)
        delivery.look_again()
    loaded.seconds = time.monotonic() - started
    return loaded


@dataclass
class _Delivery:
    """One load under way."""

    flow: Flow
    client: Client
    ledger: Ledger
    lease: Lease
    run: Run
    loaded: Loaded
    unanswered: list[Ready] = field(default_factory=list)
    told_at: float = field(default_factory=time.monotonic)

    def take(self, ready: Sequence[Ready]) -> None:
        """Sort by what the ledger says of each; send what must be sent."""
        standings = self.ledger.judge(self.flow.name, ready)
        settled = [(one, standings[one.key].state) for one in ready if standings[one.key].state in _NOTHING_TO_SEND]
        self.ledger.settle(self.flow.name, settled, run=self.run)
        counted = Counter(state for _, state in settled)
        self.loaded.asked += len(ready)
        self.loaded.unchanged += counted[State.UNCHANGED]
        self.loaded.superseded += counted[State.SUPERSEDED]
        self.send([one for one in ready if standings[one.key].state not in _NOTHING_TO_SEND], standings)

    def send(self, ready: Sequence[Ready], standings: dict[str, Standing]) -> None:
        for batch in chunks(ready, self.flow.target.batch):
            attempts = [(one, standings[one.key].remote_id) for one in batch]
            self.ledger.begin(self.flow.name, attempts, run=self.run, lease=self.lease)
            drafts = {one.key: _draft(one, standings[one.key]) for one in batch}
            self._remember({one.key: one for one in batch}, self.client.save(self.flow.target, drafts.values()))
            self._tell()

    def _tell(self) -> None:
        """A line in the log every few seconds, never for each record."""
        if time.monotonic() - self.told_at > SECONDS_BETWEEN_WORDS:
            self.told_at = time.monotonic()
            log.info("%s %s: %d delivered so far", self.flow.name, self.run.partition, self.loaded.delivered)

    def _remember(self, batch: dict[str, Ready], outcomes: Iterator[Outcome]) -> None:
        """Write what came back before anything else is sent, also when the client gives up in mid-batch."""
        last_words: list[tuple[Ready, Saved | Refused | Unanswered]] = []
        try:
            for outcome in outcomes:
                one = batch[outcome.draft.key]
                if isinstance(outcome, Begun):
                    self.ledger.note_id(self.flow.name, one.key, outcome.remote_id, run=self.run, lease=self.lease)
                else:
                    last_words.append((one, outcome))
        finally:
            self.ledger.finish(self.flow.name, last_words, run=self.run, lease=self.lease)
            for one, outcome in last_words:
                self._count(one, outcome)

    def _count(self, one: Ready, outcome: Saved | Refused | Unanswered) -> None:
        if isinstance(outcome, Saved):
            setattr(self.loaded, outcome.action, getattr(self.loaded, outcome.action) + 1)
        elif isinstance(outcome, Refused):
            self._hold(one, ACCEPTED, outcome.reason)
        else:
            self.unanswered.append(one)
            log.warning("%s %s: no answer (%s); it is looked up before anything is sent again", *self._of(one, outcome))

    def _of(self, one: Ready, outcome: Unanswered) -> tuple[str, str, str]:
        return self.flow.name, one.key, outcome.reason

    def look_again(self) -> None:
        """What was not answered is looked up once more, now; what still has no answer is held, and stays in doubt."""
        doubtful, self.unanswered = self.unanswered, []
        if doubtful:
            self.send(doubtful, self.ledger.judge(self.flow.name, doubtful))
        for one in self.unanswered:
            self._hold(one, ANSWERED, f"{self.flow.target.system} gave no answer; the next load looks it up first")

    def _hold(self, one: Ready, rule: str, reason: str) -> None:
        row: dict[str, Any] = msgspec.to_builtins(one.record)
        held = Held(one.key, one.version, (Problem(rule, reason),), row, self.run.partition)
        self.ledger.hold(self.flow.name, [held], run=self.run)
        self.loaded.held += 1
        if len(self.loaded.reasons) < EXAMPLES:
            self.loaded.reasons[one.key] = reason


_NOTHING_TO_SEND = frozenset({State.UNCHANGED, State.SUPERSEDED})


def _draft(one: Ready, standing: Standing) -> Draft:
    """New: look for it from ever, a first load adopts what is there. In doubt: from when the attempt was made."""
    look_since = standing.since if standing.state is State.IN_DOUBT else EVER if standing.state is State.NEW else None
    return Draft(one.key, one.record, standing.remote_id, look_since)
