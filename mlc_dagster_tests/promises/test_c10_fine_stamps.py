"""C10: a tenant whose stamps have more digits than ours: all rows, each once, and the walk ends."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.sandbox import Sandbox, Tenant
from mlc_dagster.sandbox.ifs import odata
from mlc_dagster.sandbox.ifs.odata import ODataError
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.reading.key_ranges import WORD
from mlc_dagster.systems.ifs.schema.catalogue import wire_name
from mlc_dagster_tests.promises.quick import PLENTY, ifs_client, scope
from mlc_dagster_tests.promises.seeds import seeds
from mlc_dagster_tests.systems.ifs.conftest import Reader

DIGITS = 7
PAGE = 10
ROWS = 37
MOST = 3_000
"""Moments in filters: a walk that goes on and on is refused, and ends the test."""
SETS = (ifs.SUPPLIERS, ifs.PURCHASE_ORDERS)


@pytest.fixture
def fine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox reads moments to seven digits."""
    asked = 0

    def text_of(text: str) -> str:
        nonlocal asked
        asked += 1
        if asked > MOST:
            raise ODataError("the walk does not end")
        whole, _, fraction = text.rstrip("Z").partition(".")
        return f"{whole}.{fraction:0<{DIGITS}}Z"

    monkeypatch.setattr(odata, "timestamp_text", text_of)


def put(box: Sandbox, entity: EntitySet, fractions: list[str]) -> list[str]:
    keys = [f"K{number:03}" for number in range(len(fractions))]
    for key, fraction in zip(keys, fractions, strict=True):
        box.ifs.put(
            entity.path, {wire_name(entity.keys[0], entity.wire): key}, modified=f"2026-11-05T09:00:00.{fraction}Z"
        )
    return keys


def reading(box: Sandbox, entity: EntitySet) -> Callable[[], list[str]]:
    return lambda: [row[entity.keys[0]] for row in Reader(ifs_client(box, PAGE))(entity, scope())[0]]


@pytest.mark.promise("C10", "37 rows of one stamp of seven digits, in pages of 10; with and without $count")
@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("fraction", ["1234560", "1234567", "9999999"])
@pytest.mark.parametrize("entity", SETS, ids=[entity.name for entity in SETS])
def test_c10_rows_of_one_fine_stamp_are_read_once_and_the_walk_ends(
    fine: None, entity: EntitySet, fraction: str, counted: bool
) -> None:
    with Sandbox(seed="empty", tenant=Tenant(count=counted), limits=PLENTY) as box:
        keys = put(box, entity, [fraction] * ROWS)
        assert sorted(reading(box, entity)()) == keys


@pytest.mark.promise("C10", "60 rows whose stamps differ in the seventh digit alone, or in the sixth")
@pytest.mark.parametrize("seed", seeds())
@pytest.mark.parametrize("counted", [True, False])
def test_c10_stamps_that_are_one_to_us_lose_and_double_no_row(fine: None, counted: bool, seed: int) -> None:
    chance = random.Random(seed)
    with Sandbox(seed="empty", tenant=Tenant(count=counted), limits=PLENTY) as box:
        keys = put(box, ifs.SUPPLIERS, [f"12345{chance.choice('67')}{chance.randrange(10)}" for _ in range(60)])
        assert sorted(reading(box, ifs.SUPPLIERS)()) == keys


@pytest.mark.promise("C10", "37 rows a tenth of a microsecond behind a second, which no filter of ours can say")
@pytest.mark.parametrize("counted", [True, False])
def test_c10_a_stamp_that_cannot_be_said_ends_in_a_word(fine: None, counted: bool) -> None:
    with Sandbox(seed="empty", tenant=Tenant(count=counted), limits=PLENTY) as box:
        put(box, ifs.SUPPLIERS, ["0000001"] * ROWS)
        with pytest.raises(Misconfigured, match=WORD):
            reading(box, ifs.SUPPLIERS)()
