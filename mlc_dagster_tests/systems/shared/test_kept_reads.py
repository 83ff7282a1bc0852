"""What was read is taken for the truth for a while, and never longer than whoever asks allows."""

from collections.abc import Iterator

import pytest

from mlc_dagster.core.errors import TransientError
from mlc_dagster.systems.shared.kept_reads import KeptRead


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_reading_is_done_once_within_its_time_and_again_after_it() -> None:
    clock, numbers = Clock(), iter(range(9))
    kept = KeptRead(lambda: next(numbers), 60.0, clock)
    assert [kept.value(), kept.value()] == [0, 0]
    clock.now = 60.0
    assert kept.value() == 0
    clock.now = 60.1
    assert kept.value() == 1


def test_its_age_counts_from_before_the_first_request() -> None:
    clock = Clock()

    def slow() -> float:
        clock.now += 50.0
        return clock.now

    kept = KeptRead(slow, 60.0, clock)
    assert kept.value() == 50.0
    clock.now = 61.0
    assert kept.value() == 111.0


def test_who_needs_it_fresher_gets_it_fresher_and_the_others_have_it_then() -> None:
    clock, numbers = Clock(), iter(range(9))
    kept = KeptRead(lambda: next(numbers), 600.0, clock)
    assert kept.value() == 0
    clock.now = 61.0
    assert (kept.value(), kept.value(60.0), kept.value()) == (0, 1, 1)


def test_what_is_forgotten_is_read_anew() -> None:
    numbers = iter(range(9))
    kept = KeptRead(lambda: next(numbers), 600.0, Clock())
    assert kept.value() == 0
    kept.forget()
    assert kept.value() == 1


def test_a_reading_that_fails_is_no_reading() -> None:
    def answers() -> Iterator[int]:
        yield 1
        raise TransientError("gone")

    clock, numbers = Clock(), answers()
    kept = KeptRead(lambda: next(numbers), 60.0, clock)
    assert kept.value() == 1
    clock.now = 61.0
    with pytest.raises(TransientError, match="gone"):
        kept.value()
    clock.now = 30.0
    assert kept.value() == 1
