"""The machine sees: what is made wrong on purpose, it finds within so many worlds."""

from __future__ import annotations

from contextlib import suppress

import pytest

from mlc_dagster_tests.world.machine import Machine, tried
from mlc_dagster_tests.world.mutations import MUTATIONS, Patch

SEEDS = range(1, 13)
"""Tried after the one that is aimed at: what was found by it once is found by another when the machine has changed."""
WORLDS = 3  # of each seed


@pytest.mark.slow
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_the_machine_finds_what_is_made_wrong(mutation: Patch, monkeypatch: pytest.MonkeyPatch) -> None:
    aim = MUTATIONS[mutation]
    monkeypatch.setattr(Machine, "circles", (aim.narrowed(),))
    monkeypatch.setattr(Machine, "found", [])
    with mutation():
        for number in (aim.seed, *SEEDS):
            with suppress(Exception):  # what it found stands in `found`, also where it cannot be walked to twice
                tried(number, WORLDS, shrink=False)
            if Machine.found:
                return
    pytest.fail(f"{mutation.__name__} was not found in {(1 + len(SEEDS)) * WORLDS} worlds")
