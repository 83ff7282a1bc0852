from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from dagster._utils.schedules import cron_string_iterator

from mlc_dagster.core.cron_times import next_time

LINES = [
    "*/15 * * * *",
    "15 0 * * *",
    "5 */6 * * *",
    "0 9 * * 1-5",
    "30 8 1,15 * *",
    "0 0 29 2 *",
    "0 12 13 * 5",
    "7-30/5 3 * 6-8 *",
    "0 0 * * 7",
    "@hourly",
    "@daily",
    "@weekly",
    "@monthly",
    "@yearly",
]


@pytest.mark.parametrize("line", LINES)
def test_a_line_comes_round_next_when_dagster_says_so(line: str) -> None:
    rng = random.Random(f"cron {line}")
    for _ in range(10):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=rng.randrange(60 * 24 * 400), seconds=1)
        assert next_time(line, at) == next(cron_string_iterator(at.timestamp(), line, "UTC"))


@pytest.mark.parametrize("line", ["0 0 31 2 *", "61 * * * *", "* * *", "soon", "0 0 * * mon"])
def test_what_names_no_time_or_is_not_read_here_is_said_to_have_none(line: str) -> None:
    assert next_time(line, datetime(2026, 11, 5, tzinfo=UTC)) is None
