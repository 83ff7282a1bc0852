"""The demo's Dagster runs, with their progress."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import dagster as dg

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.terminal import Terminal
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.demo.signs_of_life import Bar, Lines, Shown
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.assets.started_by import WHO
from mlc_dagster.orchestration.automation.jobs_and_schedules import CHART_JOB, READ_JOB, company_job, reference_job
from mlc_dagster.orchestration.automation.running import FlowCounts, flow_counts, run_job

STARTED_BY = {WHO: "mlc demo"}


class Runs:
    """Runs of the code location's own jobs, on the instance in DAGSTER_HOME."""

    def __init__(self, days: int, companies: Sequence[str], flows: Sequence[Flow], out: Terminal) -> None:
        from mlc_dagster.definitions import defs

        self.defs, self.flows, self.out = defs, flows, out
        today = datetime.now(UTC).date()
        self.days = ((today - timedelta(days=days - 1)).isoformat(), today.isoformat())
        self.companies = (sorted(companies)[0], sorted(companies)[-1])
        self.instance = dg.DagsterInstance.get()
        self.shown: Shown | None = None
        self.done = self.all = 0

    def everything(self, title: str) -> dict[str, FlowCounts]:
        """The charts, what comes into the ERP, all of the ERP's rows, then what goes out. What moved, by flow."""
        days = (datetime.fromisoformat(self.days[1]) - datetime.fromisoformat(self.days[0])).days + 1
        comes_in = [flow for flow in self.flows if flow.target.system == ERP]
        goes_out = [flow for flow in self.flows if flow.target.system != ERP]
        with self.progress(title, total=days * (6 + 2 * len(self.flows) + len({f.source.key for f in comes_in}))):
            self.all = _runs(self.flows)
            self.run(CHART_JOB, self.companies)
            for system in sorted({flow.spoke for flow in self.flows}):
                self._references(system)
            results = self._jobs(comes_in, {flow.source.key for flow in comes_in})
            self.run(READ_JOB, self.days)
            results += self._jobs(goes_out, set())
        return {flow.name: flow_counts(flow, results) for flow in self.flows}

    def _jobs(self, flows: Sequence[Flow], sources: AbstractSet[tuple[str, str]]) -> list[dg.ExecuteInProcessResult]:
        """A run of each job that moves one of these flows, with those of their sources that are not read yet."""
        found = []
        for job in sorted({_job(flow) for flow in flows}):
            mine = [flow for flow in flows if _job(flow) == job]
            keys = [key for flow in mine for key in (flow.key, prepared_key(flow))]
            keys += [flow.source.key for flow in mine if flow.source.key in sources]
            found.append(self.run(job, self._partitions(job), [dg.AssetKey(key) for key in dict.fromkeys(keys)]))
        return found

    def run(
        self, job: str, partitions: tuple[str, str], only: list[dg.AssetKey] | None = None
    ) -> dg.ExecuteInProcessResult:
        """One run over a range of partitions. Raises MlcError with the words of the step that failed."""
        self.done += 1
        if self.shown and self.all:
            self.shown.run(f"run {self.done} of {self.all}")
        return run_job(self.defs.resolve_job_def(job), self.instance, partitions, only, STARTED_BY)

    def _references(self, system: str) -> None:
        """What a SaaS keeps of its own accounts, where it is read."""
        if reference_job(system) in {job.name for job in self.defs.jobs or []}:
            run_job(self.defs.resolve_job_def(reference_job(system)), self.instance, tags=STARTED_BY)

    def _partitions(self, job: str) -> tuple[str, str]:
        by_company = any(flow.source.partition == "company" for flow in self.flows if _job(flow) == job)
        return self.companies if by_company else self.days

    @contextmanager
    def progress(self, title: str, total: int | None) -> Iterator[None]:
        """A bar on a terminal; where there is none, a line every few seconds: both say how far it is, and how long."""
        shown = Bar(self.out, title, total) if self.out.is_terminal else Lines(self.out, title, total)
        logger = logging.getLogger("mlc_dagster")
        logger.setLevel(logging.INFO)
        self.done = self.all = 0
        with shown as self.shown:
            listener = _Listener(shown)
            logger.addHandler(listener)
            try:
                yield
            finally:
                logger.removeHandler(listener)


def _runs(flows: Sequence[Flow]) -> int:
    """How many runs a pass has: the charts, the ERP's rows, and a job for each SaaS and direction."""
    return 2 + sum(
        len({_job(flow) for flow in flows if (flow.target.system == ERP) is comes_in}) for comes_in in (True, False)
    )


def _job(flow: Flow) -> str:
    """The job that moves a flow."""
    return company_job(flow.spoke) if flow.source.partition == "company" else flow.spoke


class _Listener(logging.Handler):
    """Each partition that is done says so in the log: that is the progress."""

    def __init__(self, shown: Shown) -> None:
        super().__init__(logging.INFO)
        self.shown = shown

    def emit(self, record: logging.LogRecord) -> None:
        self.shown.step(record.getMessage())
