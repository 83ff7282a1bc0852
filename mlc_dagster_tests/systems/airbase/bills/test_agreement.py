"""Airbase's own bills beside the ERP's invoices: which is where, and by how much they differ."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from mlc_dagster.core.arrow_columns import records_of, source_batch
from mlc_dagster.core.facts import CompanyMapping, Facts
from mlc_dagster.systems.airbase.bills.agreement import BILLS_BESIDE_INVOICES, Compared, compared_bills, shows_bills
from mlc_dagster.systems.airbase.bills.records import ListedBill
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.ifs.records import PostingProposal
from mlc_dagster_tests.promises.ledgered_room import Room
from mlc_dagster_tests.systems.airbase.bills.conftest import PATHS, by_hand

FACTS = Facts(companies={"0010": CompanyMapping("0010", "SEK"), "0020": CompanyMapping("0020", "SEK")})


def bill(which: str = "b1", **changes: Any) -> ListedBill:
    good: dict[str, Any] = {"invoice_number": "F-1", "supplier": "S1", "vendor": "Bolts", "subsidiary": "0010"}
    good |= {"currency": "SEK", "total_amount": Decimal("100.00"), "status": "open"}
    return ListedBill(airbase_id=which, **{**good, **changes})


def invoice(number: int = 1, **changes: Any) -> PostingProposal:
    good: dict[str, Any] = {"company": "0010", "invoice_no": "F-1", "supplier_id": "S1", "currency_code": "SEK"}
    good |= {"gross_amount": Decimal("100.00"), "obj_state": "Posted"}
    return PostingProposal(proposal_id=number, **{**good, **changes})


def found(*bills: ListedBill, ours: Any = (), known: dict[str, str] | None = None, **delivered: Any) -> list[Compared]:
    facts = replace(FACTS, delivered={"ifs/vouchers_from_airbase_bills": delivered})
    return list(compared_bills(bills, ours, known or {}, facts))


def test_a_bill_and_its_invoice_agree_by_supplier_and_number_in_any_case() -> None:
    (one,) = found(bill(invoice_number=" f-1"), ours=[invoice()])
    assert (one.kind, one.invoice, one.why) == ("agrees", "0010/1", "")


def test_what_differs_is_told_with_both_amounts() -> None:
    (one,) = found(bill(total_amount=Decimal("99.50")), ours=[invoice()])
    assert (one.kind, one.in_airbase, one.in_ifs) == ("differs", Decimal("99.50"), Decimal("100.00"))
    assert one.why == "its amount is 99.50 in Airbase and 100.00 in IFS"


def test_the_key_that_a_bill_carries_counts_before_its_number() -> None:
    ours = [invoice(), invoice(2, invoice_no="F-2")]
    first, rest = found(bill(erp_reference_id="0010/2"), ours=ours)
    assert (first.kind, first.invoice) == ("differs", "0010/2") and "number" in first.why
    assert (rest.kind, rest.invoice) == ("not_sent", "0010/1")


def test_a_bill_that_ifs_has_and_airbase_voided_and_the_other_way_round() -> None:
    (voided,) = found(bill(status="Voided"), ours=[invoice()])
    (cancelled,) = found(bill(), ours=[invoice(obj_state="Cancelled")])
    assert (voided.kind, cancelled.kind) == ("voided", "voided")
    assert "Voided in Airbase, and stands in IFS" in voided.why and "Cancelled in IFS" in cancelled.why


def test_a_bill_that_is_a_voucher_and_an_invoice_costs_twice() -> None:
    assert [one.kind for one in found(bill(), b1="0010/M/2026/7")] == ["voucher"]
    (twice,) = found(bill(), ours=[invoice()], b1="0010/M/2026/7")
    assert twice.kind == "in_both_books" and "0010/M/2026/7" in twice.why and "0010/1" in twice.why


def test_a_bill_that_ifs_does_not_have_and_an_invoice_that_airbase_lost() -> None:
    (alone,) = found(bill(supplier=None))
    assert alone.kind == "only_in_airbase" and "Bolts, which has no number of IFS" in alone.why
    (lost,) = found(ours=[invoice()], known={"0010/1": "b9"})
    assert lost.kind == "only_in_ifs" and "b9" in lost.why


def test_the_invoice_of_the_bills_own_company_counts_and_another_companys_differs() -> None:
    ours = [invoice(), invoice(2, company="0020")]
    here, there = found(bill(subsidiary="0020"), ours=ours)
    assert (here.kind, here.invoice, there.kind) == ("agrees", "0020/2", "not_sent")
    (wrong,) = found(bill(), ours=[invoice(company="0020")])
    assert wrong.kind == "differs" and "company" in wrong.why


def test_two_invoices_of_one_number_and_an_amount_that_is_none_are_no_agreement() -> None:
    (two,) = found(bill(), ours=[invoice(), invoice(2)])
    assert two.kind == "differs" and "0010/1 and 0010/2" in two.why
    (odd,) = found(bill(total_amount=None, fault="its total is 'n/a'"), ours=[invoice()])
    assert odd.kind == "differs" and "n/a" in odd.why


def test_every_kind_that_is_wrong_has_a_check_and_no_check_is_of_a_kind_that_is_none() -> None:
    judged = {kind for _, kind in BILLS_BESIDE_INVOICES.checks.values()}
    assert judged == set(BILLS_BESIDE_INVOICES.kinds) - {"agrees", "voucher", "not_sent"}


def test_the_bills_are_read_from_their_own_list_or_of_the_entries_that_are_called_bills(room: Room) -> None:
    from mlc_dagster_tests.promises.journey import client_of

    def read() -> list[tuple[str | None, str | None, Decimal | None]]:
        client = client_of("airbase", room.settings, lambda *_: None)
        return sorted((one.invoice_number, one.supplier, one.total_amount) for one in client.bill_list())  # type: ignore[misc]

    by_hand(room, invoice_number="F-7")
    assert read() == [("F-7", "S1", Decimal("100.00"))]

    add = room.box.airbase.add_entry
    for number, status in (("E-1", "sync_ready"), ("E-2", "sync_complete")):
        add(type="bill", invoice_number=number, total_amount="5.00", status=status, vendor=_vendor_id(room))
    add(type="card_transaction", invoice_number="C-1", total_amount="5.00")
    room.says("airbase", paths={**PATHS, "bills": ""}, types={"bill": "bill", "card_transaction": "card"})
    assert [number for number, _, _ in read()] == ["E-1", "E-2"]
    assert shows_bills(room.settings.connections["airbase"]) and not shows_bills(AirbaseSettings())  # type: ignore[arg-type]


def _vendor_id(room: Room) -> str:
    return next(row["airbase_id"] for row in room.box.airbase.vendors.values() if row["erp_reference_id"] == "S1")


def test_the_list_of_bills_can_be_stored_as_it_is_read() -> None:
    rows = [msgspec.structs.asdict(bill()), msgspec.structs.asdict(bill("b2", total_amount=None, fault="none"))]
    batch = source_batch(rows, [None] * 2, [None] * 2, ListedBill)
    assert [record.fault for record, _, _ in records_of(batch, ListedBill)] == ["", "none"]  # type: ignore[union-attr]
