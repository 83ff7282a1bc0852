"""What a load would do: worked out now, and as it was written to a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.core.errors import Misconfigured

TO_PLAN = "mlc plan --flow cin7/purchases --partition 2026-11-05 --out plan.json"


def planned(flow: str, partition: str) -> dict[str, Any]:
    """A plan of the stored rows of a partition, without writing. Raises MlcError where the flow is not on."""
    from mlc_dagster.cli.shared.known_names import flow_that_is_on
    from mlc_dagster.orchestration.automation import planning, replaying
    from mlc_dagster.orchestration.fixed_resources import resources
    from mlc_dagster.systems import configuration

    environment = settings_file.environment()
    settings = configuration.load(environment.config)
    flow_that_is_on(flow, settings)
    flows = replaying.flows_on(settings)
    replaying.between(flows[flow], partition, partition, settings)
    with ledger():  # it must be there; the job reads it as its own
        job = planning.plan_job(list(flows.values()), settings, resources(settings, environment, shares_budget=False))
        return planning.run(job, flow, partition)


def planned_together(flow: str | None, first: str, last: str) -> dict[str, Any]:
    """Plans of a range of days, of one flow or of all that are on by day: what one delivers is there for the others.

    Raises MlcError where the flow is not on, or a day is none.
    """
    from mlc_dagster.cli.shared.known_names import flow_that_is_on
    from mlc_dagster.orchestration.automation import planning, replaying
    from mlc_dagster.orchestration.fixed_resources import resources
    from mlc_dagster.systems import configuration

    environment = settings_file.environment()
    settings = configuration.load(environment.config)
    flows = replaying.flows_on(settings)
    if flow is not None:
        flow_that_is_on(flow, settings)
    wanted = [each for each in flows.values() if each.name == flow or (flow is None and each.source.partition == "day")]
    days = [day for _, day in replaying.between(wanted[0], first, last, settings)]
    with ledger():  # it must be there; the job reads it as its own
        job = planning.plan_job(list(flows.values()), settings, resources(settings, environment, shares_budget=False))
        return planning.run_several(job, planning.in_order_of_need(wanted, days))


def read(file: Path) -> dict[str, Any]:
    """A plan that `mlc plan --out` wrote. Raises Misconfigured for another file."""
    if not file.is_file():
        raise Misconfigured(f"there is no plan at {file}", cure=f"Make one: {TO_PLAN}")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        _ = found["flow"], found["partition"], found["digest"], found["steps"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Misconfigured(f"{file} is no plan: {error}", cure=f"Make one: {TO_PLAN}") from None
    return dict(found)
