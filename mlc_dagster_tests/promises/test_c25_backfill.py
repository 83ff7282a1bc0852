"""C25: a backfill of thirty days while today's partition runs: nothing newer is overwritten by something older."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from mlc_dagster.core.outcomes import Ready
from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.promises.quick import COMPANIES, PLENTY, companies, deliver
from mlc_dagster_tests.promises.seeds import seeds
from mlc_dagster_tests.systems.hubspot.samples import client_on

DAYS, SUPPLIERS = 30, 40
FIRST = datetime(2026, 11, 1, 9, tzinfo=UTC)


def versions(chance: random.Random) -> list[list[Ready]]:
    """Thirty days; on each some suppliers were changed, and their company says on which day."""
    days = [chance.sample(range(SUPPLIERS), chance.randint(1, 15)) for _ in range(DAYS)]
    dated = [FIRST + timedelta(days=number) for number in range(DAYS)]
    return [companies(some, at=at, cost_center=f"day {at:%d}") for some, at in zip(days, dated, strict=True)]


@pytest.mark.promise(
    "C25", "29 days in random order beside today's partition again and again, two writers, two ledgers"
)
@pytest.mark.parametrize("seed", seeds())
def test_c25_a_backfill_beside_todays_run_never_puts_an_older_version_over_a_newer_one(
    seed: int, ledger_url: str
) -> None:
    chance = random.Random(seed)
    *past, today = versions(chance)
    chance.shuffle(past)  # as a backfill of single days would run them
    newest = {
        ready.key: ready for ready in sorted([each for day in [*past, today] for each in day], key=lambda r: r.version)
    }

    with Sandbox(limits=PLENTY) as box:

        def writer(days: Sequence[Sequence[Ready]], name: str) -> None:
            client = client_on(box)
            with Ledger.open(ledger_url) as ledger:
                for day in days:
                    deliver(ledger, COMPANIES, day, client, name)
                    time.sleep(chance.random() * 0.01)

        Ledger.open(ledger_url).close()
        with ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(writer, past, "backfill"), pool.submit(writer, [today] * 3, "today")]:
                done.result()

        there = {
            row["properties"]["ifs_external_key"]: row["properties"] for row in box.hubspot.live("companies").values()
        }
        written = box.journal("hubspot")
    found = {key: properties["ifs_cost_center"] for key, properties in there.items()}
    assert found == {f"SUPPLIER/{key}": ready.record.cost_center for key, ready in newest.items()}  # type: ignore[attr-defined]
    assert written
