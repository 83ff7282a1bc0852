"""The day by which dates years ahead are told is there when a partition is judged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from mlc_dagster_tests.orchestration.conftest import World


def test_an_order_that_is_dated_years_ahead_is_held_by_name(world: World) -> None:
    world.chart()
    line = {"LineNo": "1", "ReleaseNo": "1", "Description": "Service", "LineAmount": Decimal(100), "Account": "4010"}
    ahead = (datetime.now(UTC) + timedelta(days=3700)).date().isoformat()
    row: dict[str, Any] = {
        "OrderNo": "P1",
        "Company": "0010",
        "VendorNo": "S1",
        "CurrencyCode": "SEK",
        "OrderDate": ahead,
    }
    row |= {"TotalAmount": Decimal(100), "ObjState": "Released", "PurchaseOrderLines": [line]}
    world.box.ifs.put("PurchaseOrderSet", row, modified=datetime(2026, 11, 5, 9, tzinfo=UTC))
    assert world.run("cin7").success
    (held,) = world.ledger.open_holds("cin7/purchases")
    assert [each.rule for each in held.problems] == ["dates_can_be_meant"]
    assert not world.box.cin7.purchases
