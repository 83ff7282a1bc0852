"""Rows become records, are mapped and judged; what is not good is held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import msgspec

from mlc_dagster.core.arrow_columns import StoredRows
from mlc_dagster.core.bank_details import MARK
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.vocabulary import record_key, renamed
from mlc_dagster.ledger import Held, Ledger, Run
from mlc_dagster.pipeline import stated_back
from mlc_dagster.pipeline.batches import EXAMPLES, JUDGED_AT_ONCE, chunks
from mlc_dagster.pipeline.decisions import Discarded
from mlc_dagster.pipeline.judging import (
    BUILT_IN as BUILT_IN,
)
from mlc_dagster.pipeline.judging import (
    MAPPABLE as MAPPABLE,
)
from mlc_dagster.pipeline.judging import (
    NOT_REVERSED as NOT_REVERSED,
)
from mlc_dagster.pipeline.judging import (
    READABLE as READABLE,
)
from mlc_dagster.pipeline.judging import (
    AsRead as AsRead,
)
from mlc_dagster.pipeline.judging import (
    Decisions as Decisions,
)
from mlc_dagster.pipeline.judging import (
    Look as Look,
)
from mlc_dagster.pipeline.judging import (
    OutOfScope as OutOfScope,
)
from mlc_dagster.pipeline.judging import (
    before_cut_over as before_cut_over,
)
from mlc_dagster.pipeline.judging import (
    judge as judge,
)
from mlc_dagster.pipeline.judging import (
    judge_all as judge_all,
)
from mlc_dagster.pipeline.judging import (
    mapped as mapped,
)
from mlc_dagster.pipeline.namesakes import keep_marks, namesakes
from mlc_dagster.pipeline.older_documents import OlderDocuments
from mlc_dagster.pipeline.registered_anew import Registrations, There
from mlc_dagster.pipeline.taken_back import LaterLife, read_at, with_posted


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


def prepare(
    flow: Flow,
    batches: Iterable[Iterable[AsRead]],
    facts: Facts,
    ledger: Ledger,
    run: Run,
    verdict: Verdict,
    look: Look | None = None,
    there: There | None = None,
    older: OlderDocuments | None = None,
) -> Iterator[list[Ready]]:
    """Map and judge the rows of one partition; what is ready comes out, what is not is held in the ledger.

    Where there is nothing to validate against (`facts.unusable`), every record is held with that reason. `older`: of a
    flow with a cut-over, what the target has of the documents before it.
    """
    verdict.blocked.update(facts.unusable)
    of = partial(ledger.decisions.of, flow.name)
    life = LaterLife(flow, ledger, read_at=read_at(flow, run.partition, ledger))
    for batch in batches:
        rows, number = list(batch), read_number(batch)
        read = [record for record, _, _ in rows if record is not None]
        keep_marks(flow, read, ledger)
        known = facts_of(flow, rows, facts, ledger)
        life.see(read, known)
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
        if older is not None:
            outside = older.adopt(rows, outside, known, run, number)
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
    alike = namesakes(flow, [record for record, _, _ in rows if record is not None], ledger)
    return replace(known, **referred(flow, rows, facts, ledger), namesakes=alike)


def referred(flow: Flow, rows: Sequence[AsRead], facts: Facts, ledger: Ledger) -> dict[str, Any]:
    """What the ledger knows of what these rows refer to, as fields of facts."""
    ids = {**delivered(flow, rows, ledger), **echoes(flow, rows, facts, ledger)}
    told = {"delivered": ids, "held": held_reasons(flow, ledger)}
    return {**told, "names": _named(flow, rows, ledger)} if flow.names else told


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


def echoes(flow: Flow, rows: Sequence[AsRead], facts: Facts, ledger: Ledger) -> dict[str, dict[str, str]]:
    """Of documents that other flows delivered, and that come back: {flow: {document: its key in the ERP}}."""
    wanted: dict[str, set[str]] = {}
    for record, _, _ in rows if flow.echoes else ():
        for name, document in flow.echoes(record, facts).items() if record is not None and flow.echoes else ():
            wanted.setdefault(name, set()).update((document,) if document else ())
    found = {name: ledger.stakes.delivered_as(flow.here(name), sorted(some)) for name, some in wanted.items() if some}
    return {name: {document: min(keys) for document, keys in each.items() if keys} for name, each in found.items()}


def _own(flow: Flow, rows: Sequence[AsRead], ledger: Ledger) -> dict[str, dict[str, str]]:
    if flow.cut_over is None:
        return {}
    keys = [record_key(record, flow.source.keys) for record, _, _ in rows if record is not None]
    return {flow.name: ledger.remote_ids(flow.name, keys)}


def _needed(flow: Flow, rows: Sequence[AsRead], ledger: Ledger) -> dict[str, dict[str, str]]:
    if flow.needs_key is None:
        return {}
    wanted = _wanted(flow, rows)
    found = {needed: ledger.remote_ids(flow.here(needed), keys) for needed, keys in wanted.items()}
    if not flow.needs_settled:
        return found
    held = {needed: ledger.held(flow.here(needed), ids) for needed, ids in found.items()}
    return {
        needed: {key: each for key, each in ids.items() if key not in held[needed]} for needed, ids in found.items()
    }


def _named(flow: Flow, rows: Sequence[AsRead], ledger: Ledger) -> dict[str, dict[str, str]]:
    """The names of what these rows refer to, of the flows that are asked for them."""
    wanted = {needed: keys for needed, keys in _wanted(flow, rows).items() if flow.here(needed) in flow.names}
    return {needed: ledger.masters.names(flow.here(needed), sorted(keys)) for needed, keys in wanted.items()}


def _wanted(flow: Flow, rows: Sequence[AsRead]) -> dict[str, set[str]]:
    """Flow -> the keys that these rows refer to."""
    wanted: dict[str, set[str]] = {}
    for record, _, _ in rows if flow.needs_key else ():
        for needed, keys in flow.needs_key(record).items() if flow.needs_key and record is not None else ():
            wanted.setdefault(needed, set()).update((keys,) if isinstance(keys, str) else keys)
    return wanted


def held_reasons(flow: Flow, ledger: Ledger) -> dict[str, dict[str, str]]:
    """Why records of the flows that it tells of are on hold: {flow, by its system's own name: {key: reason}}."""
    return {
        told: {one.key: " ".join(each.reason for each in one.problems) for one in ledger.open_holds(name, limit=None)}
        for name in flow.tells
        for told in (renamed(name, flow.spoke, flow.system) if flow.system else name,)
    }


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
