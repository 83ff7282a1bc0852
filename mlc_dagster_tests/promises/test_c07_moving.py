"""C7: rows inserted, deleted and changed while paging: no live row is missed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.core.arrow_columns import rows_of, source_schema, without
from mlc_dagster.core.vocabulary import Pull
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.sandbox import Sandbox, Tenant
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster_tests.promises.quick import PLENTY, ifs_client, scope
from mlc_dagster_tests.promises.seeds import seeds

ORDERS, DISTURBED = 160, 40


def order(number: int, version: str, at: datetime) -> dict[str, Any]:
    lines = [{"LineNo": str(n), "ReleaseNo": "1", "LineAmount": Decimal(n)} for n in range(number % 4)]
    return {"OrderNo": f"P{number:04}", "Notes": version, "LastModified": at, "PurchaseOrderLines": lines}


class Others:
    """Who works in the ERP while we read: between two pages they insert, change and delete."""

    def __init__(self, box: Sandbox, seed: int) -> None:
        self.box, self.chance, self.done = box, random.Random(seed), {"changed": 0, "deleted": 0}

    def __call__(self, path: str, reads: int) -> None:
        if reads < DISTURBED and "PurchaseOrder" in path:
            for _ in range(self.chance.randint(1, 6)):
                self._one(self.chance.randrange(ORDERS + 40), reads)

    def _one(self, number: int, reads: int) -> None:
        living = {row["OrderNo"] for row in self.box.ifs.rows("PurchaseOrderSet")}
        if self.chance.random() < 0.3 and f"P{number:04}" in living:
            self.box.ifs.delete("PurchaseOrderSet", OrderNo=f"P{number:04}")
            self.done["deleted"] += 1
        else:
            self.box.ifs.put("PurchaseOrderSet", order(number, f"{reads}", datetime.now(UTC)))
            self.done["changed"] += 1


@pytest.mark.promise(
    "C7", "orders inserted, changed and deleted between the pages; kept as Parquet; lines nested, and apart"
)
@pytest.mark.parametrize("expand", [True, False])
@pytest.mark.parametrize("seed", seeds())
def test_c7_rows_that_move_while_paging_are_all_there_once_and_in_their_newest_version(
    seed: int, expand: bool, tmp_path: Path
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    today = now.replace(hour=0, minute=0, second=0)
    with Sandbox(tenant=Tenant(expand=expand), limits=PLENTY) as box:
        step = (now - today) / (ORDERS + 10)
        box.ifs.put_many("PurchaseOrderSet", [order(n, "first", today + step * n) for n in range(ORDERS)])
        box.ifs.on_request = others = Others(box, seed)
        rows, pull = read(box, now, RowStore(str(tmp_path)))
        living = {
            row["OrderNo"]: (row["Notes"], len(row["PurchaseOrderLines"])) for row in box.ifs.rows("PurchaseOrderSet")
        }

    found = {row["order_no"]: (row["notes"], len(row["lines"] or ())) for row in rows}
    assert others.done["changed"] and others.done["deleted"]
    assert len(found) == len(rows), "a row is there twice"
    assert {key: found.get(key) for key in living} == living, "a live row is missing, or old"
    assert pull.rows == len(rows) and pull.duplicate_keys == 0


def read(box: Sandbox, now: datetime, store: RowStore) -> tuple[list[dict[str, Any]], Pull]:
    """As the source asset does: page by page into storage, then without what moved meanwhile."""
    day, entity = now.date(), ifs.PURCHASE_ORDERS
    pull, schema = Pull("ifs/purchase_order_set", day.isoformat()), source_schema(entity.record)
    client = ifs_client(box, 25, 4)
    store.write(entity.key, pull.partition, schema, client.read(entity, scope(day), pull))
    if pull.stale:
        store.write(entity.key, pull.partition, schema, without(store.read(entity.key, pull.partition), pull.stale))
    return [row for batch in store.read(entity.key, pull.partition) for row in rows_of(batch)], pull


@pytest.mark.promise("C7", "rows deleted right behind the place that the walk has reached, page after page")
@pytest.mark.parametrize("seed", seeds())
def test_c7_deletions_behind_the_walk_shift_no_row_out_of_sight(seed: int) -> None:
    """A walk by a growing $skip loses a row for each that vanishes before it."""
    chance, gone = random.Random(seed), set[str]()
    with Sandbox(limits=PLENTY) as box:
        rows = [order(n, "first", datetime(2026, 11, 5, 8, tzinfo=UTC) + timedelta(seconds=n)) for n in range(ORDERS)]
        box.ifs.put_many("PurchaseOrderSet", rows)

        def vanish(path: str, reads: int) -> None:
            key = f"P{chance.randrange(ORDERS):04}"
            if "PurchaseOrder" in path and reads and key not in gone:
                gone.add(key)
                box.ifs.delete("PurchaseOrderSet", OrderNo=key)

        box.ifs.on_request = vanish
        batches = ifs_client(box, 20, 1).read(
            ifs.PURCHASE_ORDERS, scope(), Pull("ifs/purchase_order_set", "2026-11-05")
        )
        found = [row["order_no"] for batch in batches for row in rows_of(batch)]
    assert gone
    assert {f"P{n:04}" for n in range(ORDERS)} - gone <= set(found)
    assert len(found) == len(set(found))
