"""Requests of schedules and sensors, as Dagster's daemon launches them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import dagster as dg


def launchable(defs: dg.Definitions, asked_by: Any, requests: Iterable[dg.RunRequest] | None) -> list[dg.JobDefinition]:
    """The jobs that the daemon makes of the requests of a schedule or sensor. Raises what it would raise: where a
    request leaves out a check that one of its steps makes, nothing is launched.
    """
    return [_job(defs, asked_by, request) for request in requests or ()]


def _job(defs: dg.Definitions, asked_by: Any, request: dg.RunRequest) -> dg.JobDefinition:
    job = defs.get_repository_def().get_job(request.job_name or asked_by.job_name)
    assets, checks = request.asset_selection, request.asset_check_keys
    if assets is None and checks is None:
        return job
    return job.get_subset(
        asset_selection=None if assets is None else set(assets),
        asset_check_selection=None if checks is None else set(checks),
    )
