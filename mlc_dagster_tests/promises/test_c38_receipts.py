"""C38: what the stores receive moves no stamp of its order, and is on the order's item by the next cycle or sweep."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.systems.ifs.records import catalogue
from mlc_dagster.systems.ifs.settings import EntitySetSettings
from mlc_dagster_tests.promises.journey import client_of
from mlc_dagster_tests.promises.receiving import ORDERS, SALES, Stores, stores_at


@pytest.fixture
def stores(sqlite_url: str, tmp_path: Path) -> Iterator[Stores]:
    with stores_at(sqlite_url, tmp_path) as made:
        yield made


def asked(room: Stores, since: datetime) -> dict[Any, str]:
    """What the change sensor asks the ERP; a client of its own, as each tick has."""
    return client_of("ifs", room.settings, room.ledger.budget).changed_since(room.flow(ORDERS).source, since)


@pytest.mark.promise("C38", "a receipt beside an untouched order: the sensor names the order's day, its item follows")
def test_a_receipt_is_on_the_orders_item_by_the_next_cycle(stores: Stores) -> None:
    today = datetime.now(UTC).replace(microsecond=0)
    yesterday = today - timedelta(days=1)
    stores.buys(at=yesterday, lines=2)
    stores.go(ORDERS)
    item = stores.item()
    assert (item["Receipts"], item["Quantity"], item["Quantity in"], item["Worth"]) == ("Not received", "10", "0", "0")
    assert (item["Promised"], item["Next"], item["Supplier name"]) == ("2026-12-02", "2026-12-01", "Supplier S1")
    quiet = asked(stores, today)

    stores.receives(1, 5, at=today)
    stores.receives(2, 2, line="2", at=today)
    told = asked(stores, today)
    assert yesterday.date() in told and told != quiet
    assert asked(stores, today) == told  # nothing changed: the same mark, no second run
    assert stores.go(ORDERS).updated == 1
    item = stores.item()
    assert (item["Receipts"], item["Quantity in"], item["Last in"]) == ("Partly received", "7", "2026-11-20")
    assert Decimal(item["Worth"]) == Decimal("70.00") and item["Next"] == "2026-12-02"
    lines = "1/1 5 of 5 pcs received, 2026-12-01; 2/1 2 of 5 pcs received, 2026-12-02"
    assert item["Received"] == lines
    assert stores.go(ORDERS).updated == 0 and stores.sweep(ORDERS).changed == 0


@pytest.mark.promise("C38", "a receipt whose set has no stamp: found by the nightly sweep, each content once")
def test_a_receipt_without_a_stamp_is_found_by_the_sweep(stores: Stores) -> None:
    yesterday = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    stores.says(ifs={"entity_sets": {"receipt_info_set": {"set": "ReceiptInfoSet", "stamp": None}}})
    stores.buys(at=yesterday)
    stores.go(ORDERS)
    assert stores.sweep(ORDERS).changed == 0
    stores.receives(1, 5)
    told = stores.sweep(ORDERS)
    assert (told.changed, told.beside) == (1, 1) and stores.asked == {ORDERS: {yesterday.date().isoformat()}}
    assert stores.sweep(ORDERS).changed == 0  # it stands on the work list
    assert stores.go(ORDERS).updated == 1 and stores.item()["Receipts"] == "Received"


def test_a_receipt_that_nobody_can_place_holds_its_order_and_heals_with_it(stores: Stores) -> None:
    stores.buys()
    stores.receives(1, line="9")
    stores.go(ORDERS)
    assert "receipt 1 is of line 9/1, which the order does not have" in stores.why()["progress_can_be_told"]
    stores.box.ifs.delete("ReceiptInfoSet", ReceiptSequence=1)
    assert stores.go(ORDERS).created == 1 and not stores.why()


def test_a_receipt_that_is_reversed_leaves_the_item_as_before(stores: Stores) -> None:
    stores.buys()
    stores.receives(1, 3)
    stores.go(ORDERS)
    assert stores.item()["Quantity in"] == "3"
    stores.receives(1, 3, ObjState="Cancelled")
    assert stores.go(ORDERS).updated == 1
    assert (stores.item()["Receipts"], stores.item()["Quantity in"]) == ("Not received", "0")


def test_a_receipt_whose_order_is_not_there_is_said_once(stores: Stores, caplog: pytest.LogCaptureFixture) -> None:
    stores.receives(7, 3, order="P404")
    stores.receives(8, 3, order="X1", SourceRefTypeDb="SHOP_ORDER")
    client = client_of("ifs", stores.settings, stores.ledger.budget)
    with caplog.at_level(logging.WARNING, "mlc_dagster.ifs"):
        for _ in range(2):
            assert client.changed_since(stores.flow(ORDERS).source, datetime.now(UTC)) == {}
    (said,) = [record.getMessage() for record in caplog.records]
    assert "receipt 7 is of order P404, which the ERP does not show" in said


def test_a_line_that_is_cancelled_after_its_receipt_still_says_what_came(stores: Stores) -> None:
    stores.buys(lines=2)
    stores.receives(1, 3)
    stores.go(ORDERS)
    (order,) = stores.box.ifs.rows("PurchaseOrderSet")
    rows = [dict(line) for line in order["PurchaseOrderLines"]]
    rows[0]["ObjState"] = "Cancelled"
    stores.buys(PurchaseOrderLines=rows, TotalAmount=Decimal(50))
    assert stores.go(ORDERS).updated == 1
    item = stores.item()
    assert item["Received"].startswith("1/1 Cancelled, 3 pcs received; 2/1 0 of 5 pcs")
    assert (item["Quantity"], item["Quantity in"], item["Amount"]) == ("5", "3", "50")


def test_a_promised_date_that_nobody_can_read_holds_the_order(stores: Stores) -> None:
    stores.buys()
    (order,) = stores.box.ifs.rows("PurchaseOrderSet")
    line = {**order["PurchaseOrderLines"][0], "PromisedDeliveryDate": "2026-02-31"}
    stores.buys(PurchaseOrderLines=[line])
    stores.go(ORDERS)
    assert "PromisedDeliveryDate: day is out of range" in stores.why()["record_is_readable"]


def test_what_shipped_is_on_the_item_of_the_customer_order(stores: Stores) -> None:
    stores.sale("C100", quantity=4)
    (row,) = stores.box.ifs.rows("CustomerOrderSet")
    line = {**row["CustomerOrderLines"][0], "QtyShipped": Decimal(3), "SalesUnitMeas": "pcs"}
    stores.box.ifs.put("CustomerOrderSet", {**row, "CustomerOrderLines": [line]})
    stores.go(SALES)
    item = stores.item("C100", SALES)
    assert (item["Shipment"], item["Quantity out"]) == ("Partly shipped", "3")
    assert item["Shipped"] == "1/1 3 of 4 pcs shipped"


def test_the_attribute_in_cin7_says_how_the_order_stands_and_the_purchase_stays_one(stores: Stores) -> None:
    stores.says(cin7={"order_progress": "AdditionalAttribute2"})
    stores.buys()
    stores.go("cin7/suppliers", "cin7/purchases")
    (purchase,) = stores.box.cin7.purchases.values()
    assert purchase["AdditionalAttributes"]["AdditionalAttribute2"] == "Released; not received; next 2026-12-01"
    stores.receives(1, 5)
    assert stores.go("cin7/purchases").updated == 1
    (purchase,) = stores.box.cin7.purchases.values()
    assert purchase["AdditionalAttributes"]["AdditionalAttribute2"] == "Released; received"
    assert purchase["AdditionalAttributes"]["AdditionalAttribute1"] == "0010/P1"
    assert stores.go("cin7/purchases").updated == 0


def test_airbase_gets_quantities_and_the_state_under_the_names_that_its_tenant_has(stores: Stores) -> None:
    names = {"received_quantity": "quantity_received", "expected_date": "expected_on"}
    stores.says(airbase={"order_line_fields": names, "order_statuses": {"Released": "open", "Cancelled": "cancelled"}})
    stores.buys()
    stores.receives(1, 2)
    stores.go("airbase/vendors", "airbase/purchase_orders")
    (order,) = stores.box.airbase.purchase_orders.values()
    (line,) = order["line_items"]
    assert (line["quantity_received"], line["expected_on"], order["status"]) == ("2", "2026-12-01", "open")
    stores.receives(2, 3)
    assert stores.go("airbase/purchase_orders").updated == 1
    stores.buys(ObjState="Cancelled")
    assert stores.go("airbase/purchase_orders").updated == 1
    (order,) = stores.box.airbase.purchase_orders.values()
    assert (order["status"], order["line_items"][0]["quantity_received"]) == ("cancelled", "5")
    assert stores.go("airbase/purchase_orders").updated == 0 and not stores.open("airbase/purchase_orders")


def test_a_line_that_is_closed_since_it_came_stays_in_the_purchase(stores: Stores) -> None:
    """IFS closes a line that is received and invoiced, while its order goes on: it was ordered all the same."""
    stores.buys(lines=2)
    stores.go("cin7/suppliers", "cin7/purchases")
    (order,) = stores.box.ifs.rows("PurchaseOrderSet")
    rows = [{**line, "ObjState": "Closed" if line["LineNo"] == "1" else None} for line in order["PurchaseOrderLines"]]
    stores.receives(1, 5)
    stores.buys(lines=2, PurchaseOrderLines=rows)
    assert stores.go("cin7/purchases").unchanged == 1


def test_without_a_set_of_receipts_nothing_is_said_of_what_came(stores: Stores) -> None:
    stores.says(ifs={"entity_sets": {}})
    stores.buys()
    stores.go(ORDERS)
    item = stores.item()
    assert item.get("Receipts") is None and item.get("Quantity in") is None
    assert item["Received"] == "1/1 5 pcs Released, 2026-12-01"


def test_a_set_of_receipts_that_there_is_not_is_named_and_never_taken_for_no_receipts(stores: Stores) -> None:
    stores.says(ifs={"entity_sets": {"receipt_info_set": {"set": "PurchaseReceiptSet"}}})
    stores.buys()
    with pytest.raises(Misconfigured) as caught:
        stores.go(ORDERS)
    assert "no entity set PurchaseReceiptSet in ReceiptInfoHandling" in caught.value.message
    assert "ifs.entity_sets.receipt_info_set" in (caught.value.cure or "")


def test_receipts_of_orders_that_are_grouped_from_rows_are_refused_at_the_start() -> None:
    said = EntitySetSettings(set="ReceiptInfoSet")
    with pytest.raises(Misconfigured, match=r"ifs\.entity_sets\.receipt_info_set"):
        catalogue({"receipt_info_set": said, "purchase_order_set": EntitySetSettings(header_from_rows=True)})
