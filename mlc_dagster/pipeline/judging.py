"""Each row is mapped and asked its rules: it becomes ready, is held with every rule that it breaks, or is no matter."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

import msgspec

from mlc_dagster.core.facts import Books, Facts
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.core.later_life import Fate
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.source_fingerprints import SourceFingerprints
from mlc_dagster.core.vocabulary import Record, fingerprint, record_key, version_of
from mlc_dagster.ledger import AsOf, Decision, Held
from mlc_dagster.ledger.entries import as_of
from mlc_dagster.pipeline.decisions import NOT_DISCARDED, Discarded, decided
from mlc_dagster.pipeline.registered_anew import Registrations

AsRead = tuple[Record | None, str | None, str | None]
"""A record, its ETag, and why it could not be read (JSON text) where the record is None."""

OLDER = "dated before the cut-over "
READABLE = "record_is_readable"
MAPPABLE = "record_can_be_mapped"
NOT_REVERSED = "is_not_reversed"
BUILT_IN = {
    READABLE: "The row has its key, and every value fits its field.",
    MAPPABLE: "The mapping has what it needs.",
    NOT_DISCARDED: "Nobody discarded the record before it changed.",
}


class OutOfScope(NamedTuple):
    """A record that is no matter of the flow: a draft, an expense. A hold of it, not newer than this, is over."""

    key: str
    seen: AsOf
    why: str


Look = Callable[[Sequence[Record]], Books]
"""Asks the target what it has of these mapped records: the books to judge them by."""

Decisions = Callable[[Sequence[str]], Mapping[str, Decision]]
"""Of these keys those that a person decided on."""


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
    number = None if flow.source.is_of_its_day else number  # its stamp alone says which is newer
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
    return f"{OLDER}{cut_over}"


def is_before_cut_over(why: str) -> bool:
    """Whether that is why a record is no matter of its flow."""
    return why.startswith(OLDER)


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
