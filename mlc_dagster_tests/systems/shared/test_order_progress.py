"""How far an order has come, line by line: what was received of it, what is due, and what nobody can place."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.facts import CompanyMapping, Facts
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.shared.order_lines import ordered, wanted_on
from mlc_dagster.systems.shared.order_progress import MOST, Progress, received, received_amount, shipped, summary
from mlc_dagster.systems.shared.progress_rules import progress_can_be_told

FACTS = Facts(companies={"0010": CompanyMapping("0010", "SEK")}, today=date(2026, 11, 30))


class Told:
    """A target that shows receipts and dates."""

    tells_progress = True


def line(number: int = 1, **more: Any) -> ifs.PurchaseOrderLine:
    given: dict[str, Any] = {
        "line_no": str(number),
        "release_no": "1",
        "buy_qty_due": Decimal(5),
        "buy_unit_meas": "pcs",
    }
    return ifs.PurchaseOrderLine(**{**given, "line_amount": Decimal("50.00"), **more})


def receipt(sequence: int = 1, quantity: str | None = "3", of: str = "1", **more: Any) -> ifs.Receipt:
    given: dict[str, Any] = {"source_ref1": "P1", "source_ref2": of, "source_ref3": "1", "source_unit_meas": "pcs"}
    given |= {"source_ref_type": "PURCHASE_ORDER", "obj_state": "Received", "arrival_date": date(2026, 11, 20)}
    amount = None if quantity is None else Decimal(quantity)
    return ifs.Receipt(**{**given, "receipt_sequence": sequence, "source_qty_arrived": amount, **more})


def order(
    *receipts: ifs.Receipt, lines: tuple[ifs.PurchaseOrderLine, ...] = (line(),), **more: Any
) -> ifs.PurchaseOrder:
    given: dict[str, Any] = {"order_no": "P1", "company": "0010", "currency_code": "SEK", "obj_state": "Released"}
    return ifs.PurchaseOrder(**{**given, "lines": lines, "receipts": receipts, **more})


def why(source: Any) -> str:
    found = progress_can_be_told(source, Told(), FACTS)
    return found.reason if found else ""


def test_a_receipt_larger_than_the_order_is_told_as_what_it_is() -> None:
    source = order(receipt(1, "5"), receipt(2, "2.50"))
    progress = received(source, FACTS)
    assert (progress.words, progress.done(), progress.ordered()) == ("More than ordered", Decimal("7.5"), Decimal(5))
    assert progress.text == "1/1 7.5 of 5 pcs received"
    assert received_amount(source, progress, FACTS) == Decimal("75.00") and not why(source)


@pytest.mark.parametrize("state", ["Cancelled", "Reversed", "CANCELLED"])
def test_a_receipt_that_was_taken_back_counts_no_more(state: str) -> None:
    assert received(order(receipt(1, "3", obj_state=state)), FACTS).words == "Not received"


def test_a_receipt_that_is_taken_back_by_a_row_of_its_own_is_subtracted() -> None:
    assert received(order(receipt(1, "5"), receipt(2, "-5")), FACTS).done() == 0


def test_what_a_shop_order_of_the_same_number_received_is_not_this_orders() -> None:
    source = order(receipt(1, "3", source_ref_type="SHOP_ORDER"))
    assert received(source, FACTS).done() == 0 and not why(source)


@pytest.mark.parametrize(
    "found, words",
    [
        (receipt(of="9"), "receipt 1 is of line 9/1, which the order does not have"),
        (receipt(source_unit_meas="box"), "receipt 1 is in box, and line 1/1 was ordered in pcs"),
        (receipt(quantity=None), "receipt 1 says no quantity"),
        (receipt(quantity="-2"), "line 1/1: -2 were received in all"),
        (
            receipt(source_ref_type="Inköpsorder"),
            "PURCHASE_ORDER was expected: ifs.entity_sets.receipt_info_set.fields",
        ),
    ],
)
def test_a_receipt_that_nobody_can_place_holds_its_order_where_a_target_shows_it(
    found: ifs.Receipt, words: str
) -> None:
    assert words in why(order(found))

    class Silent:
        tells_progress = False

    assert progress_can_be_told(order(found), Silent(), FACTS) is None


@pytest.mark.parametrize(
    "day, words",
    [
        (date(1900, 1, 1), "line 1/1, PromisedDeliveryDate is 1900-01-01, before 1980-01-01"),
        (date(2099, 12, 31), "line 1/1, PromisedDeliveryDate is 2099-12-31, more than 1830 days ahead"),
        (date(2026, 1, 5), ""),  # it has passed, and is late: that is no fault of the record
    ],
)
def test_a_promised_date_that_cannot_be_meant_holds_and_one_that_has_passed_does_not(day: date, words: str) -> None:
    source = order(lines=(line(promised_delivery_date=day),))
    assert why(source).startswith(words) and bool(why(source)) is bool(words)
    assert received(source, FACTS).due_next() == day


def test_a_line_that_is_cancelled_after_its_receipt_still_says_what_came() -> None:
    source = order(receipt(1, "3"), lines=(line(1, obj_state="Cancelled"), line(2)))
    progress = received(source, FACTS)
    assert progress.text == "1/1 Cancelled, 3 pcs received; 2/1 0 of 5 pcs received"
    assert (progress.words, progress.ordered(), progress.done()) == ("Partly received", Decimal(5), Decimal(3))
    assert received(order(lines=(line(1, obj_state="Cancelled"), line(2))), FACTS).text == "2/1 0 of 5 pcs received"


def test_a_line_that_is_closed_since_it_came_was_ordered_all_the_same() -> None:
    closed = (line(1, obj_state="Closed"), line(2))
    assert [each.line_no for each in ordered(order(receipt(1, "5"), lines=closed), FACTS)] == ["1", "2"]
    assert [each.line_no for each in ordered(order(lines=closed), FACTS)] == ["2"]


def test_quantities_of_two_units_are_never_one_sum_and_the_amount_is_exact_to_the_cent() -> None:
    third = line(1, buy_qty_due=Decimal(3), line_amount=Decimal("10.00"))
    source = order(
        receipt(1, "1"), receipt(2, "5", of="2", source_unit_meas="m"), lines=(third, line(2, buy_unit_meas="m"))
    )
    progress = received(source, FACTS)
    assert (progress.ordered(), progress.done()) == (None, None)
    assert received_amount(source, progress, FACTS) == Decimal("53.33")
    whole = order(receipt(1, "1"), receipt(2, "2"), lines=(third,))
    assert received_amount(whole, received(whole, FACTS), FACTS) == Decimal("10.00")


@pytest.mark.parametrize("state", ["Received", "Invoiced", "Closed"])
def test_an_order_that_was_received_and_shows_no_receipt_says_so(state: str) -> None:
    """A service user who may see no receipts gets an empty list, and no error."""
    assert received(order(obj_state=state), FACTS).words == "No receipt shown"


def test_where_receipts_are_not_read_nothing_is_said_of_them() -> None:
    progress = received(order(receipts=None, lines=(line(obj_state="Confirmed"),)), FACTS)
    assert (progress.words, progress.done(), progress.text) == ("", None, "1/1 5 pcs Confirmed")
    assert summary(progress) == "Released"


def test_an_order_of_a_thousand_lines_is_told_as_far_as_it_fits() -> None:
    text = received(order(lines=tuple(line(number) for number in range(1, 1001))), FACTS).text
    assert len(text) <= MOST + 30 and text.endswith("more lines") and text.startswith("1/1 0 of 5 pcs received; 2/1 ")


def test_a_summary_says_state_receipts_and_what_is_due_next() -> None:
    lines = (line(1), line(2, promised_delivery_date=date(2026, 12, 5)))
    told = summary(received(order(receipt(1, "5"), lines=lines), FACTS))
    assert told == "Released; partly received (1 of 2 lines); next 2026-12-05"


def test_a_header_without_a_wanted_date_has_its_lines_latest_where_mlc_yaml_says_so() -> None:
    lines = (line(1, planned_receipt_date=date(2026, 12, 1)), line(2, wanted_delivery_date=date(2026, 12, 9)))
    by_lines = Facts(options={"wanted_date": "lines"})
    assert wanted_on(order(lines=lines), by_lines) == date(2026, 12, 9)
    assert wanted_on(order(lines=lines, wanted_receipt_date=date(2026, 11, 5)), by_lines) == date(2026, 11, 5)
    assert wanted_on(order(lines=lines), FACTS) is None  # an upgrade changes nobody's document


def test_what_shipped_is_told_for_a_customer_order_and_components_of_a_package_are_not_counted() -> None:
    def sold(number: int, item: int | None, quantity: str | None) -> ifs.CustomerOrderLine:
        amount = None if quantity is None else Decimal(quantity)
        given: dict[str, Any] = {"line_no": str(number), "rel_no": "1", "line_item_no": item, "qty_shipped": amount}
        return ifs.CustomerOrderLine(buy_qty_due=Decimal(4), sales_unit_meas="pcs", obj_state="Delivered", **given)

    def progress(*lines: ifs.CustomerOrderLine) -> Progress:
        return shipped(ifs.CustomerOrder(order_no="C1", lines=lines), FACTS)

    told = progress(sold(1, 0, "4"), sold(2, -1, "1"), sold(2, 1, "4"))
    assert (told.words, told.text) == ("Partly shipped", "1/1 4 of 4 pcs shipped; 2/1 1 of 4 pcs shipped")
    assert progress(sold(1, None, None)).text == "1/1 4 pcs Delivered"
