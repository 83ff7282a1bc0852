"""The machine sees: what is made wrong on purpose, it finds within so many worlds."""

from __future__ import annotations

import os

import pytest

from mlc_dagster_tests.world.circles import BY_NAME
from mlc_dagster_tests.world.machine import Machine, tried
from mlc_dagster_tests.world.mutations import MUTATIONS, Patch

SEEDS = range(1, 13)
WORLDS = 3  # of each seed
FOUND = os.environ.get("MLC_WORLD_FOUND")
"""A file to which is written after how many steps each was found."""


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_the_machine_finds_what_is_made_wrong(mutation: Patch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Machine, "circles", (BY_NAME[MUTATIONS[mutation]],))
    before = Machine.steps
    with mutation(), pytest.raises(AssertionError, match=r"nothing is told|in the target|whatever stands|a run writes"):
        for number in SEEDS:
            tried(number, WORLDS, shrink=False)
    if FOUND:
        with open(FOUND, "a", encoding="utf-8") as file:
            file.write(f"{mutation.__name__}: {Machine.steps - before} steps\n")
