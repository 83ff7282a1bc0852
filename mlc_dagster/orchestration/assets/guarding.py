"""A run that passes a guard holds what the guard is about before its first write; the check says why, and how many.

The rest goes on, where there is one: what is ready and unchanged has nothing to do with a guard on creations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mlc_dagster import pipeline
from mlc_dagster.core.arrow_columns import read_ready, ready_batch, ready_schema
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.pipeline import Verdict, guards
from mlc_dagster.pipeline.batches import JUDGED_AT_ONCE, chunks
from mlc_dagster.pipeline.guards import Passed
from mlc_dagster.pipeline.prepare import held_target

SENT = guards.COUNTED["max_creates"], guards.COUNTED["max_update_share"]


def stored(store: Any, flow: Flow, partition: str, *, needed: bool = False) -> Iterator[Ready]:
    """What a partition has ready. Raises RowsRefused; also where it was never prepared and is `needed`."""
    for batch in store.read(prepared_key(flow), partition, needed=needed, of=flow.target.record):
        yield from read_ready(batch, flow.target.record)


def guard(
    flow: Flow,
    limits: guards.Guards,
    verdicts: Sequence[Verdict],
    store: Any,
    ledger: Ledger,
    run: Run,
) -> guards.Intent:
    """Judge the run as a whole; where a guard is passed, hold what it is about. `run`: and who started it."""
    names = [verdict.partition for verdict in verdicts]
    ready = (one for name in names for one in stored(store, flow, name))
    found = guards.intent(flow, ready, ledger)
    stops = guards.passed(limits, found)
    if why := _too_few(flow, limits, names, ledger):
        stops.append(guards.holds_all(limits, why))
    if stops:
        left = sum(hold(flow, verdict, stops, store, ledger, run) for verdict in verdicts)
        for verdict in verdicts if not left else ():
            verdict.blocked[guards.RULE] = _sentence(flow, stops)
    _tell_what_was_raised(flow, limits, stops, verdicts, ledger, run)
    return found


def _sentence(flow: Flow, stops: Sequence[Passed]) -> str:
    return guards.cure(flow, "; ".join(stop.why for stop in stops))


def _too_few(flow: Flow, limits: guards.Guards, names: Sequence[str], ledger: Ledger) -> str:
    """The running day is not over, so it may have few rows."""
    today = datetime.now(UTC).date().isoformat()
    others = guards.usual_rows(flow, ledger, names)
    read = guards.rows_read(flow, ledger, (name for name in names if name != today))
    found = ((name, guards.too_few(limits, rows, others)) for name, rows in read.items())
    return next((f"{name}: {why}" for name, why in found if why), "")


def hold(flow: Flow, verdict: Verdict, stops: Sequence[Passed], store: Any, ledger: Ledger, by: Run) -> int:
    """Hold what the guards are about; how many of the rest would still be sent."""
    run, kept, sent = replace(by, partition=verdict.partition), list[Ready](), 0
    for chunk in chunks(stored(store, flow, verdict.partition), JUDGED_AT_ONCE):
        standings = ledger.judge(flow.name, chunk)
        passing = guards.released(chunk, ledger.decisions.of(flow.name, [one.key for one in chunk]))
        about = {one.key: _about(stops, standings[one.key]) for one in chunk if one.key not in passing}
        held = [
            held_target(one, tuple(_problem(flow, stop) for stop in about[one.key]), verdict.partition)
            for one in chunk
            if about.get(one.key)
        ]
        overtaken = ledger.hold(flow.name, held, run=run, owner=flow.owner)
        verdict.ready -= len(held)
        verdict.superseded += len(overtaken)
        verdict.count([one for one in held if one.key not in overtaken])
        rest = [one for one in chunk if not about.get(one.key)]
        sent += sum(any(counts(standings[one.key]) for counts in SENT) for one in rest)
        kept += rest
    _store(flow, verdict.partition, kept, store)
    return sent


def _about(stops: Sequence[Passed], standing: Any) -> list[Passed]:
    return [stop for stop in stops if stop.holds(standing)]


def _problem(flow: Flow, stop: Passed) -> Problem:
    return Problem(guards.RULE, guards.cure(flow, stop.why), stop.subject)


def _store(flow: Flow, partition: str, ready: Sequence[Ready], store: Any) -> None:
    record = flow.target.record
    batches = (ready_batch(chunk, record) for chunk in chunks(ready, JUDGED_AT_ONCE))
    store.write(prepared_key(flow), partition, ready_schema(record), batches)


def _tell_what_was_raised(
    flow: Flow,
    limits: guards.Guards,
    stops: Sequence[Passed],
    verdicts: Sequence[Verdict],
    ledger: Ledger,
    run: Run,
) -> None:
    """A guard that held records, and allows them now: a line in the trail of each, with the old and the new value."""
    still, days = {stop.guard for stop in stops}, {verdict.partition for verdict in verdicts}
    raised: dict[str, str] = {}
    for entry in ledger.history.each_open(flow.name, guards.RULE):
        for problem in entry.problems if entry.partition in days else ():
            name, _, old = problem.subject.partition(" ")
            new = _limit(limits, name)
            if problem.rule == guards.RULE and name and name not in still and new != old:
                raised[entry.key] = f"{name} was {old}, and is {new} now; started by {run.by}"
    if raised:
        ledger.tell_raised(flow.name, raised, run=run)


def _limit(limits: guards.Guards, name: str) -> str:
    found = getattr(limits, name, None)
    return "none" if found is None else f"{found:g}"


def block(flow: Flow, verdict: Verdict, rule: str, reason: str, store: Any, ledger: Ledger, by: Run) -> None:
    """Hold what is ready in a partition, and leave nothing that a load could send."""
    run = replace(by, partition=verdict.partition)
    held = pipeline.hold_all(flow, stored(store, flow, verdict.partition), rule, reason, ledger, run)
    verdict.held += held
    verdict.superseded += verdict.ready - held
    verdict.ready, verdict.blocked[rule] = 0, reason
    store.write(prepared_key(flow), verdict.partition, ready_schema(flow.target.record), ())
