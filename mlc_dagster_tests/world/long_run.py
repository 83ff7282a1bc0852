"""The long run, `make world`: so many steps on two processes, seed after seed; each find is printed with its seed."""

from __future__ import annotations

import argparse
import gc
import io
import logging
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import redirect_stderr, redirect_stdout
from itertools import count
from typing import NamedTuple

from mlc_dagster_tests.promises.seeds import seed as of_today
from mlc_dagster_tests.world.machine import Machine, tried

WORLDS = 2  # of a seed
DEEDS = 160  # of a world, four times what CI tries: the quiet at its end is the most of what a world costs
EVERY = 50_000  # objects between two looks of the garbage collector: the code alone is half a million that stay


class Told(NamedTuple):
    """What became of one seed."""

    seed: int
    steps: int
    seconds: float  # of the processor
    found: str


def one_seed(number: int) -> Told:
    logging.disable(logging.CRITICAL)
    gc.set_threshold(EVERY)
    before, began, printed = Machine.steps, time.process_time(), io.StringIO()
    found = ""
    try:
        with redirect_stdout(printed), redirect_stderr(printed):
            tried(number, WORLDS, DEEDS, shrink=False)
    except Exception as error:  # also one that cannot be walked to twice
        notes = "\n".join(getattr(error, "__notes__", ()))
        found = f"{type(error).__name__}: {error}\n{notes}\n{printed.getvalue()}"
    return Told(number, Machine.steps - before, time.process_time() - began, found)


def long_run(steps: int, first: int, processes: int, seconds: float) -> Iterator[Told]:
    """Until there were so many steps, or so many seconds."""
    done, ends = 0, time.monotonic() + seconds
    with ProcessPoolExecutor(processes, max_tasks_per_child=50) as pool:
        running = {pool.submit(one_seed, first + number) for number in range(processes)}
        following = count(first + processes)
        while running:
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for told in (each.result() for each in ended):
                done += told.steps
                if done < steps and time.monotonic() < ends:
                    running.add(pool.submit(one_seed, next(following)))
                yield told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=of_today(77))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    said = parser.parse_args()
    steps, spent, seeds, finds = 0, 0.0, 0, 0
    for told in long_run(said.steps, said.seed, said.processes, said.seconds):
        steps, spent, seeds = steps + told.steps, spent + told.seconds, seeds + 1
        finds += bool(told.found)
        if told.found:
            sys.stdout.write(f"seed {told.seed} found: {told.found}\n")
        sys.stdout.write(f"{steps:,} steps, {seeds} seeds, {finds} finds, {1000 * spent / max(1, steps):.0f} ms each\n")
        sys.stdout.flush()
    return min(finds, 1)
