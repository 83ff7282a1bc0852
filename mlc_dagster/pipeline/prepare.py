"""Rows become records, are mapped and judged; what is not good is held."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from mlc_dagster.facts import Facts
from mlc_dagster.ledger import Held, Ledger, Run
from mlc_dagster.outcomes import Ready
from mlc_dagster.pipeline.batches import EXAMPLES, JUDGED_AT_ONCE, chunks
from mlc_dagster.vocabulary import Flow, Problem, Record, fingerprint, record_key, version_of

AsRead = tuple[Record | None, str | None, str | None]
"""A record, its ETag, and why it could not be read (JSON text) where the record is None."""

READABLE = "record_is_readable"
MAPPABLE = "record_can_be_mapped"
BUILT_IN = {
    READABLE: "The row has its key, and every value fits its field.",
    MAPPABLE: "The mapping has what it needs.",
}


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
