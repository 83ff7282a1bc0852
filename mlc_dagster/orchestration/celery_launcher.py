"""Dagster's Celery launcher, that asks the workers and not the state that a task had when its worker died.

Needs `pip install mlc-dagster[celery]`.
"""

from collections.abc import Mapping
from typing import Any, Self

import dagster as dg
from dagster._core.launcher import LaunchRunContext
from dagster_celery import launcher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG as TASK

from mlc_dagster.orchestration.launchers import SETTING, SILENT_SECONDS, AsksItsWorkers, NobodyToAsk
from mlc_dagster.orchestration.liveness.silence import Silence

ANSWERS_WITHIN = 2.0  # seconds, all of them waited for: nobody knows how many workers there are
ENDED = ("SUCCESS", "FAILURE", "REVOKED")  # the worker itself says so, also of a child that was killed


class CeleryRunLauncher(AsksItsWorkers, launcher.CeleryRunLauncher):  # type: ignore[misc]
    """A run is one task of Celery."""

    def __init__(self, silent_seconds: float = SILENT_SECONDS, **config: Any) -> None:
        launcher.CeleryRunLauncher.__init__(self, **config)
        self._silence = Silence(silent_seconds)

    @classmethod
    def config_type(cls) -> Any:
        return {**super().config_type(), "silent_seconds": SETTING}

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Mapping[str, Any]) -> Self:
        return cls(inst_data=inst_data, **config_value)

    @property
    def supports_resume_run(self) -> bool:
        return False  # a worker that is lost shows as a failed run, and the next run is one of its own

    def launch_run(self, context: LaunchRunContext) -> None:
        """A run that is taken up again has the tags of the one before: that one's task is not its own."""
        self._instance.add_run_tags(context.dagster_run.run_id, {TASK: ""})
        launcher.CeleryRunLauncher.launch_run(self, context)

    def was_launched(self, run: dg.DagsterRun) -> bool:
        return TASK in run.tags

    def is_executed(self, run: dg.DagsterRun) -> bool | None:
        """A worker that answers is asked what it works on; it answers beside the work of its children."""
        task = run.tags.get(TASK)
        if not task:
            return None
        try:
            if self.celery.AsyncResult(task).state in ENDED:
                return False
            answers = self.celery.control.inspect(timeout=ANSWERS_WITHIN).active() or {}
        except Exception as error:  # of the broker's own client, whichever that is
            raise NobodyToAsk(f"Celery's broker or backend does not answer: {error}") from error
        return any(each["id"] == task for tasks in answers.values() for each in tasks) or None
