"""Purchase orders over real HTTP against the sandbox: every line, to the cent, and never doubled."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from mlc_dagster import rules
from mlc_dagster.core.facts import Books, CompanyMapping
from mlc_dagster.core.outcomes import Refused, Saved, Unanswered
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.airbase.mapping import order_from_order
from mlc_dagster.systems.airbase.records import PURCHASE_ORDERS
from mlc_dagster.systems.airbase.rules import subsidiary_exists
from mlc_dagster_tests.systems.airbase.samples import client_on, facts, order, order_draft, order_line, save


@pytest.fixture
def vendor(box: Sandbox) -> str:
    return box.airbase.add_vendor(name="Nordic Bolts", erp_reference_id="S100")


def test_an_order_has_its_vendor_its_lines_and_its_total(box: Sandbox, vendor: str) -> None:
    outcome = save(client_on(box), PURCHASE_ORDERS, order_draft(vendor))["P1"]
    assert isinstance(outcome, Saved) and (outcome.action, outcome.detail) == ("created", "P1")
    row = box.airbase.purchase_orders[outcome.remote_id]
    assert (row["vendor"]["erp_reference_id"], row["subsidiary"]["erp_reference_id"]) == ("S100", "0010")
    assert (row["currency"]["iso_code"], row["order_date"], row["total_amount"]) == ("SEK", "2026-11-05", "250.00")
    lines = [(line["quantity"], line["unit_price"], line["amount"]) for line in row["line_items"]]
    assert lines == [("100", "1.25", "125.00"), ("1", "125.00", "125.00")], "amounts are texts, exactly"
    assert [line["account"]["erp_reference_id"] for line in row["line_items"]] == ["4010", "4200"]


def test_an_unchanged_order_is_adopted_whatever_state_it_has_in_airbase(box: Sandbox, vendor: str) -> None:
    first = save(client_on(box), PURCHASE_ORDERS, order_draft(vendor))["P1"]
    assert isinstance(first, Saved)
    box.airbase._shelves.rows["purchase_orders"][first.remote_id]["status"] = "received"
    box.forget_calls()
    again = save(client_on(box), PURCHASE_ORDERS, order_draft(vendor, remote_id=first.remote_id))["P1"]
    assert isinstance(again, Saved) and again.action == "adopted" and box.journal("airbase") == []


def test_a_changed_order_replaces_its_lines(box: Sandbox, vendor: str) -> None:
    first = save(client_on(box), PURCHASE_ORDERS, order_draft(vendor))["P1"]
    assert isinstance(first, Saved)
    changed = order_draft(vendor, remote_id=first.remote_id, lines=(order_line("9"),))
    again = save(client_on(box), PURCHASE_ORDERS, changed)["P1"]
    assert isinstance(again, Saved) and (again.action, again.remote_id) == ("updated", first.remote_id)
    row = box.airbase.purchase_orders[first.remote_id]
    assert [line["erp_reference_id"] for line in row["line_items"]] == ["P1/9/1"] and row["total_amount"] == "125.00"


def test_an_order_whose_answer_is_lost_is_never_doubled(box: Sandbox, vendor: str) -> None:
    client = client_on(box)
    box.faults.add(system="airbase", method="POST", path="purchase_orders/bulk", drop="after")
    drafts = [order_draft(vendor, number) for number in ("P1", "P2", "P3")]
    assert {type(outcome) for outcome in save(client, PURCHASE_ORDERS, *drafts).values()} == {Unanswered}
    again = save(client, PURCHASE_ORDERS, *drafts)
    assert {outcome.action for outcome in again.values()} == {"adopted"}  # type: ignore[union-attr]
    assert len(box.airbase.purchase_orders) == 3


def test_an_account_that_airbase_refuses_holds_that_order_alone(box: Sandbox, vendor: str) -> None:
    bad = order_draft(vendor, "P2", lines=(order_line(account="9999"),))
    outcomes = save(client_on(box), PURCHASE_ORDERS, order_draft(vendor), bad)
    assert isinstance(outcomes["P1"], Saved)
    refused = outcomes["P2"]
    assert isinstance(refused, Refused) and "9999" in refused.reason


@pytest.mark.parametrize("bulk", [True, False], ids=["in bulk", "one by one"])
@pytest.mark.parametrize("name", ["notes", "order_date"])
def test_an_order_that_airbase_takes_and_does_not_keep_is_not_delivered(
    box: Sandbox, vendor: str, name: str, bulk: bool
) -> None:
    first = save(client_on(box), PURCHASE_ORDERS, order_draft(vendor))["P1"]
    assert isinstance(first, Saved)
    box.airbase.read_only_orders = (name,)
    client = client_on(box) if bulk else client_on(box, purchase_orders_bulk="")
    changed = order_draft(vendor, remote_id=first.remote_id, notes="Front door", order_date=date(2026, 11, 6))
    refused = save(client, PURCHASE_ORDERS, changed)["P1"]
    assert isinstance(refused, Refused)
    assert "Airbase took the" in refused.reason and f"did not keep it: {name} is" in refused.reason


def test_line_order_changes_nothing() -> None:
    lines = [order_line(number) for number in ("10", "9", "1")]
    one, other = order("P1", *lines), order("P1", *reversed(lines))
    assert order_from_order(one, facts()) == order_from_order(other, facts())
    assert [line.key for line in order_from_order(one, facts()).lines] == ["P1/1/1", "P1/9/1", "P1/10/1"]


@pytest.mark.parametrize(
    "currency, amount, price, quantity",
    [("SEK", "33.33", "3.333", "10"), ("JPY", "33", "3.333", "10"), ("KWD", "33.330", "3.333", "10")],
)
def test_amounts_add_up_in_the_decimals_of_their_currency(
    currency: str, amount: str, price: str, quantity: str
) -> None:
    line = order_line(buy_qty_due=Decimal(quantity), buy_unit_price=Decimal(price), line_amount=Decimal(amount))
    source = order("P1", line, currency_code=currency)
    target = order_from_order(source, facts())
    assert rules.amounts_add_up(source, target, facts()) is None
    assert target.total() == Decimal(amount)
    wrong = order("P1", line, currency_code=currency, total_amount=Decimal(amount) + 1)
    assert rules.amounts_add_up(wrong, order_from_order(wrong, facts()), facts()) is not None


def test_an_unknown_subsidiary_is_named_with_its_company() -> None:
    mapped = facts(companies={"0010": CompanyMapping("0010", "SEK", names={"subsidiary": "PLANT"})})
    problem = subsidiary_exists(order(), order_from_order(order(), mapped), mapped)
    assert problem is not None and "0010" in problem.reason and "'PLANT'" in problem.reason
    unknown = facts(books=Books())
    assert subsidiary_exists(order(), order_from_order(order(), unknown), unknown) is None


def test_an_account_is_judged_by_both_charts_and_by_one_where_airbase_has_none() -> None:
    source = order("P1", order_line(account="4010"))
    target = order_from_order(source, facts())
    without = facts(books=Books(accounts=frozenset({"4200"})))
    assert "target's" in rules.gl_accounts_exist(source, target, without).reason  # type: ignore[union-attr]
    assert rules.gl_accounts_exist(source, target, facts(books=Books(has_chart=False))) is None
