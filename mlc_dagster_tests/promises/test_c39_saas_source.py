"""C39, where a SaaS is the source: what it says of a document after the ERP has it is told, once, until both agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox.procurify.lines import Line
from mlc_dagster_tests.promises.saas_life import (
    BILLS,
    INVOICES,
    PAYMENTS,
    PROPOSALS,
    REQUESTS,
    TOLD,
    VENDORS,
    Office,
    office,
    vendor,
)

pytestmark = pytest.mark.promise(
    "C39", "What a SaaS takes back after its posting is a difference, once, until both sides agree or a person decides."
)


@pytest.mark.parametrize("acknowledged", [False, True])
@pytest.mark.parametrize("heeds", [True, False])
def test_a_payment_that_is_voided_after_its_voucher_is_told_once(
    ledger: Ledger, tmp_path: Path, acknowledged: bool, heeds: bool
) -> None:
    with office(ledger, tmp_path) as here:
        here.box.airbase.heeds_filters = heeds
        entry = here.pay()
        here.go(PAYMENTS, *([TOLD] if acknowledged else []))
        here.void(entry)

        here.look(PAYMENTS)
        again = here.look(PAYMENTS)
        here.go(PAYMENTS)

        (told,) = here.differences(PAYMENTS)
        number = f"0010/M/2026/{here.vouchers()[0]['VoucherNo']}"
        assert (told.key, told.kind, told.ours, told.theirs) == (entry, "taken_back", number, "voided")
        assert (told.amount, told.currency) == ("1250", "SEK")
        assert again.new == 0 and len(here.vouchers()) == 1, "told once, and nothing entered a second time"


def test_the_ordinary_read_tells_it_where_the_list_shows_it(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        here.box.airbase.heeds_filters = False
        entry = here.pay()
        here.go(PAYMENTS, TOLD)
        here.void(entry)
        here.go(PAYMENTS)
        assert here.kinds(PAYMENTS) == {entry: "taken_back"}


def test_it_is_over_when_the_source_has_it_again(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        entry = here.pay()
        here.go(PAYMENTS)
        here.void(entry)
        here.look(PAYMENTS)
        here.void(entry, "sync_ready")

        here.go(PAYMENTS)

        assert here.differences(PAYMENTS) == []
        (closed,) = sqlite_ledger.differences.history(PAYMENTS, entry)
        assert closed.closed_by == "both sides agree"


def test_rows_that_were_stored_before_the_last_look_close_nothing(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    """Yesterday's rows, prepared again, say that it stands: they do not know any better."""
    with office(sqlite_ledger, tmp_path) as here:
        entry = here.pay()
        journey = here.journey(PAYMENTS)
        journey.make()
        here.void(entry)
        here.look(PAYMENTS)

        for day in ("2026-11-29", "2026-11-30"):
            if sqlite_ledger.last_pull("airbase/payment_list", day):
                journey.prepare(day, journey.facts())
                journey.load(day)

        assert here.kinds(PAYMENTS) == {entry: "taken_back"}


@pytest.mark.parametrize("acknowledged", [False, True])
def test_an_amount_that_is_amended_after_its_voucher_is_told(
    ledger: Ledger, tmp_path: Path, acknowledged: bool
) -> None:
    with office(ledger, tmp_path) as here:
        entry = here.pay()
        here.go(PAYMENTS, *([TOLD] if acknowledged else []))
        here.box.airbase.change("ledger_entries", entry, total_amount="1300.00")

        here.look(PAYMENTS) if acknowledged else here.go(PAYMENTS)

        (told,) = here.differences(PAYMENTS)
        assert (told.kind, told.theirs) == ("changed_after_posting", "1300 SEK") and len(here.vouchers()) == 1
        here.box.airbase.change("ledger_entries", entry, total_amount="1250.00")
        here.look(PAYMENTS) if acknowledged else here.go(PAYMENTS)
        assert here.differences(PAYMENTS) == [], "it is what was entered again"


@pytest.mark.parametrize("status", ["rejected", "Cancelled"])
def test_a_request_that_is_rejected_after_its_voucher_is_told(ledger: Ledger, tmp_path: Path, status: str) -> None:
    with office(ledger, tmp_path) as here:
        request = here.box.airbase.add_request(total_amount="300.00")
        here.go(REQUESTS)
        here.box.airbase.change("purchase_requests", request, status=status)
        here.look(REQUESTS)
        (told,) = here.differences(REQUESTS)
        assert (told.kind, told.theirs, told.amount) == ("taken_back", status, "300")


def test_a_status_that_nobody_named_is_told_and_stands_once_it_is_named(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        request = here.box.airbase.add_request(total_amount="300.00")
        here.go(REQUESTS)
        here.box.airbase.change("purchase_requests", request, status="in_review")
        here.look(REQUESTS)
        (told,) = here.differences(REQUESTS)
        assert (told.kind, told.theirs) == ("changed_after_posting", "status in_review")

        here.content["airbase"]["standing_statuses"] = ["in_review"]
        here.look(REQUESTS)

        assert here.differences(REQUESTS) == []


def test_a_bill_that_airbase_has_no_more_is_told_and_what_was_never_entered_is_not(
    ledger: Ledger, tmp_path: Path
) -> None:
    with office(ledger, tmp_path) as here:
        bill, _ = here.pay("700.00", type="bill"), here.pay("800.00", type="bill")
        here.go(BILLS)
        other = here.pay("10.00", type="bill", status="voided")
        here.forget("airbase", "ledger_entries", bill)
        here.box.airbase.heeds_filters = False

        here.go(BILLS)
        here.look(BILLS)

        (told,) = here.differences(BILLS)
        assert (told.key, told.kind) == (bill, "gone_in_the_source") and told.ours
        assert other not in here.holds(BILLS) and len(here.vouchers()) == 2


def test_what_was_voided_in_time_says_something_else_than_what_is_entered(
    sqlite_ledger: Ledger, tmp_path: Path
) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        here.box.airbase.heeds_filters = False
        entered, other = here.pay(), here.pay("5.00", status="voided")
        here.go(PAYMENTS)
        here.void(entered)
        journey, words = here.journey(PAYMENTS), []
        for day in ("2026-11-29", "2026-11-30"):
            journey.read(day)
            words += journey.prepare(day, journey.facts()).out_of_scope.elements()
        assert sorted(words) == ["voided, after it was entered", "voided, before it was entered"]
        assert here.kinds(PAYMENTS) == {entered: "taken_back"} and other


@pytest.mark.parametrize(("status", "word"), [(3, "denied"), (5, "withdrawn"), (0, "draft")])
def test_a_bill_of_procurify_that_is_denied_after_its_invoice_is_told(
    ledger: Ledger, tmp_path: Path, status: int, word: str
) -> None:
    with office(ledger, tmp_path) as here:
        vendor(here.box)
        bill = here.bill()
        here.go(VENDORS, INVOICES)
        here.box.procurify.touch_bill(bill, status=status)

        here.go(INVOICES)
        here.go(INVOICES)

        (told,) = here.differences(INVOICES)
        assert (told.kind, told.theirs, told.ours) == ("taken_back", word, "0010/1001")
        assert len(here.box.ifs.rows("SupplierInvoiceSet")) == 1


GONE: dict[str, tuple[str, str, Callable[[Office], str]]] = {
    INVOICES: ("procurify", "bills", lambda here: here.bill()),
    PROPOSALS: (
        "procurify",
        "purchase_orders",
        lambda here: str(here.box.procurify.put_purchase_order(81, [Line("100.00", "4010", "Operations")])),
    ),
}


@pytest.mark.parametrize("flow", [*GONE])
def test_a_document_that_procurify_has_no_more_is_told(sqlite_ledger: Ledger, tmp_path: Path, flow: str) -> None:
    system, shelf, make = GONE[flow]
    with office(sqlite_ledger, tmp_path) as here:
        vendor(here.box)
        key = make(here)
        here.go(VENDORS, flow)
        here.forget(system, shelf, key)
        here.look(flow)
        (told,) = here.differences(flow)
        assert told.kind == "gone_in_the_source" and told.ours


def test_a_vendor_that_is_gone_is_told_and_one_that_rests_is_not(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    """Procurify lists active vendors alone: one that is missing there is asked for by its key."""
    with office(sqlite_ledger, tmp_path) as here:
        vendor(here.box)
        here.box.procurify.put_vendor(id=82, name="Vendor 2", country="Sweden", currency="SEK")
        here.go(VENDORS)
        here.box.procurify.touch_vendor(82, active=False)
        here.forget("procurify", "vendors", "81")
        here.look(VENDORS)
        assert here.kinds(VENDORS) == {"81": "gone_in_the_source"}


def test_an_order_that_is_cancelled_ends_its_proposal_by_itself(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        vendor(here.box)
        order = here.box.procurify.put_purchase_order(81, [Line("100.00", "4010", "Operations")])
        here.go(VENDORS, PROPOSALS)
        here.box.procurify.touch_purchase_order(order, state=1)
        here.go(PROPOSALS)
        here.look(PROPOSALS)
        (proposal,) = here.box.ifs.rows("PostingProposalHeadSet")
        assert proposal["ObjState"] == "Cancelled" and here.differences(PROPOSALS) == []


def test_a_mass_of_them_is_one_error_and_writes_none(
    sqlite_ledger: Ledger, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        entries = [here.pay(f"{n}.00") for n in range(1, 31)]
        here.go(PAYMENTS)
        for entry in entries[:21]:
            here.void(entry)

        found = here.look(PAYMENTS)

        assert "21 taken back, of 30 that were looked at" in found.too_many and "gone_at_once" in found.too_many
        assert here.differences(PAYMENTS) == []
        assert [record.levelname for record in caplog.records if "21 taken back" in record.message] == ["ERROR"]
        assert not here.look(PAYMENTS, most=21).too_many and len(here.differences(PAYMENTS)) == 21


def test_many_that_were_acknowledged_are_read_by_their_list_and_the_rest_by_key(
    sqlite_ledger: Ledger, tmp_path: Path
) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        entries = [here.pay(f"{n}.00") for n in range(1, 41)]
        here.go(PAYMENTS, TOLD)
        here.void(entries[0])
        here.box.forget_calls()
        here.look(PAYMENTS)
        asked = {path: times for (_, path), times in here.box.calls("airbase").items() if "ledger_entries" in path}
        single = [path for path in asked if not path.endswith("ledger_entries/")]
        assert here.kinds(PAYMENTS) == {entries[0]: "taken_back"} and len(single) == 1 and sum(asked.values()) <= 4
