from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from dagster._utils.schedules import cron_string_iterator

from mlc_dagster.core.cron_times import EXPECTED, When, next_time, when

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


AUTUMN = datetime(2026, 10, 25, 0, 40, tzinfo=UTC)
ZONES = ["Europe/Stockholm", "America/New_York", "Australia/Sydney", "Asia/Kolkata"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("line", ["0 6 * * *", "30 2 * * *", "15 0 26 * *", "0 9 * * 1-5", "*/15 * * * *"])
def test_a_line_on_the_clocks_of_a_zone_comes_round_when_dagster_says_so(line: str, zone: str) -> None:
    """Also over the nights in which its clocks are changed."""
    rng = random.Random(f"cron {line} {zone}")
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=rng.randrange(60 * 24 * 400)) for _ in range(6)]
    for at in [*moments, datetime(2026, 3, 29, 0, 10, tzinfo=UTC), datetime(2026, 10, 25, 0, 10, tzinfo=UTC), AUTUMN]:
        theirs = next(cron_string_iterator(at.timestamp() + 1, line, zone)).astimezone(UTC)
        assert next_time(When(line, zone), at) == theirs, at


@pytest.mark.parametrize(
    "words, cron, zone",
    [
        ("daily at 06:00 Europe/Stockholm", "0 6 * * *", "Europe/Stockholm"),
        ("Weekdays at 7:30", "30 7 * * 1-5", "UTC"),
        ("mondays at 09:00 UTC", "0 9 * * 1", "UTC"),
        ("every 15 minutes", "*/15 * * * *", "UTC"),
        ("every 120 minutes", "0 */2 * * *", "UTC"),
        ("every 2 hours", "0 */2 * * *", "UTC"),
        ("hourly", "0 * * * *", "UTC"),
        ("after day 25 at 06:00 America/New_York", "0 6 26 * *", "America/New_York"),
        ("after day 28 at 06:00", "0 6 1 * *", "UTC"),
        ("after day 31 at 06:00", "0 6 1 * *", "UTC"),
        ("after the month at 05:15", "15 5 1 * *", "UTC"),
        ("*/15  6-18 * * 1-5  Asia/Kolkata", "*/15 6-18 * * 1-5", "Asia/Kolkata"),
        ("@daily", "@daily", "UTC"),
    ],
)
def test_words_mean_a_line_and_a_zone(words: str, cron: str, zone: str) -> None:
    assert when(words) == (cron, zone)
    assert when(words, "Asia/Tokyo").zone == (zone if zone in words else "Asia/Tokyo")


@pytest.mark.parametrize("words", ["soon", "every 7 minutes", "after day 32 at 06:00", "", "daily", "every 0 minutes"])
def test_what_is_no_time_says_what_one_looks_like(words: str) -> None:
    with pytest.raises(ValueError, match="daily at 06:00") as told:
        when(words)
    assert str(told.value) == EXPECTED


def test_a_zone_that_there_is_not_is_named() -> None:
    with pytest.raises(ValueError, match="'Mars/Base' is none"):
        when("daily at 06:00 Mars/Base")
