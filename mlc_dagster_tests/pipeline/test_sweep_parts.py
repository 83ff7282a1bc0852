"""What a night looks at of a set without stamps: its keys, and by day what was first seen as it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from mlc_dagster.pipeline.sweep_parts import in_turn
from mlc_dagster.systems.ifs.records import ACCOUNTS, PURCHASE_ORDERS

TODAY = date(2026, 11, 5)
SWEPT = replace(PURCHASE_ORDERS, delta="sweep", modified=None)


def test_a_day_is_looked_at_again_until_it_was_over_at_a_look() -> None:
    ended = {
        "seen on 2026-11-04": datetime(2026, 11, 5, 2, tzinfo=UTC),
        "seen on 2026-11-03": datetime(2026, 11, 3, 2, tzinfo=UTC),
    }
    parts = in_turn(SWEPT, 4, 30, TODAY, ended)
    assert [part.name for part in parts] == ["keys", *(f"seen on 2026-11-0{day}" for day in (5, 3, 2))]


def test_what_was_seen_on_a_day_is_compared_and_only_the_keys_say_what_is_gone() -> None:
    keys, *seen = in_turn(SWEPT, 3, 30, TODAY, {})
    assert keys.has("P1", "") and len(seen) == 3
    assert not any(part.has("P1", "2026-11-05") for part in seen)


def test_a_set_by_company_has_its_keys_alone() -> None:
    assert [part.name for part in in_turn(ACCOUNTS, 3, 30, TODAY, {})] == ["keys"]
