"""Found by the world machine: what a person's word on a delivered record left behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlc_dagster_tests.world import erp, people
from mlc_dagster_tests.world.scene import Scene, scene

VENDORS = "airbase/vendors"


@pytest.fixture
def told() -> Iterator[Scene]:
    """A vendor that was delivered and renamed there, and a look that told it."""
    with scene() as made:
        erp.a_supplier_is_entered_or_renamed(made.box, 1, 0)
        made.go(VENDORS)
        people.somebody_renames_a_vendor(made.box, 1, 0)
        made.look(VENDORS)
        assert len(made.open(VENDORS)) == 1
        yield made


@pytest.mark.promise("C27", "a difference that a person's word closes is closed in the trail, too")
@pytest.mark.parametrize("word", ["accept", "forget", "restore", "relink"])
def test_a_word_that_closes_a_difference_leaves_a_line_for_it(told: Scene, word: str) -> None:
    """Seed 800003: the audit said that the difference was closed beside the trail."""
    more = told.ledger.remote_ids(VENDORS).values() if word == "relink" else ()
    getattr(told.way(VENDORS), word)("S1", *more)
    assert not list(told.ledger.audit.differing())
    assert not list(told.ledger.history.verify())
