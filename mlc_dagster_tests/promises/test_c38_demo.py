"""C38 to C40, C43: `mlc demo --whole` in real Dagster runs: what people do after delivery is told, or mended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mlc_dagster

ROOT = Path(mlc_dagster.__file__).parents[1]
EVENTS = (
    "a payment is voided",
    "an order line is edited",
    "an order is deleted",
    "two companies are merged",
    "a purchase is edited by hand",
    "a day's run fails",
)
CHECKED = (
    "each event is as it should be",
    "each difference between the systems is an open one in the ledger, to the cent",
    "nothing else differs: each open difference is of one of these events",
)


@pytest.mark.slow
@pytest.mark.promise("C38", "a day of the demo, then six events and the night after: one table, each right")
def test_c38_the_demo_tells_the_later_life_to_the_cent(tmp_path: Path) -> None:
    known = {name: value for name, value in os.environ.items() if not name.startswith(("MLC_", "DAGSTER_"))}
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    done = subprocess.run(
        [sys.executable, "-m", "mlc_dagster", "demo", "--whole", "--days", "1"],
        cwd=tmp_path,
        env={**known, "PYTHONPATH": str(ROOT), "COLUMNS": "500"},
        capture_output=True,
        text=True,
        timeout=1800,
    )
    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 0, said[-6000:]
    assert [words for words in EVENTS if words not in said] == []
    assert [words for words in CHECKED if f"✓ {words}" not in said] == []
    assert "(on_taken_back: hold)" in said and "✗" not in said
