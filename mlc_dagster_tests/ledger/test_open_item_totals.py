"""Totals are those of the causes, for any filter, in currencies of two, three and no decimals."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest

from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger import Held, Ledger, Run
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.ledger.records.open_item_entries import Totals, Wanted
from mlc_dagster.ledger.records.open_items import summed

FLOWS = ("cin7/purchases", "hubspot/invoices")
CURRENCIES = {"SEK": 2, "KWD": 3, "JPY": 0}
RUN = Run("r1", "2026-11-05")


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    dice = random.Random(20261130)
    for number in range(120):
        flow, currency = dice.choice(FLOWS), dice.choice(sorted(CURRENCIES))
        amount = f"{Decimal(dice.randint(-(10**9), 10**9)).scaleb(-CURRENCIES[currency]):f}"
        if number % 10 == 0:
            amount = f"{amount[:12]}.{number:09d}" if "." not in amount else f"{amount}0000{number}"  # no whole number
        if number % 3:
            row = {"company": dice.choice(("10", "20")), "total_amount": amount, "currency_code": currency}
            problem = Problem("gl_accounts_exist", "unknown", dice.choice(("4O10", "4999")))
            ledger.hold(flow, [Held(f"P{number}", "v1", (problem,), row, "2026-11-05")], run=RUN, owner="ap")
        else:
            ledger.differences.see(flow, [Found(f"D{number}", "extra_in_the_target", "", None, "x", amount, currency)])
    return ledger


def test_totals_are_the_sums_of_causes_and_of_items_whatever_is_asked(filled: Ledger) -> None:
    asked = filled.open_items
    causes = [one.cause for one in asked.causes()]
    wanted = [Wanted(), Wanted(differs=True), Wanted(company="10"), Wanted(text="p1"), Wanted(text="4o10")]
    wanted += [Wanted(currency="KWD"), Wanted(connection="cin7"), Wanted(owner="ap"), Wanted(cause=causes[0])]
    for one in wanted:
        found, stocks = asked.totals(one), asked.causes(one)
        assert found.items == sum(stock.items for stock in stocks) > 0, one
        assert found.amounts == summed(stocks) == Totals.of(asked.items(one, limit=1000)).amounts, one


def test_a_cause_is_found_by_its_mark_with_what_of_it_is_wanted(filled: Ledger) -> None:
    for stock in filled.open_items.causes():
        assert filled.open_items.cause(stock.cause.mark) == stock
    assert filled.open_items.cause("no such mark") is None
    mark = filled.open_items.causes()[0].cause.mark
    assert filled.open_items.cause(mark, Wanted(currency="XXX")) is None


def test_a_server_keeps_few_pages_for_each_of_its_connections(sqlite_ledger: Ledger) -> None:
    def pages() -> int:
        with sqlite_ledger._database.reading() as connection:
            return int(connection.exec_driver_sql("PRAGMA cache_size").scalar_one())

    assert pages() == -65_536
    sqlite_ledger.keeping.spare_memory()
    assert pages() == -4_096 and sqlite_ledger.open_items.causes() == []
