"""The nightly look at what was delivered: the open window each night, what is older in turn."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial

import dagster as dg

from mlc_dagster.core.flows import Flow
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets.verified import verified_key
from mlc_dagster.orchestration.automation.looking import looking_schedule
from mlc_dagster.orchestration.automation.running import RANGE
from mlc_dagster.settings import Settings

Days = tuple[str, str]
"""The first and the last, both included."""


def job_name(system: str, kind: str) -> str:
    return f"{system}_verified" if kind == "day" else f"{system}_verified_by_company"


def by_job(flows: Sequence[Flow]) -> dict[tuple[str, str], list[Flow]]:
    """(target, day or company) -> its flows: one run has one kind of partitions."""
    found: dict[tuple[str, str], list[Flow]] = {}
    for flow in flows:
        found.setdefault((flow.target.system, flow.source.partition), []).append(flow)
    return found


def verify_jobs(flows: Sequence[Flow]) -> Iterator[object]:
    """Not tagged as loads are: a look is in nobody's way, and waits for nobody. The rate budget is shared."""
    for (system, kind), table in by_job(flows).items():
        yield dg.define_asset_job(
            job_name(system, kind),
            selection=dg.AssetSelection.assets(*(list(verified_key(flow)) for flow in table)),
            description=f"Looks at what was delivered to {system}, and tells what differs.",
            tags={"mlc/look": "verify"},
        )


def verify_schedules(flows: Sequence[Flow], settings: Settings) -> Iterator[dg.ScheduleDefinition]:
    """On from the start: by itself it only reads, and what nobody looks at is no agreement."""
    for (system, kind), table in by_job(flows).items():
        names = [flow.name for flow in table]
        yield looking_schedule(
            job_name(system, kind),
            settings.schedules.at(settings.schedules.verify),
            table,
            words="Each night what was delivered lately, and a part of what is older.",
            nothing=f"nothing was ever delivered by {', '.join(names)}",
            asked=partial(_asked, job_name(system, kind), kind, table, settings),
        )


def _asked(
    name: str, kind: str, flows: Sequence[Flow], settings: Settings, at: datetime, ledger: Ledger
) -> list[dg.RunRequest]:
    ranges = companies(settings) if kind == "company" else tonight(at, settings, ledger, flows)
    return [_request(name, span, at) for span in ranges]


def companies(settings: Settings) -> list[Days]:
    there = sorted(settings.companies)
    return [(there[0], there[-1])]


def tonight(at: datetime, settings: Settings, ledger: Ledger, flows: Sequence[Flow]) -> list[Days]:
    """The open window, and of the days before it those whose turn it is: all of them in `rotation_days` nights."""
    today = at.date()
    first = max(settings.partitions_start, today - timedelta(days=settings.verify.days))
    window = (first.isoformat(), today.isoformat())
    older = [day for day in ledger.looks.days([flow.name for flow in flows]) if _is_before(day, first, settings)]
    turns = settings.verify.rotation_days
    mine = older[
        today.toordinal() % turns * len(older) // turns : (today.toordinal() % turns + 1) * len(older) // turns
    ]
    return [window, *([(mine[0], mine[-1])] if mine else [])]


def _is_before(day: str, first: date, settings: Settings) -> bool:
    return settings.partitions_start.isoformat() <= day < first.isoformat()


def _request(name: str, span: Days, at: datetime) -> dg.RunRequest:
    tags = {f"{RANGE}start": span[0], f"{RANGE}end": span[1]}
    return dg.RunRequest(run_key=f"{name} {span[0]} {span[1]} {at.isoformat()}", tags=tags)
