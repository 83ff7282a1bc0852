"""A voucher that was typed in by hand: held where it names the same document, told where it has the amount alone."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.outcomes import Saved
from mlc_dagster.rules import may_be_there_already
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.ifs.entry_records import ENTRIES, JournalEntry
from mlc_dagster_tests.systems.ifs.conftest import TEN, client_of
from mlc_dagster_tests.systems.ifs.writing.samples import draft, entry, put_books, save

ON = date(2026, 11, 5)


@pytest.fixture
def box(box: Sandbox) -> Sandbox:
    put_books(box)
    return box


def type_in(box: Sandbox, number: int = 7, amount: str = "10.05", days: int = 2, **changes: Any) -> None:
    rows = [{"RowNo": 1, "Account": "4010", "DebitAmount": Decimal(amount)},
            {"RowNo": 2, "Account": "1930", "CreditAmount": Decimal(amount)}]  # fmt: skip
    on = ON + timedelta(days=days)
    head = {"Company": "0010", "VoucherType": "K", "AccountingYear": on.year, "VoucherNo": number,
            "VoucherDate": on.isoformat(), "Text": "paid by hand, inv-77", "VoucherRows": rows}  # fmt: skip
    box.ifs.put("VoucherSet", {**head, **changes}, TEN)


def ours(**changes: Any) -> JournalEntry:
    return entry(text="Airbase payment INV-77", **changes)


def held(box: Sandbox, record: JournalEntry) -> str:
    client = client_of(box)
    books = client.known(ENTRIES, [record])
    client.close()
    found = may_be_there_already(None, record, Facts(books=books))
    return found.reason if found else ""


def test_the_same_reference_and_amount_within_five_days_is_held_with_its_number(box: Sandbox) -> None:
    type_in(box)
    reason = held(box, ours())
    assert "0010/K/2026/7 of 2026-11-07 over 10.05, which names inv-77" in reason
    assert "discard this hold; if not, release it" in reason


@pytest.mark.parametrize(
    "changes",
    [
        {"days": 6},
        {"days": -6},
        {"amount": "10.06"},
        {"Text": "paid by hand"},
        {"Text": "paid by hand, inv-778"},
        {"ObjState": "Cancelled"},
        {"ExternalRef": "airbase-payment-other"},
    ],
    ids=["later", "earlier", "another amount", "no reference", "another reference", "cancelled", "one of ours"],
)
def test_less_than_that_holds_nothing(box: Sandbox, changes: dict[str, Any]) -> None:
    type_in(box, **changes)
    assert held(box, ours()) == ""


def test_a_reference_on_the_row_or_of_another_integration_counts_as_well(box: Sandbox) -> None:
    type_in(box, Text=None, ExternalRef="INV-77")
    assert held(box, ours())
    rows = [{"RowNo": 1, "Account": "4010", "DebitAmount": Decimal("10.05"), "Text": "Bolts INV-77"}]
    type_in(box, Text=None, VoucherRows=rows)
    assert held(box, ours())


def test_the_turn_of_the_year_is_crossed(box: Sandbox) -> None:
    type_in(box, days=59)
    assert "2027" in held(box, ours(voucher_date=date(2026, 12, 31)))


def test_a_date_that_cannot_be_meant_stops_nothing(box: Sandbox) -> None:
    type_in(box)
    assert [held(box, ours(voucher_date=on)) for on in (date.max, date.min, None)] == ["", "", ""]


def test_what_is_entered_already_is_not_asked_about(box: Sandbox) -> None:
    save(box, ENTRIES, draft(ours()))
    type_in(box)
    assert held(box, ours()) == ""


def test_the_amount_alone_is_told_and_entered(box: Sandbox) -> None:
    type_in(box, Text="something else")
    (saved,) = save(box, ENTRIES, draft(ours()))
    assert isinstance(saved, Saved) and saved.action == "created"
    assert saved.detail.endswith("(of the same amount: 0010/K/2026/7 of 2026-11-07)")
    (other,) = save(box, ENTRIES, draft(entry("airbase-request-2", "99.00")))
    assert isinstance(other, Saved) and "same amount" not in other.detail


def test_many_entries_are_asked_about_in_few_requests(box: Sandbox) -> None:
    for number in range(60):
        type_in(box, number + 1, f"{number + 1}.00")
    many = [ours(ref=f"airbase-request-{n}", amount=f"{n + 1}.00") for n in range(90)]
    client = client_of(box)
    box.forget_calls()
    assert len(client.known(ENTRIES, many).alike) == 60
    client.close()
    assert sum(count for (method, path), count in box.calls("ifs").items() if "Set" in path) <= 8
