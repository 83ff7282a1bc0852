"""The world as a machine: whatever happens, when it is quiet all of it is delivered as it is, or held, or told."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from mlc_dagster_tests.promises.seeds import seeds
from mlc_dagster_tests.world.machine import Machine

WORLDS = int(os.environ.get("MLC_WORLDS", "4"))
"""Worlds that each seed draws; `make world` tries many more."""
DEEDS = 25  # in each of them, at the most


@pytest.mark.slow
@pytest.mark.promise("C39", "the world as a machine: all is delivered as it is, held, or told; nothing twice")
@pytest.mark.parametrize("number", seeds(77), ids=lambda number: "seed")
def test_whatever_happens_all_is_delivered_or_told_when_it_is_quiet(number: int) -> None:
    how = settings(
        max_examples=WORLDS,
        stateful_step_count=DEEDS,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(Machine), settings=how)
