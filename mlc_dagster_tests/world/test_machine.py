"""The world as a machine: whatever happens, when it is quiet all of it is delivered as it is, or held, or told."""

from __future__ import annotations

import os

import pytest

from mlc_dagster_tests.promises.seeds import seed
from mlc_dagster_tests.world.machine import Machine, tried

PARTS = int(os.environ.get("MLC_WORLD_PARTS", "20"))
"""Each is a test with a seed of its own, so that the workers of xdist share them."""
WORLDS = int(os.environ.get("MLC_WORLDS", "12"))
"""Worlds that each part draws, of some 85 steps: 20,000 in all. `make world` tries many more."""
FEWEST = 20  # steps of a world on average, below which the machine would be idle


def seed_of(part: int) -> int:
    return seed(77) * 1000 + part


@pytest.mark.slow
@pytest.mark.promise("C39", "the world as a machine: all is delivered as it is, held, or told; nothing twice")
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_all_is_delivered_or_told_when_it_is_quiet(part: int) -> None:
    before = Machine.steps
    tried(seed_of(part), WORLDS)
    assert Machine.steps - before >= FEWEST * WORLDS
