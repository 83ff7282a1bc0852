"""Calls side by side keep their order, their bound, and end when they are told to."""

import threading
import time
from collections.abc import Iterator

import pytest

from mlc_dagster.core.errors import TransientError
from mlc_dagster.transport.threads import in_order, sleep


def test_results_come_in_order_and_never_more_than_so_many_at_once() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.02 if number % 3 == 0 else 0.001)
        with lock:
            running -= 1
        return number

    assert list(in_order(work, range(50), 4)) == list(range(50))
    assert 2 <= most <= 4


@pytest.mark.parametrize("in_flight", [1, 3])
def test_it_looks_ahead_no_further_than_its_calls(in_flight: int) -> None:
    pulled: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            pulled.append(number)
            yield number

    results = in_order(str, items(), in_flight)
    for expected in ("0", "1", "2"):
        assert next(results) == expected
        assert len(pulled) <= int(expected) + in_flight
    results.close()  # type: ignore[attr-defined]
    assert len(pulled) <= 2 + in_flight


@pytest.mark.parametrize("in_flight", [1, 4])
def test_an_error_is_raised_in_its_place(in_flight: int) -> None:
    def work(number: int) -> float:
        time.sleep(0.01 * (5 - number))
        return 1 / (number - 3)

    done: list[float] = []
    with pytest.raises(ZeroDivisionError):
        done.extend(result for result in in_order(work, range(6), in_flight) if done.append(result))  # type: ignore[func-returns-value]
    assert done == [1 / -3, 1 / -2, 1 / -1]


@pytest.mark.parametrize("in_flight", [1, 4])
def test_a_source_that_fails_loses_no_result_before_it(in_flight: int) -> None:
    def items() -> Iterator[int]:
        yield from (1, 2)
        raise OSError("storage is gone")

    done: list[int] = []
    with pytest.raises(OSError, match="storage is gone"):
        for result in in_order(abs, items(), in_flight):
            done.append(result)
    assert done == [1, 2]


def test_closing_ends_the_waits_at_once_and_leaves_no_thread() -> None:
    ends: list[str] = []

    def work(number: int) -> int:
        if number:
            try:
                sleep(60)
            except TransientError as error:
                ends.append(str(error))
                raise
        return number

    results = in_order(work, range(10), 4)
    assert next(results) == 0
    time.sleep(0.05)
    started = time.monotonic()
    results.close()  # type: ignore[attr-defined]
    assert time.monotonic() - started < 1
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("in-order")]
    assert len(ends) >= 3
    assert "the run is ending" in ends[0]
