"""The whole product against the sandbox, without a credential: real Dagster runs, on the instance that the UI shows."""

from mlc_dagster.demo.story import run_demo, run_ui

__all__ = ["run_demo", "run_ui"]
