"""A signal waits for the end of the block, not for ever, and not twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from mlc_dagster.pipeline.ending import after_this


class Told(Exception):
    """What the handler of before raises."""


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    def tell(*_: object) -> None:
        raise Told

    before = signal.signal(signal.SIGTERM, tell)
    yield
    signal.signal(signal.SIGTERM, before)


def tell_me_to_end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_is_obeyed_at_the_end_of_the_block() -> None:
    done = False
    with pytest.raises(Told), after_this():
        tell_me_to_end()
        time.sleep(0.01)
        done = True
    assert done


def test_after_the_grace_it_is_obeyed_in_the_midst() -> None:
    begun = time.monotonic()
    with pytest.raises(Told), after_this(grace=0.1):
        tell_me_to_end()
        time.sleep(30)
    assert time.monotonic() - begun < 10


def test_a_second_signal_is_obeyed_at_once() -> None:
    with pytest.raises(Told), after_this():
        tell_me_to_end()
        tell_me_to_end()
        time.sleep(30)


def test_without_a_signal_everything_is_as_before() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)
    with after_this():
        assert signal.getsignal(signal.SIGTERM) is not before[0]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)) == before


def test_other_threads_are_left_alone() -> None:
    seen: list[object] = []

    def work() -> None:
        with after_this():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
