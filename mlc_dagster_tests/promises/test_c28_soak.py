"""C28: `make soak` in short: mixed faults, and the states sum, memory and files stay level."""

from __future__ import annotations

import subprocess
import sys

import pytest

SECONDS = "25"


@pytest.mark.slow
@pytest.mark.promise(
    "C28", "half a minute of mixed faults, 2,000 records a round (`make soak`: an hour, 1,000,000 records)"
)
def test_c28_after_half_a_minute_of_mixed_faults_the_states_sum_and_nothing_grew() -> None:
    command = [sys.executable, "-m", "mlc_dagster_tests.promises.soak", "--seconds", SECONDS, "--records", "10000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all as promised" in done.stdout
