"""C54: a tenant that sorts by language and compares by bytes, or the other way round: all rows, each once."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.vocabulary import Scope
from mlc_dagster.sandbox import Sandbox, Tenant
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.reading.key_ranges import WORD
from mlc_dagster_tests.promises.quick import PLENTY, TEN, ifs_client, scope
from mlc_dagster_tests.promises.seeds import seeds
from mlc_dagster_tests.systems.ifs.conftest import Memory, Reader

LETTERS = "abzABZåÅäö-- 019"
PAGE = 7
ORDERS = [
    ("language", "bytes"),
    ("none", "bytes"),
    ("bytes", "language"),
    ("language", "language"),
    ("caseless", "caseless"),
]  # how it sorts, how it compares


def keys_of(chance: random.Random, count: int) -> list[str]:
    """Keys that a language and their bytes order differently, each once."""
    found: set[str] = set()
    while len(found) < count:
        found.add("".join(chance.choice(LETTERS) for _ in range(chance.randint(1, 4))).strip() or "x")
    return chance.sample(sorted(found), count)


def supplier(key: str, chance: random.Random, moments: int) -> dict[str, Any]:
    return {"SupplierId": key, "Name": key, "LastModified": TEN + timedelta(seconds=chance.randrange(moments))}


def exactly_once(read: Callable[[], list[str]], expected: list[str]) -> None:
    """All rows, each once; or the word. A caseless tenant can hold more keys to be one than a page takes."""
    try:
        assert sorted(read()) == sorted(expected)
    except Misconfigured as error:
        assert WORD in str(error) and "ifs/" in str(error) and "binary order" in str(error)


@pytest.mark.promise(
    "C54", "60 suppliers of a day in pages of 7: of one moment, of five, of hundreds; with and without $count"
)
@pytest.mark.parametrize("seed", seeds())
@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize(("sorts", "compares"), ORDERS)
def test_c54_a_day_is_read_whole(sorts: Any, compares: Any, counted: bool, seed: int) -> None:
    chance = random.Random(seed)
    keys = keys_of(chance, 60)
    with Sandbox(tenant=Tenant(sorts=sorts, compares=compares, count=counted), limits=PLENTY) as box:
        client = ifs_client(box, PAGE)
        for moments in (1, 5, 600):
            box.ifs.put_many("SupplierSet", [supplier(key, chance, moments) for key in keys])
            exactly_once(lambda: [row["supplier_id"] for row in Reader(client)(ifs.SUPPLIERS, scope())[0]], keys)


@pytest.mark.promise("C54", "a snapshot of 50 accounts by company, all of 50 suppliers, 25 by their keys")
@pytest.mark.parametrize("seed", seeds())
@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize(("sorts", "compares"), ORDERS)
def test_c54_what_is_read_by_key_is_read_whole(sorts: Any, compares: Any, counted: bool, seed: int) -> None:
    chance = random.Random(seed)
    keys = keys_of(chance, 50)
    tenant = Tenant(sorts=sorts, compares=compares, count=counted, modified=False)
    with Sandbox(tenant=tenant, limits=PLENTY) as box:
        box.ifs.put_many("SupplierSet", [supplier(key, chance, 9) for key in keys])
        box.ifs.put_many("AccountSet", [{"Company": "0010", "Account": key} for key in keys])
        client = ifs_client(box, PAGE)
        suppliers = _without_time(ifs.SUPPLIERS)
        accounts = _without_time(ifs.ACCOUNTS)
        company = Scope("0010", company="0010")
        exactly_once(lambda: [row["account"] for row in Reader(client)(accounts, company)[0]], keys)
        exactly_once(lambda: [row["supplier_id"] for row, _ in client.every(suppliers)], keys)
        wanted = chance.sample(keys, 25)
        exactly_once(
            lambda: [row["supplier_id"] for row, _ in client.find_many(suppliers, "supplier_id", wanted)], wanted
        )


def _without_time(entity: Any) -> Any:
    return replace(entity, modified=None, delta="sweep")


@pytest.mark.promise("C54", "a sweep today: 50 suppliers whose keys and ETags are compared, twice")
@pytest.mark.parametrize("seed", seeds())
@pytest.mark.parametrize(("sorts", "compares"), ORDERS)
def test_c54_a_sweep_sees_every_key(sorts: Any, compares: Any, seed: int) -> None:
    chance = random.Random(seed)
    keys = keys_of(chance, 50)
    today = scope(datetime.now(UTC).date())
    with Sandbox(tenant=Tenant(sorts=sorts, compares=compares, modified=False), limits=PLENTY) as box:
        box.ifs.put_many("SupplierSet", [supplier(key, chance, 9) for key in keys])
        memory, client = Memory(), ifs_client(box, PAGE)
        swept = _without_time(ifs.SUPPLIERS)

        def read() -> list[str]:
            return [row["supplier_id"] for row in Reader(client)(swept, today, memory)[0]]

        exactly_once(read, keys)
        exactly_once(read, keys)


@pytest.mark.promise("C54", "30 orders with three lines each, asked for apart: keys that differ by case alone")
@pytest.mark.parametrize("seed", seeds())
@pytest.mark.parametrize(("sorts", "compares"), ORDERS)
def test_c54_lines_find_their_headers(sorts: Any, compares: Any, seed: int) -> None:
    chance = random.Random(seed)
    keys = keys_of(chance, 30)
    lines = [{"LineNo": str(n), "ReleaseNo": "1", "LineAmount": Decimal(n)} for n in (1, 2, 3)]
    with Sandbox(tenant=Tenant(sorts=sorts, compares=compares, expand=False), limits=PLENTY) as box:
        orders = [{"OrderNo": key, "LastModified": TEN, "PurchaseOrderLines": lines} for key in keys]
        box.ifs.put_many("PurchaseOrderSet", orders)
        client = ifs_client(box, PAGE)

        def read() -> list[str]:
            rows, _ = Reader(client)(ifs.PURCHASE_ORDERS, scope())
            assert {tuple(sorted(line["line_no"] for line in row["lines"])) for row in rows} == {("1", "2", "3")}
            return [row["order_no"] for row in rows]

        exactly_once(read, keys)


@pytest.mark.promise("C54", "three rows of which the keyset would pass one by unseen: 'B' behind 'b', in pages of two")
@pytest.mark.parametrize("counted", [True, False])
def test_c54_a_row_that_no_page_shows_is_asked_for_and_told(counted: bool, caplog: pytest.LogCaptureFixture) -> None:
    with Sandbox(tenant=Tenant(sorts="language", count=counted), limits=PLENTY) as box:
        box.ifs.put_many("SupplierSet", [{"SupplierId": key, "LastModified": TEN} for key in ("a", "b", "B", "c", "d")])
        rows, pull = Reader(ifs_client(box, 2))(ifs.SUPPLIERS, scope())
    assert sorted(row["supplier_id"] for row in rows) == ["B", "a", "b", "c", "d"]
    assert pull.rows == 5 and pull.duplicate_keys == 0
    assert WORD in caplog.text and "supplier_set" in caplog.text


@pytest.mark.promise(
    "C54", "seven keys that a tenant holds to be one, in pages of three: the read fails with that word"
)
def test_c54_what_cannot_be_told_apart_fails_with_that_word() -> None:
    alike = ["abc", "Abc", "aBc", "abC", "ABc", "AbC", "aBC"]
    with Sandbox(tenant=Tenant(sorts="caseless", compares="caseless"), limits=PLENTY) as box:
        box.ifs.put_many("SupplierSet", [{"SupplierId": key, "LastModified": TEN} for key in alike])
        with pytest.raises(Misconfigured, match=f"ifs/supplier_set: the tenant {WORD}"):
            Reader(ifs_client(box, 3))(ifs.SUPPLIERS, scope())


@pytest.mark.promise(
    "C54", "the same keys on a tenant that sorts and compares by bytes: no more requests than rows need"
)
def test_c54_who_sorts_as_it_compares_pays_nothing() -> None:
    chance = random.Random(7)
    keys = keys_of(chance, 70)
    with Sandbox(limits=PLENTY) as box:
        box.ifs.put_many("SupplierSet", [supplier(key, chance, 1) for key in keys])
        rows, pull = Reader(ifs_client(box, PAGE))(ifs.SUPPLIERS, scope())
    assert sorted(row["supplier_id"] for row in rows) == sorted(keys)
    assert pull.requests <= 70 / PAGE + 2
