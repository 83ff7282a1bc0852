"""A line that is an expense over time is no expense of one day, unless mlc.yaml says so."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.airbase.spend.records import PAYMENTS, Payment
from mlc_dagster.systems.airbase.spend.vouchers import BILLS_FLOW
from mlc_dagster_tests.systems.airbase.samples import client_on
from mlc_dagster_tests.systems.airbase.spend.samples import DAY, payment, spend_line
from mlc_dagster_tests.systems.airbase.spend.test_entry_types import entered, facts_of
from mlc_dagster_tests.systems.airbase.spend.test_spend import read
from mlc_dagster_tests.systems.airbase.spend.test_vouchers import sides

FIRST, LAST = date(2026, 11, 1), date(2027, 10, 31)
OVER_A_YEAR: dict[str, Any] = {"amortization_start": FIRST, "amortization_end": LAST}


def bill(*lines: Any, **changes: Any) -> Payment:
    return payment(*lines, **{"type": "bill", "bank_account": None, "entry_date": DAY, **changes})


def held(source: Payment, how: str) -> str:
    return entered(source, facts_of(amortization=how), BILLS_FLOW)[1].get("amortization_is_decided", "")


BY_LINE = bill(
    spend_line(account="4010", **OVER_A_YEAR), spend_line("5.00", account="5800"), amortization_account="2890"
)
BY_ENTRY = bill(
    spend_line(account="4010"), spend_line("5.00", account="5800"), amortization_account="2890", **OVER_A_YEAR
)


@pytest.mark.parametrize("source, lines", [(BY_LINE, (1,)), (BY_ENTRY, (1, 2))])
def test_an_amortized_line_is_held_until_mlc_yaml_decides(source: Payment, lines: tuple[int, ...]) -> None:
    reason = held(source, "hold")
    assert [number for number in (1, 2) if f"line {number}," in reason] == list(lines)
    assert "2026-11-01 to 2027-10-31" in reason and held(source, "expense") == held(source, "prepaid") == ""


def test_a_prepaid_line_debits_the_amortization_account_and_says_what_it_becomes() -> None:
    voucher, broken = entered(BY_LINE, facts_of(amortization="prepaid"), BILLS_FLOW)
    assert sides(voucher) == [("2890", "100.00", None), ("5800", "5.00", None), ("2440", None, "105.00")]
    assert voucher.lines[0].text == "Licences (4010, 2026-11-01 to 2027-10-31)" and broken == {}
    whole, _ = entered(BY_ENTRY, facts_of(amortization="prepaid"), BILLS_FLOW)
    assert [line.account for line in whole.lines] == ["2890", "2890", "2440"]


def test_expensed_at_once_it_stands_on_its_own_account() -> None:
    voucher, broken = entered(BY_LINE, facts_of(amortization="expense"), BILLS_FLOW)
    assert [line.account for line in voucher.lines] == ["4010", "5800", "2440"] and broken == {}


def test_a_prepaid_line_without_an_amortization_account_is_held() -> None:
    assert "no amortization account" in held(bill(spend_line(account="4010", **OVER_A_YEAR)), "prepaid")


def test_an_amortization_account_alone_says_that_it_is_amortized() -> None:
    assert "from ? to ?" in held(bill(spend_line(account="4010"), amortization_account="2890"), "hold")


def test_a_payment_of_another_entry_is_not_held_for_the_days_of_its_lines() -> None:
    source = payment(spend_line(account="4010", **OVER_A_YEAR))
    assert entered(source, facts_of(bills_elsewhere=True))[1] == {}


def test_the_days_are_read_from_the_entry_and_from_its_lines(box: Sandbox) -> None:
    days = {"amortization_start_date": "2026-11-01", "amortization_end_date": "2027-10-31"}
    box.airbase.add_entry(amortization_account="2890", expense_list=[days, {}], amortization_end_date="2026-12-31")
    (((entry, _, _),), _) = read(client_on(box), PAYMENTS)
    assert (entry.amortization_account, entry.amortization_start) == ("2890", None)
    assert entry.amortization_end == date(2026, 12, 31)
    assert [(line.amortization_start, line.amortization_end) for line in entry.lines] == [(FIRST, LAST), (None, None)]
