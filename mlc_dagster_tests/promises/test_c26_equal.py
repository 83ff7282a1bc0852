"""C26: two full reads of a source that rests are equal."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.core.arrow_columns import source_schema
from mlc_dagster.core.vocabulary import Pull
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster_tests.promises.quick import PLENTY, TEN, ifs_client, scope
from mlc_dagster_tests.promises.seeds import seeds

ORDERS = 300


@pytest.mark.promise("C26", "random orders with lines read twice into Parquet, by other pages and more in flight")
@pytest.mark.parametrize("seed", seeds())
def test_c26_two_full_reads_of_a_source_that_rests_are_equal(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    with Sandbox(limits=PLENTY) as box:
        box.ifs.put_many("PurchaseOrderSet", [order(number, chance) for number in range(ORDERS)])
        tables, etags = [], []
        for size, in_flight in ((chance.randint(20, 90), 4), (chance.randint(200, 5000), 1)):
            entity, pull = ifs.PURCHASE_ORDERS, Pull("ifs/purchase_order_set", "2026-11-05")
            store = RowStore(str(tmp_path / str(size)))
            batches = ifs_client(box, size, in_flight).read(entity, scope(), pull)
            assert store.write(entity.key, pull.partition, source_schema(entity.record), batches) == ORDERS
            tables.append([row for batch in store.read(entity.key, pull.partition) for row in batch.to_pylist()])
            etags.append(pull.etags)
    assert tables[0] == tables[1]
    assert etags[0] == etags[1] != ""


def order(number: int, chance: random.Random) -> dict[str, Any]:
    lines = [
        {
            "LineNo": str(n),
            "ReleaseNo": "1",
            "LineAmount": Decimal(chance.randrange(10**9)).scaleb(-4),
            "Account": "0010",
        }
        for n in range(chance.randrange(5))
    ]
    at = TEN + timedelta(seconds=chance.randrange(200))
    return {"OrderNo": f"P{number}", "Company": "0010", "LastModified": at, "PurchaseOrderLines": lines}
