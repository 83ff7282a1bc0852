"""A Dagster run as a victim makes it, on an instance that others use at the same time."""

from __future__ import annotations

import os
from typing import Any

import dagster as dg

from mlc_dagster.orchestration.location import build
from mlc_dagster.settings import Environment
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster_tests.orchestration.conftest import QUIET


def run(home: str, settings: dict[str, Any], environment: dict[str, str], job: str, tags: dict[str, str]) -> str:
    """The id of the run, which must succeed. `environment`: MLC_... and secrets, as text."""
    os.environ.update(environment)
    place = Environment(storage=environment["MLC_STORAGE"], database_url=environment["MLC_DATABASE_URL"])
    definitions = build(settings_file.parse(settings, "mlc.yaml"), place)
    with dg.DagsterInstance.from_config(home) as instance:
        found = definitions.resolve_job_def(job).execute_in_process(instance=instance, tags=tags, run_config=QUIET)
    assert found.success
    return found.run_id
