"""C3: half of all calls answered 429: a non-event."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from mlc_dagster.core.errors import ThrottledUntil
from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster_tests.promises.quick import PLENTY, ifs_client, numbered, scope, spread
from mlc_dagster_tests.promises.seeds import seeds
from mlc_dagster_tests.systems.ifs.conftest import Reader
from mlc_dagster_tests.systems.loopback import FakeTime

MINUTE, CAP = 60.0, 120.0 + 1.0  # seconds; the cap has a second of jitter
ROWS, PAGE = 400, 5


def words(kind: str) -> dict[str, str]:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    return {"seconds": {"retry-after": "2"}, "date": {"retry-after": soon}, "absent": {}}.get(
        kind, {"retry-after": kind}
    )


class Minute:
    """Half of the calls are refused while this minute lasts, by dice of our own; each kind of word in turn."""

    def __init__(self, box: Sandbox, seed: int, kinds: tuple[str, ...]) -> None:
        self.box, self.chance, self.kinds, self.passing = box, random.Random(seed), kinds, FakeTime()
        self.calls = 0
        box.ifs.tokens.seconds = 1e9  # a sign-in is no part of what is counted
        box.faults.take = self.take  # type: ignore[method-assign]

    def take(self, system: str, method: str, path: str) -> Any:
        from mlc_dagster.sandbox.faults import Fault

        if "SupplierSet" not in path:
            return None
        self.calls, self.passing.now = self.calls + 1, self.passing.now + 0.01
        if self.passing.now > 1000 + MINUTE or self.chance.random() >= 0.5:
            return None
        return Fault(status=429, headers=words(self.chance.choice(self.kinds)))


@pytest.mark.promise("C3", "half of all calls to IFS 429 for a minute; Retry-After in all four ways, clock faked")
@pytest.mark.parametrize("seed", seeds())
def test_c3_half_of_all_calls_429_for_a_minute_costs_twice_the_calls_and_capped_waits(seed: int) -> None:
    with Sandbox(limits=PLENTY) as box:
        box.ifs.put_many("SupplierSet", spread(ROWS))
        minute = Minute(box, seed, ("seconds", "date", "absent"))
        client = ifs_client(box, PAGE, 1, clock=minute.passing.clock, sleep=minute.passing.sleep)
        rows, pull = Reader(client)(ifs.SUPPLIERS, scope())

        assert [row["supplier_id"] for row in rows] == numbered(ROWS)
        assert minute.calls <= 2.2 * pull.requests
        assert max(minute.passing.slept, default=0) <= CAP
        assert minute.passing.slept, "it did wait"


@pytest.mark.promise(
    "C3", "Retry-After of 3,600 s on half of the calls: throttled at once, asked at its time; clock faked"
)
@pytest.mark.parametrize("seed", seeds())
def test_c3_a_server_that_asks_for_an_hour_ends_the_read_as_throttled_and_is_not_asked_before(seed: int) -> None:
    with Sandbox(limits=PLENTY) as box:
        box.ifs.put_many("SupplierSet", spread(100))
        minute = Minute(box, seed, ("3600",))
        client = ifs_client(box, PAGE, 1, clock=minute.passing.clock, sleep=minute.passing.sleep)
        with pytest.raises(ThrottledUntil, match=r"ifs asks to be left alone until .* \(360\d s\)") as throttled:
            Reader(client)(ifs.SUPPLIERS, scope())
        calls = minute.calls
        with pytest.raises(ThrottledUntil):
            Reader(client)(ifs.SUPPLIERS, scope())
        assert minute.calls == calls and max(minute.passing.slept, default=0) <= CAP
        minute.passing.now += throttled.value.seconds
        rows, _ = Reader(client)(ifs.SUPPLIERS, scope())
        assert [row["supplier_id"] for row in rows] == numbered(100)


@pytest.mark.promise("C3", "8 threads, a budget of 20 calls in 2 s in the ledger, half 429, on the real clock")
def test_c3_no_window_holds_more_calls_than_the_limit_while_half_of_them_are_refused(ledger: Ledger) -> None:
    limit, period = 20, 2.0
    arrived: list[float] = []
    limits = Limits(ifs_requests_per_minute=limit, window_seconds=period)
    with Sandbox(limits=limits) as box:
        box.ifs.put_many("SupplierSet", spread(150))
        take = box.faults.take

        def noted(system: str, method: str, path: str) -> Any:
            arrived.extend([time.monotonic()] if "SupplierSet" in path else [])
            return take(system, method, path)

        box.faults.take = noted  # type: ignore[method-assign]
        for kind, most in (("seconds", 1), ("absent", 4)):
            box.faults.add(system="ifs", path="SupplierSet", share=0.25, times=most, status=429, headers=words(kind))
        budget = ledger.budget("ifs of this test", limit, period)
        client = ifs_client(box, PAGE, 8, budget=budget, sleep=time.sleep)
        rows, pull = Reader(client)(ifs.SUPPLIERS, scope())

        assert len(rows) == 150
        most = max(sum(first <= other < first + period for other in arrived) for first in arrived)
        assert most <= limit
        assert max(box.peaks("ifs").values()) <= limit
        assert len(arrived) <= 2.2 * pull.requests
