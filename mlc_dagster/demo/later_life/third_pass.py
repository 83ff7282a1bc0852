"""The third pass: people go on in every system, then the night comes, and all that should tell or mend it is run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import dagster as dg

from mlc_dagster.demo.later_life.event import Books, Event
from mlc_dagster.demo.later_life.goods_received import GoodsReceived, are_read
from mlc_dagster.demo.later_life.in_the_source import LineEdited, OrderDeleted, PaymentVoided
from mlc_dagster.demo.later_life.in_the_target import CompaniesMerged, EditedByHand
from mlc_dagster.demo.later_life.outage import RunFailed
from mlc_dagster.demo.later_life.ticks import Ticks
from mlc_dagster.demo.place import Place
from mlc_dagster.demo.runs import Runs
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.automation import source_checks, sweep, verifying

SUMS = "sums"


class Sum(NamedTuple):
    """What `<flow>_verified` found of one company and currency: as its check tells it."""

    flow: str
    company: str
    currency: str
    ours: str
    theirs: str


def third_pass(place: Place, ledger: Ledger, runs: Runs) -> tuple[list[Event], list[Sum]]:
    """What happened, and what the looks at the targets came to. Raises MlcError where a run fails that should not."""
    ticks = Ticks(runs)
    with runs.progress("third pass", total=None):
        events = list(happen(Books(place, ledger), ticks))
        list(ticks.due_now())
        for name in _nightly(ticks):
            _run_all(ticks, name)
        list(ticks.until_nothing_is_due(ledger))  # what the sweep asked for again, and what the failed run left
        verified = [run for name in _verifying(ticks) for run in _run_all(ticks, name)]
    return events, [each for run in verified for each in sums(run)]


def happen(books: Books, ticks: Ticks) -> Iterator[Event]:
    """One after the other; no document has two of them."""
    taken = set[str]()
    yield PaymentVoided.happens(books)
    yield LineEdited.happens(books, taken)
    yield OrderDeleted.happens(books, taken)
    if are_read(books):
        yield GoodsReceived.happens(books, taken)
    yield CompaniesMerged.happens(books)
    yield EditedByHand.happens(books, taken)
    yield RunFailed.happens(books, taken, ticks)


def _nightly(ticks: Ticks) -> list[str]:
    """The looks in the sources: the ERP's sweep, and of each SaaS whether what came from it still stands there."""
    systems = {flow.source.system for flow in ticks.runs.flows}
    wanted = [sweep.JOB, *(source_checks.job_name(system) for system in sorted(systems))]
    return [name for name in wanted if name in ticks.schedules]


def _verifying(ticks: Ticks) -> list[str]:
    systems = sorted({flow.target.system for flow in ticks.runs.flows})
    wanted = [verifying.job_name(system, kind) for system in systems for kind in ("day", "company")]
    return [name for name in wanted if name in ticks.schedules]


def _run_all(ticks: Ticks, schedule: str) -> list[dg.ExecuteInProcessResult]:
    return [ticks.run(request, schedule) for request in ticks.of_schedule(schedule)]


def sums(run: dg.ExecuteInProcessResult) -> Iterator[Sum]:
    """Of the checks `sums` of a run."""
    for each in run.get_asset_check_evaluations():
        listed = each.metadata.get(SUMS) if each.check_name == SUMS else None
        flow = "/".join(each.asset_key.path).removesuffix("_verified")
        for row in listed.records if isinstance(listed, dg.TableMetadataValue) else ():
            yield Sum(flow, *(str(row.data[name]) for name in ("company", "currency", "ours", "theirs")))
