"""C53: what the source takes back is reversed once, exactly, in an open day, where mlc.yaml says so; or it is held."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.pipeline.taken_back import reversal_key, reversal_name
from mlc_dagster.sandbox.ifs.ledger import update
from mlc_dagster_tests.promises.saas_life import (
    BILLS,
    INVOICES,
    PAYMENTS,
    REQUESTS,
    TOLD,
    VENDORS,
    Office,
    office,
    vendor,
)
from mlc_dagster_tests.promises.seeds import seeds

pytestmark = pytest.mark.promise(
    "C53", "A reversal is exact, once, in the first open day, and only on a status that the source states; or held."
)


def taken_back(here: Office, flow: str, key: str) -> None:
    here.look(flow)
    assert here.kinds(flow) == {key: "taken_back"}


def booked(row: dict[str, Any]) -> list[tuple[str, Decimal | None, Decimal | None, Decimal | None, str | None]]:
    names = ("Account", "DebitAmount", "CreditAmount", "CurrencyAmount", "CodeB")
    return [tuple(line[name] for name in names) for line in row["VoucherRows"]]  # type: ignore[misc]


@pytest.mark.parametrize("acknowledged", [False, True])
def test_a_voucher_that_is_approved_is_reversed_line_by_line_and_both_sides_agree(
    ledger: Ledger, tmp_path: Path, acknowledged: bool
) -> None:
    with office(ledger, tmp_path) as here:
        entry = here.pay()
        here.go(PAYMENTS, *([TOLD] if acknowledged else []))
        here.approve()
        here.void(entry)
        taken_back(here, PAYMENTS, entry)

        found = here.reverse(PAYMENTS)
        here.reverse(PAYMENTS)

        original, reversal = here.voucher(f"airbase-payment-{entry}"), here.voucher(f"airbase-payment-{entry}/R1")
        assert booked(original) == [
            ("2440", Decimal("1250.00"), None, Decimal("1250.00"), None),
            ("1930", None, Decimal("1250.00"), Decimal("-1250.00"), None),
        ]
        assert booked(reversal) == [
            ("2440", None, Decimal("1250.00"), Decimal("-1250.00"), None),
            ("1930", Decimal("1250.00"), None, Decimal("1250.00"), None),
        ]
        assert reversal["VoucherDate"] == original["VoucherDate"] and here.balance() == {}
        number = f"0010/M/2026/{reversal['VoucherNo']}"
        assert found.numbers == {entry: number} and here.differences(PAYMENTS) == []
        assert here.events(PAYMENTS, entry).count("reversed") == 1 and len(here.vouchers()) == 2
        assert here.events(reversal_name(PAYMENTS), reversal_key(entry)) == ["sent", "created"]
        here.look(PAYMENTS)
        here.go(PAYMENTS)
        assert here.differences(PAYMENTS) == [] and here.holds(PAYMENTS) == {}


def test_what_is_still_preliminary_is_cancelled_and_no_second_voucher_is_made(ledger: Ledger, tmp_path: Path) -> None:
    with office(ledger, tmp_path) as here:
        request = here.box.airbase.add_request(total_amount="300.00")
        here.go(REQUESTS)
        here.box.airbase.change("purchase_requests", request, status="rejected")
        taken_back(here, REQUESTS, request)

        here.reverse(REQUESTS)

        (voucher,) = here.vouchers()
        assert voucher["ObjState"] == "Cancelled" and here.balance() == {} and here.differences(REQUESTS) == []


def test_an_action_that_does_not_act_is_not_taken_for_a_cancellation(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        entry = here.pay()
        here.go(PAYMENTS)
        here.void(entry)
        taken_back(here, PAYMENTS, entry)
        here.content["ifs"]["entity_sets"] = {}

        here.reverse(PAYMENTS)

        assert "names none that leads VoucherSet to Cancelled" in here.reversal_holds(PAYMENTS)[entry]
        assert here.kinds(PAYMENTS) == {entry: "taken_back"} and len(here.live()) == 1


def test_a_closed_period_takes_nothing_and_the_first_open_day_does(ledger: Ledger, tmp_path: Path) -> None:
    with office(ledger, tmp_path) as here:
        entry = here.pay("500.00", type="bill")
        here.go(BILLS)
        here.approve()
        here.void(entry)
        taken_back(here, BILLS, entry)
        here.content["companies"] = {"0010": {"currency": "SEK", "closed_until": "2026-11-15"}}

        here.reverse(BILLS)

        assert here.voucher(f"airbase-bill-{entry}/R1")["VoucherDate"] == "2026-11-16" and here.balance() == {}


def test_where_no_day_is_open_it_is_held_and_goes_once_one_is(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        entry = here.pay()
        here.go(PAYMENTS)
        here.approve()
        here.void(entry)
        taken_back(here, PAYMENTS, entry)
        closed = {"currency": "SEK", "closed_until": "2026-11-15", "open_until": "2026-11-15"}
        here.content["companies"] = {"0010": closed}
        here.reverse(PAYMENTS)
        assert "No day is open" in here.reversal_holds(PAYMENTS)[entry] and len(here.vouchers()) == 1

        here.content["companies"] = {"0010": {**closed, "open_until": "2026-12-31"}}
        here.reverse(PAYMENTS)

        assert here.reversal_holds(PAYMENTS) == {} and here.balance() == {}


def test_what_the_erp_itself_has_closed_is_held_in_its_own_words(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        entry = here.pay()
        here.go(PAYMENTS)
        here.approve()
        here.void(entry)
        taken_back(here, PAYMENTS, entry)
        here.box.ifs.tenant = _closed(here, "2026-11-20")
        here.reverse(PAYMENTS)
        assert "closed" in here.reversal_holds(PAYMENTS)[entry] and here.kinds(PAYMENTS) == {entry: "taken_back"}


def _closed(here: Office, until: str) -> Any:
    from dataclasses import replace

    return replace(here.box.ifs.tenant, closed_until={"0010": until})


def test_a_payment_in_a_foreign_currency_is_reversed_at_the_rate_that_was_posted(
    sqlite_ledger: Ledger, tmp_path: Path
) -> None:
    with office(sqlite_ledger, tmp_path, ifs={"currencies": ["EUR"]}) as here:
        entry = here.pay("100.00", currency="EUR", subsidiary_amount="1123.45")
        here.go(PAYMENTS)
        assert here.holds(PAYMENTS) == {}
        here.approve()
        here.void(entry)
        taken_back(here, PAYMENTS, entry)

        here.reverse(PAYMENTS)

        assert booked(here.voucher(f"airbase-payment-{entry}/R1")) == [
            ("2440", None, Decimal("1123.45"), Decimal("-100.00"), None),
            ("1930", Decimal("1123.45"), None, Decimal("100.00"), None),
        ]


def test_what_a_person_reversed_by_hand_is_not_reversed_again(ledger: Ledger, tmp_path: Path) -> None:
    with office(ledger, tmp_path) as here:
        entry = here.pay()
        here.go(PAYMENTS)
        here.approve()
        by_hand(here, entry, {"DebitAmount": "CreditAmount", "CreditAmount": "DebitAmount"})
        here.void(entry)
        taken_back(here, PAYMENTS, entry)

        here.reverse(PAYMENTS)

        assert "0010/M/2026/7 may have reversed" in here.reversal_holds(PAYMENTS)[entry]
        assert len(here.vouchers()) == 2 and here.kinds(PAYMENTS) == {entry: "taken_back"}


def test_a_correction_below_zero_counts_as_reversed_by_hand_too(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        entry = here.pay()
        here.go(PAYMENTS)
        here.approve()
        by_hand(here, entry, {"DebitAmount": "DebitAmount", "CreditAmount": "CreditAmount"}, sign=-1)
        here.void(entry)
        taken_back(here, PAYMENTS, entry)
        here.reverse(PAYMENTS)
        assert "may have reversed" in here.reversal_holds(PAYMENTS)[entry] and len(here.vouchers()) == 2


def by_hand(here: Office, entry: str, sides: dict[str, str], sign: int = 1) -> None:
    """A voucher of an accountant that undoes ours."""
    row = here.voucher(f"airbase-payment-{entry}")
    lines = [
        {**line, "VoucherNo": 7, **{one: _times(line[other], sign) for one, other in sides.items()}}
        for line in row["VoucherRows"]
    ]
    dated = {"VoucherNo": 7, "VoucherDate": "2026-11-20", "ExternalRef": None, "Text": "Rückgängig"}
    here.box.ifs.put("VoucherSet", {**row, **dated, "VoucherRows": lines})


def _times(amount: Decimal | None, sign: int) -> Decimal | None:
    return None if amount is None else sign * amount


def test_a_voucher_that_an_accountant_edited_is_not_reversed(ledger: Ledger, tmp_path: Path) -> None:
    with office(ledger, tmp_path) as here:
        entry = here.pay()
        here.go(PAYMENTS)
        row = here.voucher(f"airbase-payment-{entry}")
        lines = [{**row["VoucherRows"][0], "Account": "4010"}, *row["VoucherRows"][1:]]
        here.box.ifs.put("VoucherSet", {**row, "ObjState": "Approved", "VoucherRows": lines})
        here.void(entry)
        taken_back(here, PAYMENTS, entry)

        here.reverse(PAYMENTS)

        assert "is not as it was sent" in here.reversal_holds(PAYMENTS)[entry] and len(here.vouchers()) == 1


def test_a_voucher_that_was_adopted_is_never_reversed(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    """It stood there under our reference before this ledger knew of it: who made it, the trail does not say."""
    with office(sqlite_ledger, tmp_path) as here:
        entry = here.pay()
        here.go(PAYMENTS)
        with Ledger.open(f"sqlite:///{tmp_path}/other.db") as other:
            there = Office(here.box, other, here.store, here.content)
            there.go(PAYMENTS)
            assert there.events(PAYMENTS, entry) == ["sent", "adopted"]
            there.void(entry)
            taken_back(there, PAYMENTS, entry)
            there.reverse(PAYMENTS)
            assert "created by us" in there.reversal_holds(PAYMENTS)[entry] and len(here.live()) == 1


def test_nothing_is_reversed_because_it_is_absent(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        entry, _ = here.pay(), here.pay("2.00")
        here.go(PAYMENTS)
        here.approve()
        here.forget("airbase", "ledger_entries", entry)
        here.look(PAYMENTS)
        found = here.reverse(PAYMENTS)
        assert here.kinds(PAYMENTS) == {entry: "gone_in_the_source"}
        assert found.asked == 0 and len(here.live()) == 2 and here.reversal_holds(PAYMENTS) == {}


def test_what_stands_again_when_it_is_about_to_be_reversed_is_left_alone(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        entry = here.pay()
        here.go(PAYMENTS)
        here.approve()
        here.void(entry)
        taken_back(here, PAYMENTS, entry)
        here.void(entry, "sync_ready")
        assert here.reverse(PAYMENTS).asked == 0 and len(here.vouchers()) == 1


def test_what_is_unvoided_after_its_reversal_is_held_and_entered_no_second_time(ledger: Ledger, tmp_path: Path) -> None:
    with office(ledger, tmp_path) as here:
        entry = here.pay()
        here.go(PAYMENTS)
        here.approve()
        here.void(entry)
        taken_back(here, PAYMENTS, entry)
        here.reverse(PAYMENTS)
        here.void(entry, "sync_ready")

        here.go(PAYMENTS)
        here.go(PAYMENTS)

        assert here.holds(PAYMENTS) == {entry: "is_not_reversed"} and len(here.vouchers()) == 2
        here.void(entry)
        here.box.airbase.heeds_filters = False
        here.go(PAYMENTS)
        here.reverse(PAYMENTS)
        assert here.holds(PAYMENTS) == {} and here.differences(PAYMENTS) == [] and len(here.vouchers()) == 2


def test_more_than_the_guard_allows_are_held_and_go_when_it_is_raised(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        entries = [here.pay(f"{n}.00") for n in range(1, 9)]
        here.go(PAYMENTS)
        here.approve()
        for entry in entries:
            here.void(entry)
        here.look(PAYMENTS, most=100)

        found = here.reverse(PAYMENTS)

        assert "8 documents would be reversed, and max_reversals is 5" in found.guarded
        assert f"guards.{PAYMENTS}.max_reversals" in found.guarded
        assert sorted(here.reversal_holds(PAYMENTS)) == sorted(entries) and len(here.vouchers()) == 8
        here.reverse(PAYMENTS, most=8)
        assert here.reversal_holds(PAYMENTS) == {} and here.balance() == {} and len(here.vouchers()) == 16


def test_a_bill_of_procurify_that_is_denied_gets_its_credit(ledger: Ledger, tmp_path: Path) -> None:
    with office(ledger, tmp_path) as here:
        vendor(here.box)
        bill = here.bill("400.00")
        here.go(VENDORS, INVOICES)
        (invoice,) = here.box.ifs.rows("SupplierInvoiceSet")
        here.box.ifs.put("SupplierInvoiceSet", {**invoice, "ObjState": "Posted"})
        here.box.procurify.touch_bill(bill, status=3)
        here.go(INVOICES)
        assert set(here.kinds(INVOICES).values()) == {"taken_back"}

        here.reverse(INVOICES)
        here.go(INVOICES)

        _, credit = here.box.ifs.rows("SupplierInvoiceSet")
        assert (credit["GrossAmount"], credit["InvoiceNo"]) == (Decimal(-400), f"{invoice['InvoiceNo']}/R1")
        assert [line["Amount"] for line in credit["SupplierInvoiceLines"]] == [Decimal(-400)]
        assert here.differences(INVOICES) == [] and here.holds(INVOICES) == {}


@pytest.mark.parametrize(("state", "words"), [("PaidPosted", "what was paid"), ("Preliminary", "")])
def test_an_invoice_that_is_paid_is_held_and_a_preliminary_one_is_cancelled(
    sqlite_ledger: Ledger, tmp_path: Path, state: str, words: str
) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        vendor(here.box)
        bill = here.bill("400.00")
        here.go(VENDORS, INVOICES)
        (invoice,) = here.box.ifs.rows("SupplierInvoiceSet")
        here.box.ifs.put("SupplierInvoiceSet", {**invoice, "ObjState": state})
        here.box.procurify.touch_bill(bill, status=5)
        here.go(INVOICES)
        here.reverse(INVOICES)
        (after,) = here.box.ifs.rows("SupplierInvoiceSet")
        assert [words in why for why in here.reversal_holds(INVOICES).values()] == ([True] if words else [])
        assert after["ObjState"] == ("PaidPosted" if words else "Cancelled")


def test_a_bill_that_is_a_draft_again_may_come_back_and_is_only_told(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        vendor(here.box)
        bill = here.bill("400.00")
        here.go(VENDORS, INVOICES)
        here.box.procurify.touch_bill(bill, status=0)
        here.go(INVOICES)
        assert here.reverse(INVOICES).asked == 0 and set(here.kinds(INVOICES).values()) == {"taken_back"}


@pytest.mark.promise("C53", "A lost answer, at whatever request, makes no second reversal.", times=len(seeds()))
@pytest.mark.parametrize("seed", seeds(53))
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_answer_makes_no_second_reversal(sqlite_ledger: Ledger, tmp_path: Path, seed: int, when: str) -> None:
    dice = random.Random(seed)
    with office(sqlite_ledger, tmp_path) as here:
        entries = [here.pay(f"{dice.randint(1, 9999)}.{dice.randint(10, 99)}") for _ in range(4)]
        here.go(PAYMENTS)
        here.approve(*dice.sample(entries, 2))
        for entry in entries:
            here.void(entry)
        here.look(PAYMENTS)
        for path in ("$batch", "Voucher_Cancel"):
            here.box.faults.add(system="ifs", path=path, drop=when, times=dice.randint(1, 2))

        for _ in range(4):
            here.reverse(PAYMENTS)

        references = [row["ExternalRef"] for row in here.live()]
        assert len(references) == len(set(references)) == 4 and here.balance() == {}
        assert here.differences(PAYMENTS) == [] and here.reversal_holds(PAYMENTS) == {}


def test_today_is_no_open_day_by_itself() -> None:
    """The day is the document's own where it is open, and never one before it."""
    from mlc_dagster.core.facts import CompanyMapping

    company = CompanyMapping("0010", "SEK", closed_until=date(2026, 10, 31), open_until=date(2026, 12, 31))
    assert company.first_open_day(date(2026, 11, 5)) == date(2026, 11, 5)
    assert company.first_open_day(date(2026, 9, 5)) == date(2026, 11, 1)
    assert company.first_open_day(date(2027, 1, 5)) is None


# --- tenants whose vouchers leave the hold table, and are entered by loads --------------------------------------------


def test_a_voucher_that_is_still_in_the_hold_table_is_reversed_by_a_load(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path, ["ifs.no-workflow"]) as here:
        entry = here.pay()
        for _ in range(2):  # the load that enters it is approved at the next read
            here.go(PAYMENTS)
        assert here.holds(PAYMENTS) == {}
        here.void(entry)
        taken_back(here, PAYMENTS, entry)

        for _ in range(3):
            here.reverse(PAYMENTS)

        assert here.balance() == {} and len(here.vouchers()) == 2 and here.differences(PAYMENTS) == []


def test_a_voucher_that_left_the_hold_table_is_held_and_never_doubled(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path, ["ifs.no-workflow"]) as here:
        entry = here.pay()
        for _ in range(2):
            here.go(PAYMENTS)
        here.approve()
        update(here.box.ifs)
        here.void(entry)
        taken_back(here, PAYMENTS, entry)

        for _ in range(2):
            here.reverse(PAYMENTS)

        assert "has left the hold table" in here.reversal_holds(PAYMENTS)[entry]
        assert here.kinds(PAYMENTS) == {entry: "taken_back"} and len(here.vouchers()) == 1
