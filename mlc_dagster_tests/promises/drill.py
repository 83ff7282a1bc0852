"""The real thing, by the clock: five days of the demo's records, kill -9 amid the load, and how long until it is over.

python -m mlc_dagster_tests.promises.drill            # `dagster dev` as shipped, all of its processes
python -m mlc_dagster_tests.promises.drill celery     # a Celery worker and its child; needs redis-server
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from mlc_dagster.ledger.coordination.leases import boot_time
from mlc_dagster.orchestration.automation.running import run_job
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster_tests.promises.whole import Whole, celery_of, free_port, start_celery, until

DAYS, AMID = 5, 300  # writes after which it is killed
PLENTY = Limits(cin7_calls_per_minute=60_000, ifs_requests_per_minute=60_000)


def drill(folder: Path, on_celery: bool) -> None:
    redis = f"redis://127.0.0.1:{free_port()}"
    with Sandbox(seed="demo", days=DAYS, limits=PLENTY) as box:
        whole = Whole(
            folder, _settings(folder, box), f"sqlite:///{folder / 'ledger.db'}", celery_of(redis) if on_celery else {}
        )
        whole.lay_out()
        os.environ.update(whole.environment)
        try:
            _go(whole, box, redis if on_celery else "")
        finally:
            whole.kill()


def _go(whole: Whole, box: Sandbox, redis: str) -> None:
    definitions = whole.definitions()
    companies = sorted(yaml.safe_load(whole.config.read_text())["companies"])
    with whole.instance() as instance:
        run_job(definitions.resolve_job_def("chart_of_accounts"), instance, (companies[0], companies[-1]))
    if redis:
        whole.spawn(
            ["redis-server", "--bind", "127.0.0.1", "--port", redis.rpartition(":")[2], "--save", ""], "redis.log"
        )
        start_celery(whole, redis, "first")
    whole.start_with_ui()
    box.faults.add(system="cin7", method="POST", times=None, delay=0.1)
    assets = definitions.resolve_job_def("cin7").asset_layer.selected_asset_keys
    backfill = whole.backfill(sorted(key.to_user_string() for key in assets), _days())
    until(lambda: len(box.journal("cin7")) >= AMID, 300, whole.story)
    (before,) = [run for run in whole.runs() if run.status is dg.DagsterRunStatus.STARTED]
    box.faults.clear()
    began = boot_time()
    if redis:
        for pid in whole.pids("celery -A"):
            os.kill(pid, signal.SIGKILL)
        start_celery(whole, redis, "next")
    else:
        whole.kill()
        began = boot_time()
        whole.start_with_ui()
        print(f"{boot_time() - began:6.1f} s  Dagster is up again", flush=True)
    told: Counter[str] = Counter()
    until(lambda: _over(whole, backfill, before, told, began), 600, whole.story)
    there = Counter(each["AdditionalAttributes"]["AdditionalAttribute1"] for each in box.cin7.purchases.values())
    print(f"{boot_time() - began:6.1f} s  backfill {whole.backfill_status(backfill)}")
    doubled, writes = sum(there.values()) - len(there), len(box.journal("cin7"))
    print(f"{len(there)} orders in Cin7, {doubled} doubled, {writes} writes")


def _over(whole: Whole, backfill: str, before: dg.DagsterRun, told: Counter[str], began: float) -> bool:
    for run in whole.runs():
        name = "the run that was killed" if run.run_id == before.run_id else f"run of {run.job_name}"
        words = f"{name} is {run.status.value}"
        if run.run_id == before.run_id or run.parent_run_id == before.run_id:
            if not told[words]:
                print(f"{boot_time() - began:6.1f} s  {words}", flush=True)
            told[words] += 1
    return whole.backfill_status(backfill) != "REQUESTED"


def _days() -> list[str]:
    today = datetime.now(UTC).date()
    return [(today - timedelta(days=back)).isoformat() for back in range(DAYS)][::-1]


def _settings(folder: Path, box: Sandbox) -> Path:
    content: dict[str, Any] = demo_settings(box.url, days=DAYS)
    content["ifs"]["requests_per_minute"] = content["cin7"]["calls_per_minute"] = 60_000
    for other in ("airbase", "hubspot", "monday", "procurify"):
        content.pop(other, None)
    path = folder / "mlc.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="drill-") as place:
        drill(Path(place), "celery" in sys.argv[1:])
