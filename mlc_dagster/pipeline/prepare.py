"""Rows become records, are mapped and judged; what is not good is held."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any, NamedTuple

import msgspec

from mlc_dagster.core.arrow_columns import StoredRows
from mlc_dagster.core.bank_details import MARK
from mlc_dagster.core.facts import Books, Facts
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.core.later_life import Fate
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.source_fingerprints import SourceFingerprints
from mlc_dagster.core.vocabulary import Record, fingerprint, record_key, renamed, version_of
from mlc_dagster.ledger import AsOf, Decision, Held, Ledger, Run
from mlc_dagster.ledger.entries import as_of
from mlc_dagster.pipeline import stated_back
from mlc_dagster.pipeline.batches import EXAMPLES, JUDGED_AT_ONCE, chunks
from mlc_dagster.pipeline.decisions import NOT_DISCARDED, Discarded, decided
from mlc_dagster.pipeline.registered_anew import Registrations, There
from mlc_dagster.pipeline.taken_back import LaterLife, read_at, with_posted

AsRead = tuple[Record | None, str | None, str | None]
"""A record, its ETag, and why it could not be read (JSON text) where the record is None."""

READABLE = "record_is_readable"
MAPPABLE = "record_can_be_mapped"
NOT_REVERSED = "is_not_reversed"
BUILT_IN = {
    READABLE: "The row has its key, and every value fits its field.",
    MAPPABLE: "The mapping has what it needs.",
    NOT_DISCARDED: "Nobody discarded the record before it changed.",
}


@dataclass
class Verdict:
    """The account of one prepare. ready + held + superseded + discarded + out of scope = read."""

    partition: str
    read: int = 0
    ready: int = 0
    held: int = 0
    superseded: int = 0  # not held: something newer was delivered, or is held
    discarded: int = 0  # a person decided that it is never sent
    out_of_scope: Counter[str] = field(default_factory=Counter)  # why it is no matter of this flow -> records
    held_by: Counter[str] = field(default_factory=Counter)  # rule -> records; a record may break several
    examples: dict[str, list[tuple[str, Problem]]] = field(default_factory=dict)  # rule -> (key, problem)
    blocked: dict[str, str] = field(default_factory=dict)  # rule -> why the whole partition is held
    differing: int = 0  # of what was delivered: it does not stand in the source as it was
    too_many: str = ""  # why so many of these at once were not written down

    def count(self, held: Sequence[Held]) -> None:
        for one in held:
            for problem in one.problems:
                self.held_by[problem.rule] += 1
                named = self.examples.setdefault(problem.rule, [])
                if len(named) < EXAMPLES:
                    named.append((one.key, problem))
        self.held += len(held)


class OutOfScope(NamedTuple):
    """A record that is no matter of the flow: a draft, an expense. A hold of it, not newer than this, is over."""

    key: str
    seen: AsOf
    why: str


Look = Callable[[Sequence[Record]], Books]
"""Asks the target what it has of these mapped records: the books to judge them by."""

Decisions = Callable[[Sequence[str]], Mapping[str, Decision]]
"""Of these keys those that a person decided on."""


def prepare(
    flow: Flow,
    batches: Iterable[Iterable[AsRead]],
    facts: Facts,
    ledger: Ledger,
    run: Run,
    verdict: Verdict,
    look: Look | None = None,
    there: There | None = None,
) -> Iterator[list[Ready]]:
    """Map and judge the rows of one partition; what is ready comes out, what is not is held in the ledger.

    Where there is nothing to validate against (`facts.unusable`), every record is held with that reason.
    """
    verdict.blocked.update(facts.unusable)
    of = partial(ledger.decisions.of, flow.name)
    life = LaterLife(flow, ledger, read_at=read_at(flow, run.partition, ledger))
    for batch in batches:
        rows, number = list(batch), read_number(batch)
        known = facts_of(flow, rows, facts, ledger)
        life.see([record for record, _, _ in rows if record is not None], known)
        others = Registrations(flow, ledger, run, there)
        judged = list(judge_all(flow, rows, known, run.partition, look, of, others, number))
        ready = [one for one in judged if isinstance(one, Ready)]
        held = [one for one in judged if isinstance(one, Held)]
        places = stated_back.places(flow, held, ledger)
        held = stated_back.said(flow, held, places)
        passed = ledger.hold(flow.name, held, run=run, owner=flow.owner)
        stated_back.tell(flow, [one for one in held if one.key not in passed], places, ledger, run)
        verdict.read += len(rows)
        verdict.ready += len(ready)
        verdict.superseded += sum(one.key in passed for one in held)
        verdict.discarded += sum(isinstance(one, Discarded) for one in judged)
        outside = [one for one in judged if isinstance(one, OutOfScope)]
        ledger.leave(flow.name, {one.key: one.seen for one in outside}, run=run)
        verdict.out_of_scope.update(one.why for one in outside)
        verdict.count([one for one in held if one.key not in passed])
        ledger.bank_marks.know(flow.name, _new_marks(flow, rows, ready, known))
        yield ready
    life.end(run)
    verdict.differing, verdict.too_many = len(life.found), life.too_many


def _new_marks(flow: Flow, rows: Sequence[AsRead], ready: Sequence[Ready], facts: Facts) -> dict[str, str]:
    """Of what passed: the bank details that it has are known from now on."""
    if MARK not in flow.source.record.__struct_fields__:
        return {}
    passed = {one.key for one in ready}
    marks = {record_key(one, flow.source.keys): getattr(one, MARK) or "" for one, _, _ in rows if one is not None}
    return {key: mark for key, mark in marks.items() if key in passed and facts.bank_marks.get(key) != mark}


def facts_of(flow: Flow, rows: Sequence[AsRead], facts: Facts, ledger: Ledger) -> Facts:
    """The facts with what the ledger knows of these rows, and of what they refer to."""
    keys = [record_key(record, flow.source.keys) for record, _, _ in rows if record is not None] if flow.fate else ()
    known = with_posted(flow, keys, facts, ledger)
    if MARK in flow.source.record.__struct_fields__:
        known = replace(known, bank_marks=ledger.bank_marks.of(flow.name, keys))
    return replace(known, delivered=delivered(flow, rows, ledger), held=held_reasons(flow, ledger))


class Numbered(list[AsRead]):
    """Rows that were read just now, and of which walk."""

    def __init__(self, rows: Iterable[AsRead], number: int) -> None:
        super().__init__(rows)
        self.read_number = number


def read_number(batch: Iterable[AsRead]) -> int | None:
    """Of the walk that the rows of a batch are of; None where they do not say."""
    return batch.read_number if isinstance(batch, StoredRows | Numbered) else None


def delivered(flow: Flow, rows: Sequence[AsRead], ledger: Ledger) -> dict[str, dict[str, str]]:
    """The remote ids of what these rows refer to: {flow, by its system's own name: {key: remote id}}.

    Where the flow has a cut-over, those of its own records too.
    """
    return {**_own(flow, rows, ledger), **_needed(flow, rows, ledger)}


def _own(flow: Flow, rows: Sequence[AsRead], ledger: Ledger) -> dict[str, dict[str, str]]:
    if flow.cut_over is None:
        return {}
    keys = [record_key(record, flow.source.keys) for record, _, _ in rows if record is not None]
    return {flow.name: ledger.remote_ids(flow.name, keys)}


def _needed(flow: Flow, rows: Sequence[AsRead], ledger: Ledger) -> dict[str, dict[str, str]]:
    if flow.needs_key is None:
        return {}
    wanted: dict[str, set[str]] = {}
    for record, _, _ in rows:
        for needed, keys in flow.needs_key(record).items() if record is not None else ():
            wanted.setdefault(needed, set()).update((keys,) if isinstance(keys, str) else keys)
    found = {needed: ledger.remote_ids(flow.here(needed), keys) for needed, keys in wanted.items()}
    if not flow.needs_settled:
        return found
    held = {needed: ledger.held(flow.here(needed), ids) for needed, ids in found.items()}
    return {
        needed: {key: each for key, each in ids.items() if key not in held[needed]} for needed, ids in found.items()
    }


def held_reasons(flow: Flow, ledger: Ledger) -> dict[str, dict[str, str]]:
    """Why records of the flows that it tells of are on hold: {flow, by its system's own name: {key: reason}}."""
    return {
        told: {one.key: " ".join(each.reason for each in one.problems) for one in ledger.open_holds(name, limit=None)}
        for name in flow.tells
        for told in (renamed(name, flow.spoke, flow.system) if flow.system else name,)
    }


def judge_all(
    flow: Flow,
    rows: Sequence[AsRead],
    facts: Facts,
    partition: str,
    look: Look | None = None,
    decisions: Decisions | None = None,
    others: Registrations | None = None,
    number: int | None = None,
) -> Iterator[Ready | Held | Discarded | OutOfScope]:
    """Each row becomes ready, is held with every rule that it breaks, or is out of scope.

    What a person released is not held by the rules that were waived; what a person discarded stays away.

    All are mapped first, so that the target is asked once for what it has of them. `number`: of the walk that read
    them.
    """
    mapped = [_map(flow, row, facts, partition, number) for row in rows]
    if look is not None and (records := [one.target for one in mapped if isinstance(one, _Mapped)]):
        facts = replace(facts, books=look(records))
    if others and (anew := others.of([one for one in mapped if isinstance(one, _Mapped)], facts)):
        facts = replace(facts, registered=anew)
    standing = decisions([one.key for one in mapped if not isinstance(one, OutOfScope)]) if decisions else {}
    sources = SourceFingerprints(flow)
    for one in mapped:
        if isinstance(one, _Mapped):
            yield one.judged(flow, facts, standing.get(one.key), sources)
        elif isinstance(one, Held) and (decision := standing.get(one.key)):
            left = decided(decision, as_of(one), (one.content,), one.problems)
            yield left if isinstance(left, Discarded) else replace(one, problems=left)
        else:
            yield one


def mapped(
    flow: Flow, rows: Sequence[AsRead], facts: Facts, partition: str, number: int | None = None
) -> Iterator[Ready]:
    """Those of the rows that can be mapped, whatever the rules say of them."""
    sources = SourceFingerprints(flow)
    for row in rows:
        one = _map(flow, row, facts, partition, number)
        if isinstance(one, _Mapped):
            yield one.ready(facts, sources)


def judge(flow: Flow, row: AsRead, facts: Facts, partition: str) -> Ready | Held | Discarded | OutOfScope:
    """One row, as `judge_all`, by the facts alone."""
    return next(judge_all(flow, [row], facts, partition))


class _Mapped(msgspec.Struct, frozen=True, gc=False):
    """A row that was read and mapped, on its way to its rules."""

    key: str
    seen: AsOf
    partition: str
    source: Record
    target: Record

    def judged(
        self, flow: Flow, facts: Facts, decision: Decision | None, sources: SourceFingerprints
    ) -> Ready | Held | Discarded:
        source, target = self.source, self.target
        problems = tuple([problem for rule in flow.rules if (problem := rule(source, target, facts))])
        if decision is not None:
            left = decided(decision, self.seen, (fingerprint(source), fingerprint(target)), problems)
            if isinstance(left, Discarded):
                return left
            problems = left
        if problems:
            return _held(self.key, self.seen, problems, source, self.partition)
        return self.ready(facts, sources)

    def ready(self, facts: Facts, sources: SourceFingerprints) -> Ready:
        version, number = self.seen
        source = sources.of(self.source, facts)
        return Ready(self.key, version or "", fingerprint(self.target), self.target, source, number)


def _map(
    flow: Flow, row: AsRead, facts: Facts, partition: str, number: int | None = None
) -> _Mapped | Held | OutOfScope:
    record, etag, unreadable = row
    if record is None:
        return _unreadable(etag, unreadable or "{}", partition, number)
    key, seen = record_key(record, flow.source.keys), AsOf(_version(flow, record, partition), number)
    fate = flow.fate(record, facts) if flow.fate else None
    if reversal := facts.reversed.get(key):
        if fate:
            return OutOfScope(key, seen, f"{fate.how}, and reversed")
        return _held(key, seen, [_alive_again(reversal, facts)], record, partition)
    if flow.scope and (why := flow.scope(record, facts)):
        return OutOfScope(key, seen, _words(fate, facts.posted, key) or why)
    if flow.cut_over and (why := before_cut_over(flow.cut_over, flow, key, record, facts)):
        return OutOfScope(key, seen, why)
    if facts.unusable:
        problems = [Problem(rule, reason) for rule, reason in facts.unusable.items()]
        return _held(key, seen, problems, record, partition)
    try:
        return _Mapped(key, seen, partition, record, flow.mapping(record, facts))
    except (ValueError, ArithmeticError, LookupError, msgspec.ValidationError) as error:
        return _held(key, seen, [Problem(MAPPABLE, f"{type(error).__name__}: {error}")], record, partition)


def before_cut_over(cut_over: date, flow: Flow, key: str, record: Any, facts: Facts) -> str:
    """Why a document is too old to be a matter of the flow; empty where it is not, or was delivered already."""
    dated = next((each.on for each in record.dates() if each.on), None)
    if dated is None or dated >= cut_over or facts.remote_id(flow.name, key):
        return ""
    return f"dated before the cut-over {cut_over}"


def _words(fate: Fate | None, posted: Mapping[str, str], key: str) -> str:
    """What was taken back in time says something else than what the target has."""
    if fate and key in posted:
        return f"{fate.how}, after it was entered"
    return f"{fate.how}, before it was entered" if fate and fate.is_final else ""


def _alive_again(number: str, facts: Facts) -> Problem:
    reason = f"{number} reversed its document, since {facts.title or 'its source'} had taken it back; there it stands"
    cure = "again now. Nothing is entered a second time by itself: enter it by hand, then discard this hold."
    return Problem(NOT_REVERSED, f"{reason} {cure}", number)


def _held(key: str, seen: AsOf, problems: Sequence[Problem], record: Record, partition: str) -> Held:
    row, content = msgspec.to_builtins(record), fingerprint(record)
    return Held(key, seen.version or "", tuple(problems), row, partition, content, seen.read_number)


def _version(flow: Flow, record: Record, partition: str) -> str:
    """Its modified timestamp; of a set that is swept the day on which this state was first seen.

    A timestamp beyond the day it was read on is not believed: every correction of it would count as older.
    """
    if flow.source.delta == "sweep":
        return partition
    version = version_of(getattr(record, flow.source.modified or "last_modified", None))
    return "" if flow.source.partition == "day" and version[:10] > partition else version


def _unreadable(etag: str | None, text: str, partition: str, number: int | None) -> Held:
    """A row that fits no record is held under what could be read of its key, or under its ETag."""
    found = msgspec.json.decode(text)
    content = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    key = found.get("key") or f"unreadable {etag or content}"
    reason = found.get("reason", "the row does not fit its record")
    row = {"row": found.get("row", text)}
    return Held(key, "", (Problem(READABLE, reason),), row, partition, content, number)


def held_target(one: Ready, problems: tuple[Problem, ...], partition: str) -> Held:
    """A record that was ready, as the target would have it."""
    row = msgspec.to_builtins(one.record)
    return Held(one.key, one.version, problems, row, partition, one.fingerprint, one.read_number)


def hold_all(flow: Flow, ready: Iterable[Ready], rule: str, reason: str, ledger: Ledger, run: Run) -> int:
    """One failure blocks the partition: what was ready is held as well. How many."""
    held = 0
    for chunk in chunks(ready, JUDGED_AT_ONCE):
        problem = (Problem(rule, reason),)
        entries = [held_target(one, problem, run.partition) for one in chunk]
        held += len(entries) - len(ledger.hold(flow.name, entries, run=run, owner=flow.owner))
    return held
