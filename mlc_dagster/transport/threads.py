"""The only place that sleeps, and the only place that starts threads: bounded, ordered, and ended when told to."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from typing import TypeVar
from weakref import WeakSet

from mlc_dagster.core.errors import TransientError

Item = TypeVar("Item")
Result = TypeVar("Result")


class Ending(threading.Event):
    """Once it is set, what sleeps in the threads that work for it wakes; and with it all that they have begun."""

    def __init__(self) -> None:
        super().__init__()
        self._lock, self._within = threading.Lock(), WeakSet[Ending]()
        if (outer := _ended.get()) is not None:
            outer._take_along(self)

    def set(self) -> None:
        super().set()
        with self._lock:
            within = list(self._within)
        for each in within:
            each.set()

    def _take_along(self, other: Ending) -> None:
        with self._lock:
            self._within.add(other)
        if self.is_set():
            other.set()


_ended: ContextVar[Ending | None] = ContextVar("ended", default=None)


def work_for(ending: Ending) -> None:
    """This thread's waits end when `ending` is set, from now on."""
    _ended.set(ending)


def sleep(seconds: float) -> None:
    """Sleep, unless the `in_order` that this thread works for ends: then TransientError, at once."""
    ended = _ended.get()
    if ended is None:
        time.sleep(max(0.0, seconds))
    elif ended.wait(max(0.0, seconds)):
        raise TransientError("stopped while waiting to send: the run is ending")


def in_order(function: Callable[[Item], Result], items: Iterable[Item], in_flight: int) -> Iterator[Result]:
    """Map with at most `in_flight` calls at once, in threads; results in the order of the items.

    Looks ahead by `in_flight` items, no more. An error of a call, or of `items` itself, is raised in its place, after
    the results before it. When that happens, or the iterator is closed, what has not begun is dropped, waits are cut
    short, and the calls that are running are waited for.
    """
    if in_flight <= 1:
        yield from map(function, items)
        return
    source, ended, running = iter(items), Ending(), deque[Future[Result]]()
    executor = ThreadPoolExecutor(in_flight, thread_name_prefix="in-order")
    try:
        while True:
            while len(running) < in_flight and (begun := _begin(executor, function, source, ended)):
                running.append(begun)
            if not running:
                return
            yield running.popleft().result()
    finally:
        ended.set()
        executor.shutdown(wait=True, cancel_futures=True)


def _begin(
    executor: ThreadPoolExecutor, function: Callable[[Item], Result], source: Iterator[Item], ended: Ending
) -> Future[Result] | None:
    """The next item's call, None where there is no next item; an error of the source takes the item's place."""
    try:
        item = next(source)
    except StopIteration:
        return None
    except Exception as error:
        failed: Future[Result] = Future()
        failed.set_exception(error)
        return failed
    context = copy_context()
    context.run(_ended.set, ended)
    return executor.submit(context.run, function, item)
