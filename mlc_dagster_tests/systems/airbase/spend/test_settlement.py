"""What left the bank beside what a payment was entered at: the difference has its account, or the payment waits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.facts import Facts
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.airbase.spend.records import PAYMENTS, Payment
from mlc_dagster_tests.systems.airbase.samples import client_on
from mlc_dagster_tests.systems.airbase.spend.samples import payment, spend_facts, spend_line
from mlc_dagster_tests.systems.airbase.spend.test_spend import read
from mlc_dagster_tests.systems.airbase.spend.test_vouchers import broken, entered, sides


def euros(settled: str | None, currency: str = "SEK", total: str = "10.00", home: str = "113.20") -> Payment:
    return payment(
        spend_line(total, account="4010"),
        currency="EUR",
        subsidiary_amount=Decimal(home),
        subsidiary_currency="SEK",
        settlement_amount=None if settled is None else Decimal(settled),
        settlement_currency=None if settled is None else currency,
    )


def facts() -> Facts:
    return spend_facts(exchange_difference_account="2890")


@pytest.mark.parametrize(
    "source, expected",
    [
        (euros("114.00"), [("2440", "113.20", None), ("2890", "0.80", None), ("1930", None, "114.00")]),
        (euros("113.00"), [("2440", "113.20", None), ("2890", None, "0.20"), ("1930", None, "113.00")]),
        (
            euros("-114.00", total="-10.00", home="-113.20"),
            [("2440", None, "113.20"), ("2890", None, "0.80"), ("1930", "114.00", None)],
        ),
        (euros("113.20"), [("2440", "113.20", None), ("1930", None, "113.20")]),
        (euros("10.00", "EUR"), [("2440", "113.20", None), ("1930", None, "113.20")]),
        (euros(None), [("2440", "113.20", None), ("1930", None, "113.20")]),
    ],
)
def test_the_bank_is_credited_with_what_was_settled_and_the_difference_has_its_account(
    source: Payment, expected: Any
) -> None:
    voucher = entered(source, facts())
    assert sides(voucher) == expected and broken(source, facts()) == {}
    for currency in ("EUR", "SEK"):
        own = [line.currency_amount or Decimal(0) for line in voucher.lines if line.currency_code == currency]
        rest = [line for line in voucher.lines if line.text == "Exchange difference"]
        assert sum(own) == (rest[0].currency_amount if rest and currency == "SEK" else 0)


@pytest.mark.parametrize(
    "source, words",
    [
        (euros("11.00", "USD"), "11.00 USD"),
        (euros("9.00", "EUR"), "9.00 EUR"),
        (euros("-114.00"), "other signs"),
        (euros("0.00"), "other signs"),
        (payment(settlement_amount=Decimal("99.00"), settlement_currency="SEK"), "99.00 SEK"),
        (payment(settlement_amount=Decimal("100.00")), "no currency"),
    ],
)
def test_a_settlement_that_is_no_exchange_difference_holds_the_payment(source: Payment, words: str) -> None:
    assert words in broken(source, facts())["settlement_is_entered"]


def test_an_exchange_difference_without_an_account_holds_the_payment() -> None:
    found = broken(euros("114.00"))
    assert "0.80" in found["settlement_is_entered"] and "exchange_difference_account" in found["settlement_is_entered"]
    assert "settlement_is_entered" not in broken(euros("113.20"))


def test_the_settlement_is_read_from_airbase(box: Sandbox) -> None:
    known = box.airbase.add_entry(currency="EUR", total_amount="10.00", subsidiary_amount="113.20")
    amounts = box.airbase.ledger_entries[known]["amounts"]
    swedish = {"iso_code": "SEK", "erp_reference_id": "SEK"}
    box.airbase.change(
        "ledger_entries", known, amounts={**amounts, "settlement_amount": {"amount": "114.00", "currency": swedish}}
    )
    (((entry, _, _),), _) = read(client_on(box), PAYMENTS)
    assert (entry.settlement_amount, entry.settlement_currency) == (Decimal("114"), "SEK")
