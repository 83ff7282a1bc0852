"""C44: what was read later is newer, whatever its stamp says; only stored rows can be superseded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.core.outcomes import State
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.deliveries import delivered
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline import guards
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.settings.guards import USUAL
from mlc_dagster_tests.ledger.samples import FLOW, deliver, held, ready
from mlc_dagster_tests.promises.journey import Journey, days, flow_of, settings_at
from mlc_dagster_tests.promises.kinds import PLENTY, RECORDS, books, now, orders, suppliers
from mlc_dagster_tests.promises.test_c45_stale import Place

RUN = Run("run-2", "2026-11-05")


@pytest.fixture
def place(tmp_path: Path, ledger: Ledger) -> Iterator[Place]:
    with Sandbox(seed="empty", limits=PLENTY) as box:
        books(box)
        yield Place(box, ledger, RowStore(str(tmp_path / "rows")), settings_at(box.url))


def rename(box: Sandbox, names: str, at: datetime) -> None:
    for n in range(1, RECORDS + 1):
        row = {"SupplierId": f"S{n}", "Name": f"{names} {n}", "Country": "SE", "CurrencyCode": "SEK"}
        box.ifs.put("SupplierSet", {**row, "PaymentTerms": "30", "Email": f"s{n}@example.test"}, modified=at)


TARGETS: dict[str, Callable[[Sandbox], set[str]]] = {
    "cin7/suppliers": lambda box: {each["Name"] for each in box.cin7.suppliers.values()},
    "hubspot/supplier_companies": lambda box: {
        each["properties"]["name"] for each in box.hubspot.live("companies").values()
    },
    "airbase/vendors": lambda box: {each["name"] for each in box.airbase.vendors.values()},
    "procurify/vendors": lambda box: {str(each["name"]) for each in box.procurify.vendors.values()},
}


@pytest.mark.promise("C44", "a clock set back, a row stamped earlier than before: four targets, both databases")
@pytest.mark.parametrize("flow", TARGETS)
def test_c44_what_the_erp_says_now_is_in_the_target_though_its_stamp_is_older(place: Place, flow: str) -> None:
    suppliers(place.box)
    assert place.go(flow).delivered == RECORDS
    rename(place.box, "Corrected", now() - timedelta(minutes=40))

    loaded = place.go(flow)

    assert (loaded.updated, loaded.superseded) == (RECORDS, 0), loaded
    assert TARGETS[flow](place.box) == {f"Corrected {n}" for n in range(1, RECORDS + 1)}
    assert place.go(flow).unchanged == RECORDS


@pytest.mark.promise("C44", "stored rows of an earlier walk, replayed after a later one was delivered, clocks apart")
def test_c44_a_replay_of_earlier_rows_is_superseded_whatever_the_clock_says(place: Place, tmp_path: Path) -> None:
    flow = "cin7/suppliers"
    suppliers(place.box)
    early = Journey(flow_of(flow), place.settings, place.ledger, RowStore(str(tmp_path / "early")), "early")
    for day in days():
        early.read(day)
    rename(place.box, "Corrected", now() - timedelta(minutes=40))
    assert place.go(flow).delivered == RECORDS
    facts, found = early.facts(), []
    for day in days():
        early.prepare(day, facts)
        found.append(early.load(day))
    newer = sum(each.updated for each in found)
    assert newer == RECORDS, "the walk that began earlier has a newer stamp: it came to the rows later, or a clock lied"
    rename(place.box, "Again", now() - timedelta(minutes=50))
    assert place.go(flow).updated == RECORDS
    replayed = [early.load(day) for day in days()]
    assert sum(each.superseded for each in replayed) == RECORDS and not sum(each.delivered for each in replayed)
    assert TARGETS[flow](place.box) == {f"Again {n}" for n in range(1, RECORDS + 1)}


@pytest.mark.promise("C44", "two hosts a minute apart: what the slow one reads later is newer")
def test_c44_of_two_hosts_a_minute_apart_neither_loses_what_it_read_later(place: Place, tmp_path: Path) -> None:
    flow = "cin7/suppliers"
    suppliers(place.box)
    other = Place(place.box, place.ledger, RowStore(str(tmp_path / "other")), place.settings)
    for number in range(4):
        rename(place.box, f"Round {number}", now() - timedelta(minutes=number % 2))
        loaded = (place, other)[number % 2].go(flow)
        assert (loaded.delivered, loaded.superseded) == (RECORDS, 0), (number, loaded)
        assert TARGETS[flow](place.box) == {f"Round {number} {n}" for n in range(1, RECORDS + 1)}


@pytest.mark.promise("C44", "an older stamp that breaks a rule is held, not left out")
def test_c44_what_is_wrong_now_is_held_though_its_stamp_is_older(place: Place) -> None:
    orders(place.box)
    for flow in ("cin7/suppliers", "cin7/purchases"):
        assert place.go(flow).delivered == RECORDS
    keys = {"OrderNo": "P3", "LineNo": "1", "ReleaseNo": "1", "Company": "0010"}
    amount = {"BuyQtyDue": Decimal(2), "BuyUnitPrice": Decimal(3), "LineAmount": Decimal(6)}
    row = {"OrderNo": "P3", "Company": "0010", "Contract": "A", "VendorNo": "S3", "CurrencyCode": "SEK"}
    row |= {"OrderDate": "2026-11-04", "CurrencyRate": Decimal(1), "TotalAmount": Decimal(6), "ObjState": "Released"}
    lines = [{**keys, "Description": "Service", **amount, "TaxCode": "V0", "Account": "9999"}]
    earlier = now() - timedelta(minutes=30)
    place.box.ifs.put("PurchaseOrderSet", {**row, "PurchaseOrderLines": lines}, modified=earlier)
    loaded = place.go("cin7/purchases")
    assert (loaded.held, loaded.superseded) == (1, 0)
    assert [hold.key for hold in place.ledger.open_holds("cin7/purchases")] == ["P3"]
    lines[0]["Account"] = "4010"
    lines[0]["Description"] = "Another service"
    place.box.ifs.put("PurchaseOrderSet", {**row, "PurchaseOrderLines": lines}, modified=earlier - timedelta(minutes=5))
    assert place.go("cin7/purchases").updated == 1
    assert place.ledger.open_holds("cin7/purchases") == [], "the later word closes the hold of the one before"


# --- the ledger -----------------------------------------------------------------------------------------------------


def read_as(number: int | None, **how: Any) -> Any:
    return replace_number(ready(**how), number)


def replace_number(one: Any, number: int | None) -> Any:
    return type(one)(one.key, one.version, one.fingerprint, one.record, one.source, number)


@pytest.mark.parametrize(
    "number, day, content, state",
    [
        (8, 4, "b", State.CHANGED),
        (8, 6, "b", State.CHANGED),
        (6, 4, "b", State.SUPERSEDED),
        (6, 5, "b", State.SUPERSEDED),
        (6, 6, "b", State.CHANGED),
        (6, 5, "a", State.UNCHANGED),
        (None, 4, "b", State.SUPERSEDED),
        (None, 6, "b", State.CHANGED),
    ],
)
def test_the_walk_decides_and_where_it_is_not_known_the_stamp(
    ledger: Ledger, number: int | None, day: int, content: str, state: State
) -> None:
    deliver(ledger, read_as(7, day=5, content="a"))
    assert ledger.judge(FLOW, [read_as(number, day=day, content=content)])["0010/P1"].state is state


def test_what_the_release_before_delivered_is_compared_by_stamps(ledger: Ledger) -> None:
    deliver(ledger, ready(day=5))
    assert ledger.judge(FLOW, [read_as(8, day=4, content="b")])["0010/P1"].state is State.SUPERSEDED


def test_a_stamp_that_was_once_delivered_never_goes_back(ledger: Ledger) -> None:
    deliver(ledger, read_as(7, day=6, content="a"))
    deliver(ledger, read_as(8, day=4, content="b"))
    with ledger._database.reading() as connection:
        assert delivered(connection, FLOW, ["0010/P1"])["0010/P1"] == (ready(day=6).version, 8)
    assert ledger.judge(FLOW, [read_as(7, day=6, content="a")])["0010/P1"].state is State.SUPERSEDED


def test_a_hold_of_an_older_stamp_that_was_read_later_is_no_superseded_one(ledger: Ledger) -> None:
    deliver(ledger, read_as(7, day=5))
    assert ledger.hold(FLOW, [replace(held(day=4), read_number=8)], run=RUN) == frozenset()
    assert ledger.hold(FLOW, [replace(held(day=4), read_number=6)], run=RUN) == {"0010/P1"}
    deliver(ledger, read_as(9, day=3, content="c"))
    assert ledger.open_holds(FLOW) == []


# --- a restored backup ----------------------------------------------------------------------------------------------


@pytest.mark.promise("C44", "a restored backup: more than 20 rows with older stamps are held as one, 20 go")
@pytest.mark.parametrize("number, stops", [(20, 0), (21, 1)])
def test_c44_many_older_stamps_at_once_are_a_restored_backup(sqlite_ledger: Ledger, number: int, stops: int) -> None:
    before = [read_as(7, key=f"0010/P{n}", day=5, content="a") for n in range(number)]
    deliver(sqlite_ledger, *before)
    now_read = [read_as(8, key=one.key, day=4, content="b") for one in before]
    fresh = read_as(8, key="0010/P999", day=5)
    found = guards.intent(flow_of(FLOW), [*now_read, fresh], sqlite_ledger)
    passed = guards.passed(USUAL, found)
    assert (found.backwards, len(passed)) == (number, stops)
    if passed:
        assert "a backup was restored, or a clock is wrong" in passed[0].why and "0010/P0" in passed[0].why
        standings = sqlite_ledger.judge(FLOW, [*now_read, fresh])
        assert all(passed[0].holds(one) for one in standings.values()), "nothing of such a run is sent"
