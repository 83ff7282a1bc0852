"""C3: the limit is never passed in any window: four processes at once, by the sandbox's own rolling count."""

from __future__ import annotations

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster_tests.promises import rates
from mlc_dagster_tests.promises.victims import Victims

LIMIT, PERIOD, PROCESSES = 40, 12.0, 4


@pytest.mark.promise("C3", "four processes share each key's budget: the sandbox's rolling count never passes the limit")
@pytest.mark.parametrize("keys", [["sandbox-key-1"], ["sandbox-key-1", "sandbox-key-2", "sandbox-key-3"]])
def test_c3_four_processes_at_once_never_pass_the_limit_of_a_key(
    keys: list[str], victims: Victims, ledger_url: str
) -> None:
    each = 15 * len(keys)
    Ledger.open(ledger_url).close()
    with Sandbox(limits=Limits(cin7_calls_per_minute=LIMIT, window_seconds=PERIOD)) as box:
        children = [victims.start(rates.ask, ledger_url, box.url, keys, LIMIT, PERIOD, each) for _ in range(PROCESSES)]
        ends = [child.wait(timeout=60) for child in children]
        assert [end.value for end in ends] == [{"requests": each, "retries": 0}] * PROCESSES, [e.said for e in ends]
        peaks = box.peaks("cin7")
        assert set(peaks) == set(keys), "every key had its share of the work"
        assert max(peaks.values()) <= LIMIT
        calls = box.calls("cin7")
        assert sum(calls.values()) == each * PROCESSES
