"""C4: a fifth of all calls goes wrong in every way that networks and gateways know."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster_tests.promises.quick import (
    COMPANIES,
    PLENTY,
    PURCHASES,
    a_supplier,
    companies,
    deliver,
    ifs_client,
    numbered,
    purchased,
    purchases,
    scope,
    spread,
)
from mlc_dagster_tests.promises.seeds import seeds
from mlc_dagster_tests.systems.cin7 import samples as cin7
from mlc_dagster_tests.systems.hubspot import samples as hubspot
from mlc_dagster_tests.systems.ifs.conftest import Reader

TIMEOUT = 0.4
WAYS: dict[str, dict[str, Any]] = {
    "500": {"status": 500, "body": '{"error":{"code":"SERVER_ERROR","message":"Oops"}}'},
    "502": {"status": 502, "body": "<html>Bad Gateway</html>", "headers": {"content-type": "text/html"}},
    "503": {"status": 503, "headers": {"retry-after": "1"}},
    "closed before": {"drop": "before"},
    "closed after": {"drop": "after"},
    "reset before": {"drop": "before", "reset": True},
    "reset after": {"drop": "after", "reset": True},
    "hanging": {"delay": TIMEOUT + 0.3},
    "truncated": {"truncate": True},
    "broken gzip": {"status": 200, "headers": {"content-encoding": "gzip"}, "body": "no gzip at all"},
    "a page of HTML": {"status": 200, "headers": {"content-type": "text/html"}, "body": "<html>maintenance</html>"},
}
SHARE = 1 - 0.8 ** (1 / len(WAYS))  # of each, so that a fifth of all calls meets one of them
LOADS = 6


NEVER_ACTS = {"hanging": {**WAYS["hanging"], "drop": "before"}}
"""A write that hangs ends in nothing here. One that Cin7 carries out after we gave up and looked is doubled: no look
can see it. Our time is 60 s, the test's 0.4: that is a matter of C12, and shown to people by `Look.find`."""


def break_a_fifth(box: Sandbox, system: str, seed: int, path: str = "") -> list[Any]:
    box.faults._random = random.Random(seed)
    ways = WAYS if system == "ifs" else WAYS | NEVER_ACTS
    return [box.faults.add(system=system, path=path, times=None, share=SHARE, **way) for way in ways.values()]


@pytest.mark.promise("C4", "reads from IFS, a fifth of 40 pages and more broken in eleven ways")
@pytest.mark.parametrize("seed", seeds())
def test_c4_a_read_whose_every_fifth_call_breaks_has_all_rows_once(seed: int) -> None:
    with Sandbox(limits=PLENTY) as box:
        box.ifs.put_many("SupplierSet", spread(400))
        faults = break_a_fifth(box, "ifs", seed, "SupplierSet")
        rows, pull = Reader(ifs_client(box, 10, timeout=TIMEOUT))(ifs.SUPPLIERS, scope())
        box.faults.clear()
    assert [row["supplier_id"] for row in rows] == numbered(400)
    assert pull.duplicate_keys == 0
    assert sum(fault.hits for fault in faults) > 3, "calls did break"


@pytest.mark.promise("C4", "each way alone, on three pages in a row, with lines nested in their orders")
@pytest.mark.parametrize("way", WAYS)
def test_c4_a_broken_page_is_asked_for_again_and_never_taken_for_the_last_one(way: str) -> None:
    def order(number: int) -> dict[str, Any]:
        lines = [{"LineNo": str(n), "ReleaseNo": "1", "LineAmount": Decimal(n)} for n in range(3)]
        at = spread(60)[number]["LastModified"]
        return {"OrderNo": f"P{number:03}", "PurchaseOrderLines": lines, "LastModified": at}

    with Sandbox(limits=PLENTY) as box:
        box.ifs.put_many("PurchaseOrderSet", [order(n) for n in range(60)])
        fault = box.faults.add(system="ifs", path="PurchaseOrderSet", times=3, **WAYS[way])
        rows, pull = Reader(ifs_client(box, 60, 1, timeout=TIMEOUT))(ifs.PURCHASE_ORDERS, scope())
    assert fault.hits == 3
    assert [(row["order_no"], len(row["lines"])) for row in rows] == [(f"P{n:03}", 3) for n in range(60)]
    assert pull.expected_before == 60


@pytest.mark.promise("C4", "12 purchases into Cin7, a fifth of all calls broken; at most six loads")
@pytest.mark.parametrize("seed", seeds())
def test_c4_purchases_reach_cin7_once_each_though_every_fifth_call_breaks(seed: int, sqlite_ledger: Ledger) -> None:
    with Sandbox(limits=PLENTY) as box:
        records = purchases(range(1, 13), a_supplier(box))
        break_a_fifth(box, "cin7", seed)
        client = cin7.client_on(box, timeout=TIMEOUT)
        loads = 0
        while loads < LOADS and deliver(sqlite_ledger, PURCHASES, records, client, f"run {loads}").held:
            loads += 1
        box.faults.clear()
        assert purchased(box) == {f"0010/P{n}": [Decimal(n)] for n in range(1, 13)}
    assert set(sqlite_ledger.remote_ids(PURCHASES.name)) == {record.key for record in records}
    assert sqlite_ledger.open_holds(PURCHASES.name) == []


@pytest.mark.promise("C4", "250 companies into HubSpot, a fifth of all calls broken; at most six loads")
@pytest.mark.parametrize("seed", seeds())
def test_c4_companies_reach_hubspot_once_each_though_every_fifth_call_breaks(seed: int, sqlite_ledger: Ledger) -> None:
    with Sandbox(limits=PLENTY) as box:
        records = companies(range(250))
        break_a_fifth(box, "hubspot", seed)
        client = hubspot.client_on(box, timeout=TIMEOUT)
        loads = 0
        while loads < LOADS and deliver(sqlite_ledger, COMPANIES, records, client, f"run {loads}").held:
            loads += 1
        box.faults.clear()
        there = [row["properties"]["ifs_external_key"] for row in box.hubspot.live("companies").values()]
    assert sorted(there) == sorted(f"SUPPLIER/S{n}" for n in range(250))
    assert set(sqlite_ledger.remote_ids(COMPANIES.name)) == {record.key for record in records}
    assert sqlite_ledger.open_holds(COMPANIES.name) == []
