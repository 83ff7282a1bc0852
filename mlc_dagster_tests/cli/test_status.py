"""What `mlc status` says of due work, and `mlc retry`, by the command line alone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mlc_dagster.cli.shared.flow_status import amounts_in_a_line
from mlc_dagster.core.flows import Problem
from mlc_dagster.core.outcomes import Draft, Ready, Saved
from mlc_dagster.core.stakes import Stake
from mlc_dagster.core.vocabulary import Record
from mlc_dagster.ledger import Failure, Held, Run
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster_tests.cli.test_holds import PURCHASES, mlc, refusal, told
from mlc_dagster_tests.cli.test_holds import place as place
from mlc_dagster_tests.orchestration.conftest import DAY, World
from mlc_dagster_tests.orchestration.conftest import world as world

REFUSED = Failure("cin7:refused", "cin7", "GET /me: 401. Check the keys.", "run 1", patience=1)
AWAY = Failure("ifs:unreachable", "ifs", "no answer", "run 1")


class Invoiced(Record, frozen=True, kw_only=True):
    total_amount: Decimal


@pytest.fixture(autouse=True)
def made(world: World) -> None:
    """The ledger is there, with what is due, on hold and different."""
    with world.ledger as ledger:
        ledger.work.ask(PURCHASES, ["2026-11-03"], "changed in the ERP")
        ledger.work.fail([(PURCHASES, DAY), (PURCHASES, "2026-11-04")], REFUSED)
        ledger.work.fail([("read ifs/supplier_set", DAY), ("cin7/suppliers", DAY)], AWAY)
        for number, amount, currency in ((1, "10.50", "SEK"), (2, "0.10", "SEK"), (3, "7", "EUR")):
            row = {"total_amount": amount, "currency_code": currency}
            held = Held(f"P{number}", "1", (Problem("gl_accounts_exist", "no"),), row, DAY, f"c{number}")
            ledger.hold(PURCHASES, [held], run=Run("run 1", DAY))
        found = Found("P9", "edited_in_the_target", "total", "1", "2", amount="120.00", currency="SEK")
        ledger.differences.see(PURCHASES, [found])
        ledger.loads.ended(PURCHASES, "2026-11-02", "run 0")


def test_the_status_of_a_flow_tells_its_work_its_money_and_its_next_tick() -> None:
    found = told("status")
    flows = {each["flow"]: each for each in found["flows"]}
    mine = flows[PURCHASES]
    assert (mine["due"], mine["waiting"], mine["needs_person"], mine["causes"]) == (3, 0, 2, ["cin7:refused"])
    assert (mine["on_hold"], mine["held_amounts"]) == (3, {"EUR": "7", "SEK": "10.60"})
    assert (mine["differences"], mine["differing_amounts"]) == (1, {"SEK": "120.00"})
    assert mine["oldest_hold"] and mine["oldest_difference"] and mine["last_loaded"] == "2026-11-02"
    assert mine["next_tick"] and flows["cin7/suppliers"]["waiting_until"]
    assert found["reads"]["ifs/supplier_set"]["waiting"] == 1
    causes = {each["cause"]: each for each in found["causes"]}
    assert causes["cin7:refused"]["command"] == "mlc retry cin7:refused" and causes["cin7:refused"]["until"] is None
    assert causes["cin7:refused"]["partitions"] == [DAY, "2026-11-04"] and causes["ifs:unreachable"]["loads"] == 2


def test_the_table_says_what_to_do_once_for_a_cause_and_exits_with_0() -> None:
    shown = mlc("status")
    assert shown.exit_code == 0
    assert shown.output.count("mlc retry cin7:refused") == 1 and "2 loads of cin7/purchases" in shown.output
    assert "3 (2 need a person)" in shown.output and "7.00 EUR, 10.60 SEK" in " ".join(shown.output.split())
    assert "ifs:unreachable: 2 loads of cin7/suppliers, read ifs/supplier_set tried again at" in shown.output


def test_what_is_stale_stands_in_the_table_with_number_and_amount(world: World) -> None:
    flow = "hubspot/invoices"  # off here: what is stale of it is told all the same
    with world.ledger as ledger:
        for number in (1, 2):
            one = Ready(f"0010/{number}", "2026-11-05T10:00:00.000000Z", "f", Invoiced(total_amount=Decimal("600.50")))
            ledger.begin(flow, [(one, None)], run=Run("r"))
            ledger.finish(flow, [(one, Saved(Draft(one.key, one.record), f"h-{number}", "created"))], run=Run("r"))
            ledger.stakes.note(flow, {one.key: Stake("600.50", "SEK")})
        ledger.stale.note(flow, ["0010/1", "0010/2"])
    (mine,) = [each for each in told("status")["flows"] if each["flow"] == flow]
    assert (mine["stale"], mine["stale_amounts"]) == (2, {"SEK": "1201.00"})
    shown = " ".join(mlc("status").output.split())
    assert "2 (1,201.00 SEK)" in shown and "mlc replay --also-unchanged" in shown


def test_retry_lets_a_cause_a_flow_or_all_go_on(world: World) -> None:
    assert "2 loads are due" in mlc("retry", "cin7:refused").output
    assert "1 load is due" in mlc("retry", "cin7/suppliers").output
    assert "1 load is due" in mlc("retry", "--all").output
    with world.ledger as ledger:
        assert {task.state for task in ledger.work.all()} == {"due"}
    assert "0 loads are due" in mlc("retry", "--all").output


def test_a_cause_that_is_none_changes_nothing_and_says_what_there_is(world: World) -> None:
    assert "cin7:refused" in refusal("retry", "cin7:refusd")
    said = mlc("retry")
    assert said.exit_code == 2 and "mlc retry cin7:refused | ifs:unreachable | cin7/purchases" in said.output
    with world.ledger as ledger:
        assert {task.state for task in ledger.work.all()} == {"due", "waiting", "needs_person"}


def test_amounts_are_summed_exactly(world: World) -> None:
    with world.ledger as ledger:
        assert ledger.stock.holds()[PURCHASES].amounts == {"SEK": Decimal("10.60"), "EUR": Decimal("7")}


def test_amounts_have_as_many_decimals_as_their_currency() -> None:
    told = {"EUR": "1200", "JPY": "5000", "KWD": "-1234.567", "SEK": "0.0005"}
    assert amounts_in_a_line(told) == "1,200.00 EUR, 5,000 JPY, -1,234.567 KWD, 0.0005 SEK"
