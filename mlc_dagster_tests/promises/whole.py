"""All of Dagster as people run it: `dagster dev` with the shipped dagster.yaml, Celery workers; its end by kill -9."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import yaml
from dagster._core.execution.backfill import PartitionBackfill

import mlc_dagster
from mlc_dagster.demo.place import SECRETS
from mlc_dagster.ledger.coordination.leases import boot_time
from mlc_dagster.orchestration.location import build
from mlc_dagster.settings import Environment
from mlc_dagster.systems import configuration as settings_file

ROOT = Path(mlc_dagster.__file__).parents[1]
LAUNCH = """mutation Launch($backfill: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $backfill) {
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
    ... on InvalidSubsetError { message }
  }
}"""


@dataclass
class Whole:
    """A Dagster instance in a folder, and the processes that were started on it."""

    folder: Path
    config: Path
    ledger_url: str
    instance_settings: Mapping[str, Any] = field(default_factory=dict)  # over what is shipped, by section
    port: int = field(default_factory=lambda: free_port())
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def environment(self) -> dict[str, str]:
        return {
            **SECRETS,
            "MLC_CONFIG": str(self.config),
            "MLC_STORAGE": str(self.folder / "storage"),
            "MLC_DATABASE_URL": self.ledger_url,
            "DAGSTER_HOME": str(self.home),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "PYTHONPATH": str(ROOT),
        }

    def lay_out(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        shipped = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
        for name, content in self.instance_settings.items():
            shipped[name] = {**shipped.get(name, {}), **content}
        (self.home / "dagster.yaml").write_text(yaml.safe_dump(shipped, sort_keys=False), encoding="utf-8")

    # --- processes ----------------------------------------------------------------------------------------------------

    def start(self) -> subprocess.Popen[bytes]:
        """`dagster dev`."""
        words = ["-m", "dagster", "dev", "-m", "mlc_dagster.definitions", "-h", "127.0.0.1", "-p", str(self.port)]
        return self.spawn([sys.executable, *words], "dagster.log")

    def start_with_ui(self) -> None:
        process = self.start()
        until(lambda: self._answers(process), 180, lambda: (self.folder / "dagster.log").read_text()[-3000:])

    def spawn(self, command: Sequence[str], log: str) -> subprocess.Popen[bytes]:
        with (self.folder / log).open("ab") as said:
            known = {**os.environ, **self.environment}
            process = subprocess.Popen(
                command, env=known, cwd=self.folder, stdout=said, stderr=said, start_new_session=True
            )
        self.started.append(process)
        return process

    def kill(self) -> None:
        """kill -9 of all that works on this instance: what was started here, and what that started."""
        while pids := list(self.pids()):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
            for process in self.started:
                process.poll()
        self.started.clear()

    def pids(self, words: str = "") -> Iterator[int]:
        """Living processes that know this instance's folder as their home, whose command line has these words."""
        mark = f"DAGSTER_HOME={self.home}".encode()
        for place in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                known = (place / "environ").read_bytes().split(b"\0")
                if mark in known and words.replace(" ", "\0").encode() in (place / "cmdline").read_bytes():
                    yield int(place.name)

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        assert process.poll() is None, (self.folder / "dagster.log").read_text()[-3000:]
        with contextlib.suppress(httpx.TransportError):
            return self.ask("{ repositoriesOrError { __typename } }")["repositoriesOrError"]["__typename"] != ""
        return False

    # --- runs ---------------------------------------------------------------------------------------------------------

    def ask(self, query: str, **variables: Any) -> Any:
        body = {"query": query, "variables": variables}
        answer = httpx.post(f"http://127.0.0.1:{self.port}/graphql", json=body, timeout=60, trust_env=False)
        return answer.raise_for_status().json()["data"]

    def definitions(self) -> dg.Definitions:
        place = Environment(storage=self.environment["MLC_STORAGE"], database_url=self.ledger_url)
        return build(settings_file.load(self.config), place)

    def ask_for_backfill(self, backfill_id: str, job: str, days: Sequence[str]) -> None:
        """As `backfill`, of all assets of a job, written down for a daemon that is started later."""
        definitions = self.definitions()
        job_assets = definitions.resolve_job_def(job).asset_layer.selected_asset_keys
        with self.instance() as instance:
            asked = PartitionBackfill.from_asset_partitions(
                asset_graph=definitions.resolve_asset_graph(),
                backfill_id=backfill_id,
                tags={},
                backfill_timestamp=time.time(),
                asset_selection=sorted(job_assets),
                partition_names=list(days),
                dynamic_partitions_store=instance,
                all_partitions=False,
                title=None,
                description=None,
                run_config=None,
            )
            instance.add_backfill(asked)

    def backfill(self, assets: Sequence[str], days: Sequence[str]) -> str:
        """What a person launches on the page of an asset: its id."""
        asked = {"assetSelection": [{"path": name.split("/")} for name in assets], "partitionNames": list(days)}
        answer = self.ask(LAUNCH, backfill={**asked, "fromFailure": False, "tags": []})["launchPartitionBackfill"]
        assert "backfillId" in answer, answer
        return str(answer["backfillId"])

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        with dg.DagsterInstance.from_config(str(self.home)) as opened:
            yield opened

    def runs(self) -> list[dg.DagsterRun]:
        """Newest first."""
        with self.instance() as instance:
            return list(instance.get_runs())

    def status(self, run: dg.DagsterRun) -> str:
        with self.instance() as instance:
            found = instance.get_run_by_id(run.run_id)
        return found.status.value if found else ""

    def backfill_status(self, backfill_id: str) -> str:
        with self.instance() as instance:
            found = instance.get_backfill(backfill_id)
        return found.status.value if found else ""

    def story(self) -> str:
        """What became of each run, oldest first: for a test that fails."""
        lines = [f"{run.run_id[:8]} {run.job_name} {run.status.value} {dict(run.tags)}" for run in self.runs()[::-1]]
        return "\n".join([*lines, (self.folder / "dagster.log").read_text()[-3000:]])


def until(holds: Callable[[], Any], seconds: float, story: Callable[[], str] = str) -> float:
    """Seconds that it took."""
    began = boot_time()
    while not holds():
        assert boot_time() - began < seconds, f"not within {seconds:g} s\n{story()}"
        time.sleep(0.1)
    return boot_time() - began


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def celery_of(redis: str) -> dict[str, Any]:
    """What dagster.yaml says where runs are executed by Celery workers."""
    launcher = {"module": "mlc_dagster.orchestration.celery_launcher", "class": "CeleryRunLauncher"}
    return {"run_launcher": {**launcher, "config": {"broker": f"{redis}/0", "backend": f"{redis}/1"}}}


def start_celery(whole: Whole, redis: str, name: str) -> None:
    """A worker with one child."""
    where = ["-A", "dagster_celery.app", "-b", f"{redis}/0", "--result-backend", f"{redis}/1"]
    how = ["worker", "-Q", "dagster", "-c", "1", "-n", f"{name}@%h", "--without-gossip", "--without-mingle"]
    whole.spawn([sys.executable, "-m", "celery", *where, *how], f"{name}.log")
