"""C18: an account missing, blocked, expired, a company without mapping: held, nothing called; then one delivery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from mlc_dagster.ledger.entries import Event
from mlc_dagster.sandbox.procurify.lines import Line
from mlc_dagster.settings.model import CompanySettings
from mlc_dagster_tests.orchestration.conftest import DAY, World
from mlc_dagster_tests.orchestration.test_airbase_inbound import PAYMENTS, vouchers
from mlc_dagster_tests.orchestration.test_airbase_inbound import spent as spent
from mlc_dagster_tests.orchestration.test_airbase_inbound import today as today_of
from mlc_dagster_tests.orchestration.test_healing import carry_out
from mlc_dagster_tests.orchestration.test_procurify import BILLS_FLOW, invoices, put_bill
from mlc_dagster_tests.orchestration.test_procurify import procurify as procurify
from mlc_dagster_tests.promises.days import tick

ODD, OTHER = "4711", "0099"
"""An account, and a company, with which something is wrong until it is put right."""


@dataclass(frozen=True)
class Way:
    """A flow that names an account and a company."""

    world: World
    job: str
    flow: str
    day: str
    put: Callable[[str, str], object]  # a source record on this account, in this company
    arrived: Callable[[], int]  # records of it in the target
    written: str  # part of the path by which it is written

    def asked(self) -> set[tuple[str, str]]:
        """Calls that would write it."""
        calls = self.world.box.calls("ifs" if self.flow.startswith("ifs/") else self.job)
        return {(verb, path) for verb, path in calls if verb != "GET" and self.written in path}


def _purchases(world: World) -> Way:
    world.box.cin7.add_account(ODD, "Services")
    return Way(
        world,
        "cin7",
        "cin7/purchases",
        DAY,
        lambda account, company: world.put_order("P1", account=account, Company=company),
        lambda: len(world.box.cin7.purchases),
        "purchase",
    )


def _payments(world: World) -> Way:
    world.box.airbase.add_subsidiary(OTHER, "Plant 99", "SEK")
    return Way(
        world,
        "airbase",
        PAYMENTS,
        today_of(),
        lambda account, company: world.box.airbase.add_entry(bank_account=account, subsidiary=company),
        lambda: len(vouchers(world)),
        "projection",
    )


def _bills(world: World) -> Way:
    books = world.box.procurify.books
    books.put_location("Malmo", OTHER, "SEK")
    books.put_department("Malmo works", "CC100", "Malmo")
    where = {"0010": "Operations", OTHER: "Malmo works"}
    return Way(
        world,
        "procurify",
        BILLS_FLOW,
        DAY,
        lambda account, company: put_bill(world, Line("500.00", account, where[company], tax="125.00")),
        lambda: len(invoices(world)),
        "projection",
    )


@pytest.fixture(params=["outbound", "payment", "bill"])
def way(request: pytest.FixtureRequest) -> Way:
    make, room = {"outbound": (_purchases, "world"), "payment": (_payments, "spent"), "bill": (_bills, "procurify")}[
        request.param
    ]
    found = make(request.getfixturevalue(room))
    found.world.chart()
    return found


def run(way: Way) -> str:
    result = way.world.run(way.job, way.day)
    assert result.success
    return str(result.run_id)


def held(way: Way, rule: str, *words: str) -> None:
    (hold,) = way.world.ledger.open_holds(way.flow)
    reasons = " ".join(problem.reason for problem in hold.problems)
    assert rule in hold.rules, hold.problems
    assert all(word in reasons for word in words), reasons
    assert way.asked() == set() and way.arrived() == 0, "the target was not called"
    assert not tick(way.world, sensor=f"{way.job}_heals").run_requests, "nothing heals before it is put right"


def healed(way: Way, first: str) -> None:
    """By the sensor, in one run; the trail links the run that held it with the one that delivered it."""
    (hold,) = way.world.ledger.open_holds(way.flow)
    (request,) = tick(way.world, sensor=f"{way.job}_heals").run_requests
    second = carry_out(way.world, request)
    assert second.success and way.arrived() == 1 and way.world.ledger.open_holds(way.flow) == []
    lines = {line.event: line for line in way.world.ledger.trail(way.flow, hold.key)}
    assert (lines[Event.HELD].run_id, lines[Event.CREATED].run_id) == (first, second.run_id)
    assert lines[Event.CLOSED].run_id == second.run_id
    assert run(way) and way.arrived() == 1 and not tick(way.world, sensor=f"{way.job}_heals").run_requests


WRONG: dict[str, tuple[dict[str, Any] | None, str]] = {
    "missing": (None, "is not in the ERP's chart"),
    "blocked": ({"Blocked": True}, "blocked"),
    "expired": ({"ValidUntil": "2026-01-31"}, "2026-01-31"),
    "not valid yet": ({"ValidFrom": "2099-01-01"}, "2099-01-01"),
}


@pytest.mark.promise("C18", "an account missing, blocked, expired, not valid yet: a purchase, a payment, a bill")
@pytest.mark.parametrize("wrong", WRONG)
def test_c18_what_is_on_a_bad_account_waits_and_is_delivered_once_when_it_is_good(way: Way, wrong: str) -> None:
    fields, words = WRONG[wrong]
    if fields is not None:
        way.world.put_account(ODD, **fields)
    way.world.chart()
    way.put(ODD, "0010")
    way.world.box.forget_calls()
    first = run(way)
    held(way, "gl_accounts_exist", ODD, words)
    way.world.put_account(ODD)
    way.world.chart()
    healed(way, first)


@pytest.mark.promise("C18", "an account that the target's own chart does not have: a purchase")
def test_c18_an_account_that_cin7_does_not_have_waits_until_it_is_added_there(world: World) -> None:
    way = _purchases(world)
    world.put_account(ODD)
    world.box.cin7.remove_account(ODD)
    world.chart()
    way.put(ODD, "0010")
    world.box.forget_calls()
    first = run(way)
    held(way, "gl_accounts_exist", ODD, "active chart of accounts")
    world.box.cin7.add_account(ODD, "Services")
    healed(way, first)


@pytest.mark.promise("C18", "a company without mapping: a purchase, a payment, a bill")
def test_c18_what_is_of_a_company_without_mapping_waits_until_mlc_yaml_has_it(way: Way) -> None:
    for account in ("4010", "1930", "2440"):
        way.world.put_account(account, OTHER)
    part = {"Company": OTHER, "CodePart": "B", "CodePartValue": "CC100", "ValidFrom": "2015-01-01"}
    way.world.box.ifs.put("CodePartValueSet", part)
    way.put("1930" if way.job == "airbase" else "4010", OTHER)
    way.world.box.forget_calls()
    first = run(way)
    rule, word = COMPANY_RULES[way.job]
    held(way, rule, word)
    companies = {**way.world.settings.companies, OTHER: CompanySettings(currency="SEK")}
    way.world.settings = way.world.settings.model_copy(update={"companies": companies})
    assert way.world.run("chart_of_accounts", OTHER).success
    healed(way, first)


COMPANY_RULES = {
    "cin7": ("company_is_mapped", OTHER),
    "airbase": ("subsidiary_is_a_company", OTHER),
    "procurify": ("all_is_of_one_company", "location Malmo stands for no company"),
}
