"""Which documents are one too many, and how a person is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.duplicates import Duplicate, TargetDocument, doubles, sentence
from mlc_dagster.core.flows import Target
from mlc_dagster.pipeline.duplicates import scan_start
from mlc_dagster.systems.cin7.records import PURCHASE_INVOICES, PURCHASES
from mlc_dagster.systems.ifs.entry_records import ENTRIES, INVOICES
from mlc_dagster.systems.ifs.supplier_records import PARTNERS
from mlc_dagster.systems.monday.records import INVOICES as ITEMS

AT = datetime(2026, 11, 5, 9, tzinfo=UTC)


def one(number: str, reference: str = "", **fields: Any) -> TargetDocument:
    return TargetDocument(id=number, number=number, reference=reference, **fields)


def invoice(number: str, text: str, supplier: str = "S1", company: str = "0010", **fields: Any) -> TargetDocument:
    return one(number, invoice=(company, supplier, text), **fields)


def named(number: str, name: str, country: str = "SE", **fields: Any) -> TargetDocument:
    return one(number, name=(name, country), **fields)


def numbers(found: list[Duplicate]) -> list[tuple[str, ...]]:
    return [tuple(each.number for each in double.documents) for double in found]


def test_two_documents_of_one_reference_are_a_double_and_a_third_belongs_to_it() -> None:
    assert numbers(doubles([one("A", "0010/P1"), one("B", "0010/P1"), one("C", "0010/P2")])) == [("A", "B")]
    assert numbers(doubles([one(number, "0010/P1") for number in "CAB"])) == [("A", "B", "C")]


def test_one_document_that_was_seen_twice_is_one() -> None:
    assert doubles([one("A", "0010/P1"), one("A", "0010/P1")]) == []


@pytest.mark.parametrize("other", ["0010/p1", "0010/P1 ", " 0010/P1", "0010/P01", "10/P1"])
def test_our_own_references_are_compared_byte_for_byte(other: str) -> None:
    assert doubles([one("A", "0010/P1"), one("B", other)]) == []


def test_what_was_cancelled_counts_no_more() -> None:
    assert doubles([one("A", "0010/P1"), one("B", "0010/P1", is_live=False)]) == []


def test_one_key_on_two_boards_is_no_double() -> None:
    assert doubles([one("A", "P1", place="board X"), one("B", "P1", place="board Y")]) == []


@pytest.mark.parametrize("other", ["F-77", "f-77", " F-77 "])
def test_invoice_numbers_are_what_people_type_so_case_and_blanks_do_not_count(other: str) -> None:
    (double,) = doubles([invoice("A", "F-77"), invoice("B", other)])
    assert double.by == "invoice number" and not double.is_certain


def test_one_number_of_two_suppliers_or_in_two_companies_is_two_invoices() -> None:
    others = [invoice("B", "F-77", supplier="S2"), invoice("C", "F-77", company="0020"), invoice("D", " ")]
    assert doubles([invoice("A", "F-77"), *others, invoice("E", " ")]) == []


def test_a_double_by_reference_is_not_told_again_by_its_number() -> None:
    number = ("0010", "S1", "F-77")
    found = doubles([one("A", "bill-1", invoice=number), one("B", "bill-1", invoice=number)])
    assert [double.by for double in found] == ["reference"]
    (sure, probable) = doubles([one("A", "r", invoice=number), one("B", "r", invoice=number), one("C", invoice=number)])
    assert (sure.by, probable.by) == ("reference", "invoice number") and len(probable.documents) == 3


def test_names_are_doubles_where_one_was_made_lately_and_no_two_numbers_tell_them_apart() -> None:
    old = named("A", "Acme Tools", is_recent=False)
    assert numbers(doubles([old, named("B", " ACME  tools")])) == [("A", "B")]
    assert doubles([old, named("B", "Acme Tools", is_recent=False)]) == []
    assert doubles([old, named("B", "Acme Tools", country="NO")]) == []
    both = [named("A", "Acme Tools", reference="S1"), named("B", "Acme Tools", reference="S2")]
    assert doubles(both) == []


def test_an_empty_header_is_told_alone_and_within_its_double_only_once() -> None:
    assert [double.by for double in doubles([one("A", "0010/P1", is_empty=True)])] == ["empty"]
    assert [double.by for double in doubles([one("A", "0010/P1", is_empty=True), one("B", "0010/P1")])] == ["reference"]


def said(target: Target, *documents: TargetDocument) -> str:
    (double,) = doubles(documents)
    assert target.twice is not None
    return sentence(target.twice, double)


def test_a_double_is_told_with_both_numbers_their_amounts_and_what_to_do() -> None:
    money = {"amount": Decimal("120.00"), "currency": "SEK"}
    first, second = one("PO-00102", "0010/P100311", **money), one("PO-00117", "0010/P100311", **money)
    assert said(PURCHASES, first, second) == (
        "Cin7 has two purchases for IFS order 0010/P100311: PO-00102 and PO-00117 (120.00 SEK each). Void one of them."
    )
    other = one("PO-00117", "0010/P100311", amount=Decimal("99.50"), currency="SEK")
    assert "PO-00102 (120.00 SEK) and PO-00117 (99.50 SEK)" in said(PURCHASES, first, other)


def test_each_kind_has_its_own_words() -> None:
    assert said(ENTRIES, one("0010/M/2026/17", "airbase-payment-77"), one("0010/M/2026/18", "airbase-payment-77")) == (
        "IFS has two vouchers for airbase-payment-77: 0010/M/2026/17 and 0010/M/2026/18. Cancel one of them."
    )
    assert said(ITEMS, *(one(f"item {n}", "0010/7", place="board Invoices") for n in (1, 2))) == (
        "monday has two items on board Invoices for IFS posting proposal 0010/7: item 1 and item 2. Delete one of them."
    )
    assert said(INVOICES, invoice("0010/1", "F-7"), invoice("0010/2", "f-7")) == (
        "IFS probably has one of its supplier invoices twice, invoice number F-7 of supplier S1 in company 0010: "
        "0010/1 and 0010/2. Look at them; if they are one: cancel one of them."
    )
    assert said(PARTNERS, named("S1", "Acme"), named("S9", "acme")) == (
        "IFS probably has one of its suppliers twice, by the name Acme, SE: S1 and S9. Look at them; if they are one: "
        "block one of them, or rename it."
    )
    assert said(PURCHASE_INVOICES, one("PO-7", "proposal/0010/7", is_empty=True, at=AT)) == (
        "Cin7 has a purchase invoice without lines for IFS proposal/0010/7: PO-7 since 2026-11-05 09:00 UTC, as a load "
        "leaves it that was cut off. Load it again, which completes it; or void it."
    )


def test_a_double_that_nobody_removes_is_looked_at_again_for_some_weeks() -> None:
    assert scan_start(AT, 26, None) == AT - timedelta(hours=26)
    assert scan_start(AT, 26, AT - timedelta(days=4)) == AT - timedelta(days=4)
    assert scan_start(AT, 26, AT - timedelta(hours=1)) == AT - timedelta(hours=26)
    assert scan_start(AT, 26, AT - timedelta(days=400)) == AT - timedelta(days=45)
