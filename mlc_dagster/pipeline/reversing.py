"""Documents that their source took back are reversed in the target, where mlc.yaml says so: once each, or held.

Only what the trail says we created, and what the source states this very moment. The reversal is a delivery of its own,
under `<key>/R1`: looked for before it is sent, in doubt after a lost answer, as every other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from mlc_dagster.core.difference_kinds import TAKEN_BACK
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.core.logs import logger
from mlc_dagster.core.outcomes import Client, Ready, State
from mlc_dagster.core.vocabulary import Record, fingerprint, record_key
from mlc_dagster.ledger import Held, Ledger, Run
from mlc_dagster.ledger.records.posted import Posted
from mlc_dagster.pipeline import guards
from mlc_dagster.pipeline.batches import JUDGED_AT_ONCE, chunks
from mlc_dagster.pipeline.fresh import ByKeys
from mlc_dagster.pipeline.load import load
from mlc_dagster.pipeline.load_result import Loaded
from mlc_dagster.pipeline.prepare import facts_of
from mlc_dagster.pipeline.taken_back import REVERSED, reversal_key, reversal_name

MOST = 5
"""Reversals of one run, unless mlc.yaml says otherwise."""
CERTAIN = "reversal_is_certain"
_BEGUN = frozenset({State.IN_DOUBT, State.UNCHANGED})

log = logger("mlc_dagster.pipeline")


@dataclass
class Reversed:
    """What came of it. `numbers`: key -> the number of what reversed its document."""

    asked: int = 0  # taken back, and not yet reversed
    held: int = 0
    guarded: str = ""  # why none was sent
    loaded: Loaded = field(default_factory=Loaded)
    numbers: dict[str, str] = field(default_factory=dict)


def reversing_flow(flow: Flow) -> Flow:
    """The flow as the ledger and the target know it that reverses the documents of another; one writer for both."""
    assert flow.reversing is not None
    target, writer = flow.reversing.target, flow.writer or flow.name
    return replace(
        flow, name=reversal_name(flow.name), target=target, writer=writer, pair="", supersedes=None, twin=None, rules=()
    )


def reverse(
    flow: Flow,
    by_keys: ByKeys,
    ask: Callable[[], Facts],
    client: Client,
    ledger: Ledger,
    run: Run,
    *,
    most: int = MOST,
    only: frozenset[str] | None = None,
    **delivery: Any,
) -> Reversed:
    """Reverse what the open differences say was taken back. `ask`: today's facts; `delivery`: as `load` takes it.
    `only`: these documents, by a person's word, whatever mlc.yaml says of all of them.

    Raises as the source's `by_keys` and as `load`; what was reversed until then is in the ledger.
    """
    found, own = Reversed(), reversing_flow(flow)
    keys = [one.key for one in ledger.differences.open(flow.name, limit=None) if one.kind == TAKEN_BACK]
    _close_holds_of_others(own, keys, ledger, run)
    decisions = ledger.decisions.of(own.name, map(reversal_key, keys))
    away = {key for key, one in decisions.items() if one.verdict == "discarded"}
    ready: list[Ready] = []
    meant = [key for key in keys if reversal_key(key) not in away and (only is None or key in only)]
    for some in chunks(meant, JUDGED_AT_ONCE):
        for one in _Judged(flow, ask(), ledger, run).each(list(by_keys(some, None))):
            found.asked += 1
            if isinstance(one, Ready):
                ready.append(one)
            else:
                found.held += _hold(own, [one], ledger, run)
    sent, found.guarded = _guarded(own, ready, ledger, most)
    if found.guarded:
        reason = Problem(guards.RULE, found.guarded)
        found.held += _hold(own, [_held(one, reason, run) for one in ready if one not in sent], ledger, run)
    if sent:
        found.loaded = load(own, sent, client, ledger, run, **delivery)
    found.numbers = _agreed(flow, keys, ledger, run)
    return found


class _Judged:
    """Which of these the source takes back this moment, and whether they can be reversed."""

    def __init__(self, flow: Flow, facts: Facts, ledger: Ledger, run: Run) -> None:
        self._flow, self._facts, self._ledger, self._run = flow, facts, ledger, run

    def each(self, rows: Sequence[Any]) -> Iterator[Ready | Held]:
        """Absence is no status: what has no row is left out, and so is what stands again."""
        flow, records = self._flow, [row for row in rows if row[0] is not None]
        known = facts_of(flow, records, self._facts, self._ledger)
        keys = {record_key(record, flow.source.keys): record for record, _, _ in records}
        posted, created = self._ledger.posted.of(flow.name, keys), self._ledger.posted.were_created(flow.name, keys)
        for key, record in keys.items():
            fate = flow.fate(record, known) if flow.fate else None
            if fate and fate.kind == TAKEN_BACK and fate.is_final and key in posted and key not in known.reversed:
                yield self._judged(key, record, known, posted[key], is_ours=key in created)

    def _judged(self, key: str, record: Record, facts: Facts, was: Posted, *, is_ours: bool) -> Ready | Held:
        assert self._flow.reversing is not None
        original, why = self._as_sent(key, record, facts, was), self._why_not(was, is_ours)
        if why or original is None:
            why = why or "The ledger does not keep what was sent, and the source shows another content now."
            return self._held(key, record, Problem(CERTAIN, f"{why} {BY_HAND}"))
        made = self._flow.reversing.record(original, was.remote_id or "", facts)
        if isinstance(made, Problem):
            return self._held(key, record, made)
        return Ready(reversal_key(key), "", fingerprint(made), made)

    def _why_not(self, was: Posted, is_ours: bool) -> str:
        if was.is_in_doubt or not was.remote_id:
            return "An attempt to enter it has no answer yet: it may be in the ERP, or not."
        return "" if is_ours else f"The trail does not say that {was.remote_id} was created by us: it was there before."

    def _as_sent(self, key: str, record: Record, facts: Facts, was: Posted) -> Any | None:
        """What the ledger keeps of it, else what the source still shows; None where neither is what was sent."""
        for sent in self._ledger.contents.of(self._flow.name, key):
            if sent.fingerprint == was.fingerprint:
                return msgspec.convert(sent.content, self._flow.target.record, strict=False)
        try:
            original = self._flow.mapping(record, facts)
        except (ValueError, ArithmeticError, LookupError, msgspec.ValidationError):
            return None
        return original if fingerprint(original) == was.fingerprint else None

    def _held(self, key: str, record: Record, problem: Problem) -> Held:
        row = msgspec.to_builtins(record)
        return Held(reversal_key(key), "", (problem,), row, self._run.partition, fingerprint(record))


BY_HAND = "Reverse it by hand where that is right, and accept the difference."


def _guarded(own: Flow, ready: Sequence[Ready], ledger: Ledger, most: int) -> tuple[list[Ready], str]:
    """What may be sent, and why the rest may not. What was begun is looked for whatever the guard says."""
    standings = ledger.judge(own.name, list(ready))
    new = [one for one in ready if standings[one.key].state not in _BEGUN]
    if len(new) <= most:
        return list(ready), ""
    flow = own.name.removesuffix(REVERSED)
    why = f"{len(new)} documents would be reversed, and max_reversals is {most}. Look at them in their source"
    why = f"{why}; if they are right, raise guards.{flow}.max_reversals in mlc.yaml."
    log.error("%s: %s", own.name, why)
    return [one for one in ready if standings[one.key].state in _BEGUN], why


def _held(one: Ready, problem: Problem, run: Run) -> Held:
    return Held(one.key, "", (problem,), msgspec.to_builtins(one.record), run.partition, one.fingerprint)


def _hold(own: Flow, held: Sequence[Held], ledger: Ledger, run: Run) -> int:
    return len(held) - len(ledger.hold(own.name, held, run=run, owner=own.owner))


def _close_holds_of_others(own: Flow, keys: Sequence[str], ledger: Ledger, run: Run) -> None:
    """What is not taken back any more is no matter of a reversal."""
    mine = set(map(reversal_key, keys))
    over = [hold.key for hold in ledger.open_holds(own.name, limit=None) if hold.key not in mine]
    if over:
        ledger.close_holds(own.name, over, "out_of_scope", run=run, reason="it is not taken back any more")


def _agreed(flow: Flow, keys: Sequence[str], ledger: Ledger, run: Run) -> dict[str, str]:
    """Both sides agree on what is reversed: the source has it not, and the target neither. The trail says by what."""
    own = {reversal_key(key): key for key in keys}
    numbers = {own[key]: number for key, number in ledger.remote_ids(reversal_name(flow.name), own).items()}
    if numbers:
        said = {key: f"by {number}, since its source took it back" for key, number in numbers.items()}
        ledger.posted.reversed(flow.name, said, run=run)
        ledger.differences.agree(flow.name, list(numbers), (TAKEN_BACK,), (), run)
    return numbers
