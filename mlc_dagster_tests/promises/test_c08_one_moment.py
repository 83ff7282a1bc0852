"""C8: many rows of one timestamp, more than a page holds."""

from __future__ import annotations

from decimal import Decimal
from math import ceil
from typing import Any

import pytest

from mlc_dagster.sandbox import Sandbox, Tenant
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster_tests.promises.quick import PLENTY, TEN, ifs_client, numbered, scope, suppliers
from mlc_dagster_tests.systems.ifs.conftest import Reader

PAGE = 5_000


@pytest.mark.promise(
    "C8", "7,000 and 25,000 rows of one timestamp, pages of 5,000, with and without the tenant's $count"
)
@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("count", [7_000, 25_000])
def test_c8_rows_of_one_timestamp_are_all_read_once_in_few_requests(count: int, counted: bool) -> None:
    with Sandbox(tenant=Tenant(count=counted), limits=PLENTY) as box:
        box.ifs.put_many("SupplierSet", suppliers(count))
        rows, pull = Reader(ifs_client(box, PAGE))(ifs.SUPPLIERS, scope())
    assert sorted(row["supplier_id"] for row in rows) == numbered(count)
    assert pull.requests <= ceil(count / PAGE) + pull.windows + 2
    assert pull.duplicate_keys == 0


@pytest.mark.promise("C8", "7,000 orders of one timestamp with two lines each: 5,000 elements in a response")
def test_c8_orders_of_one_timestamp_come_with_all_their_lines() -> None:
    def order(number: int) -> dict[str, Any]:
        lines = [{"LineNo": str(n), "ReleaseNo": "1", "LineAmount": Decimal(n)} for n in (1, 2)]
        return {"OrderNo": f"P{number:05}", "PurchaseOrderLines": lines, "LastModified": TEN}

    with Sandbox(limits=PLENTY) as box:
        box.ifs.put_many("PurchaseOrderSet", [order(n) for n in range(7_000)])
        rows, pull = Reader(ifs_client(box, PAGE))(ifs.PURCHASE_ORDERS, scope())
    assert sorted(row["order_no"] for row in rows) == [f"P{n:05}" for n in range(7_000)]
    assert {len(row["lines"]) for row in rows} == {2}
    assert pull.requests <= ceil(7_000 * 3 / (PAGE * 0.8)) + pull.windows + 2, (
        "a page with lines is meant to be 0.8 full"
    )
