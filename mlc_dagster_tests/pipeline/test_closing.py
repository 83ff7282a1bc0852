"""The figures of a month end: a voucher doubled by hand is named, and sums are equal wherever they are told."""

from __future__ import annotations

import csv
import io
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger import Held, Ledger, Run
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.ledger.records.open_item_entries import Wanted
from mlc_dagster.ledger.records.open_items import summed
from mlc_dagster.pipeline.closing import filed, signing
from mlc_dagster.pipeline.closing.account_split import by_account, moved_to, of_postings
from mlc_dagster.pipeline.closing.figures import CompanyFigures
from mlc_dagster.pipeline.closing.gathering import Gathering
from mlc_dagster.pipeline.closing.month import Month
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration
from mlc_dagster_tests.promises.journey import Journey, content_at, flow_of
from mlc_dagster_tests.promises.ledgered_room import Room, room_on

PAYMENTS, PURCHASES = "ifs/vouchers_from_airbase_payments", "cin7/purchases"
RUN = Run("r1", "2026-11-05")


@pytest.fixture
def room(ledger_url: str, tmp_path: Path) -> Iterator[Room]:
    with room_on(ledger_url, tmp_path) as made:
        yield made


def figures(room: Room, flow: str, month: str, company: str = "0010") -> tuple[Gathering, CompanyFigures]:
    named = flow_of(flow)
    client = Journey(named, room.settings, room.ledger, room.store, "close").client(named.target.system)
    gathering = Gathering(Month.of(month), room.settings, room.ledger, {named.target.system: client})
    (found,) = gathering.of([named], company)
    return gathering, found


def test_a_voucher_that_somebody_entered_a_second_time_is_named_and_counted_on_their_side_alone(room: Room) -> None:
    for number in (1, 2):
        room.box.airbase.add_entry(airbase_id=f"pay-{number}", total_amount="12.50", invoice_number=f"I-{number}")
    room.go(PAYMENTS)
    month = next(iter(room.ledger.close_rows.delivered(PAYMENTS))).content["voucher_date"][:7]
    room.look(PAYMENTS)
    _, before = figures(room, PAYMENTS, month)
    (flow,) = before.flows
    assert flow.delivered.number == 2 and not before.differences
    assert sum(each.ours for each in flow.sums.values()) == sum(each.theirs for each in flow.sums.values())
    assert all(account for account, _ in flow.sums), "each debit stands on its account"

    one = room.box.ifs.rows("VoucherSet")[0]
    lines = {name: [{**row, "VoucherNo": 7777} for row in each] for name, each in one.items() if isinstance(each, list)}
    room.box.ifs.put("VoucherSet", {**one, **lines, "VoucherNo": 7777})
    room.look(PAYMENTS)
    _, after = figures(room, PAYMENTS, month)
    (flow,) = after.flows
    (named,) = after.differences
    assert (named.kind, named.key) == ("extra_in_the_target", "pay-1") and "7777" in named.field + named.theirs
    assert sum(each.theirs - each.ours for each in flow.sums.values()) == Decimal("12.50") == Decimal(named.amount)
    assert after.fingerprint != before.fingerprint


# --- sums -------------------------------------------------------------------------------------------------------------

DECIMALS = {"SEK": 2, "EUR": 2, "JPY": 0, "KWD": 3}


def test_sums_of_causes_items_close_and_tables_are_equal_by_currency(ledger: Ledger) -> None:
    """Twenty seeds, each on top of those before it."""
    settings = configuration.parse(content_at("http://127.0.0.1:9"), "mlc.yaml")
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for seed in range(20):
        dice = random.Random(seed)
        for number in range(dice.randint(1, 12)):
            currency = dice.choice(sorted(DECIMALS))
            amount = Decimal(dice.randint(-(10**12), 10**12)).scaleb(-DECIMALS[currency])
            _open(ledger, f"K{seed}-{number}", amount, currency, dice)
            expected[currency] += amount
        _equal_everywhere(ledger, settings, expected)


def _equal_everywhere(ledger: Ledger, settings: Settings, expected: dict[str, Decimal]) -> None:
    asked = ledger.open_items
    assert summed(asked.causes()) == expected
    assert _by_currency((each.currency, each.amount) for each in asked.items(Wanted(), limit=1000)) == expected
    gathering = Gathering(Month.of("2026-11"), settings, ledger, {})
    found = gathering.of([flow_of(PURCHASES)])
    both = [
        each
        for company in found
        for flow in company.flows
        for counted in (flow.held, flow.differing)
        for each in counted.amounts.items()
    ]
    assert _by_currency((currency, str(amount)) for currency, amount in both) == expected
    told: list[tuple[str, str]] = []
    for company in found:
        closed = signing.keep(gathering, company, RUN)
        rows = csv.DictReader(io.StringIO(filed.tables(closed)["figures"]))
        mine = [(row["currency"], row["amount"]) for row in rows if row["what"] in ("held", "differing")]
        page = filed.page(closed)
        assert all(f"{Decimal(amount):,f} {currency}" in page for currency, amount in mine if amount)
        told += [each for each in mine if each[1]]
    assert _by_currency(told) == expected


def _open(ledger: Ledger, key: str, amount: Decimal, currency: str, dice: random.Random) -> None:
    if dice.random() < 0.5:
        problem = Problem("gl_accounts_exist", "no such account", dice.choice(("4O10", "4999")))
        row = {"company": "0010", "total_amount": f"{amount:f}", "currency_code": currency, "order_date": "2026-11-04"}
        ledger.hold(PURCHASES, [Held(key, "v1", (problem,), row, "2026-11-05")], run=RUN)
    else:
        found = Found(key, "extra_in_the_target", "total", None, "x", f"{amount:f}", currency)
        ledger.differences.see(PURCHASES, [found])


def _by_currency(rows: object) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in rows:  # type: ignore[attr-defined]
        found[currency] += Decimal(amount)
    return found


# --- accounts ---------------------------------------------------------------------------------------------------------


def test_a_document_is_split_by_the_accounts_of_its_rows_and_what_is_on_none_is_the_rest() -> None:
    rows = {
        "AdditionalCharges[1].Account": "4010",
        "AdditionalCharges[1].Price": Decimal("33.335"),
        "AdditionalCharges[1].Quantity": Decimal(3),
        "AdditionalCharges[1].Discount": Decimal(10),
        "Lines[a.b].Account": "5010",
        "Lines[a.b].Price": Decimal(7),
        "Lines[a.b].Quantity": Decimal(1),
    }
    assert by_account(rows, Decimal("100.00"), 2) == {
        "4010": Decimal("90.00"), "5010": Decimal("7.00"), "": Decimal("3.00")
    }  # fmt: skip


def test_a_journal_entry_is_split_by_its_debits_and_what_came_since_is_on_no_account_we_know() -> None:
    lines = [{"account": "6010", "debit_amount": "10.00"}, {"account": "2440", "credit_amount": "10.00"}]
    parts = of_postings({"lines": lines}, Decimal("10.00"))
    assert parts == {"6010": Decimal("10.00")}
    assert moved_to(parts, Decimal("10.01")) == {"6010": Decimal("10.00"), "": Decimal("0.01")}


def test_a_month_ends_with_its_last_day() -> None:
    assert Month.of("2028-02").last == date(2028, 2, 29)
    assert Month.of("2026-12").ends_at.isoformat() == "2027-01-01T00:00:00+00:00"
