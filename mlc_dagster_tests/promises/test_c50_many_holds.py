"""C50: the load behind the hold list: 100,000 holds in five years of days, and what heals of them."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import msgspec
import pytest
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.core.facts import Facts, LedgerAccount
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.core.outcomes import Draft, Ready, Saved
from mlc_dagster.core.vocabulary import fingerprint
from mlc_dagster.ledger import Held, Ledger, Run
from mlc_dagster.orchestration.automation import healing
from mlc_dagster.pipeline.healing import AT_ONCE, judge_in_time
from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.promises.quick import PURCHASES
from mlc_dagster_tests.systems.cin7 import samples as cin7

LAST = date(2026, 11, 20)
DAYS = 1_826
ACCOUNTS = 200
PER_TICK = 20_000  # holds judged in one tick by a machine that takes five times as long as the slowest of ours
SECONDS = 2.0


def account_of(number: int) -> str:
    return f"47{number % ACCOUNTS:03}"


def held(number: int, day: date) -> Held:
    """An order on an account that nobody knows; but for that it is good."""
    order = cin7.order(cin7.service_line("1", account=account_of(number), tax_code=None), order_no=f"P{number:06}")
    why = Problem("gl_accounts_exist", f"GL account {account_of(number)} is not there.", account_of(number))
    return Held(
        order.order_no,
        f"{day}T09:00:00.000000Z",
        (why,),
        msgspec.to_builtins(order),
        day.isoformat(),
        fingerprint(order),
    )


def fill(ledger: Ledger, count: int, days: int = DAYS) -> None:
    """So many holds, evenly over the days; and the supplier of all of them, delivered."""
    for start in range(0, count, 1_000):
        numbers = range(start, min(start + 1_000, count))
        batch = [held(number, LAST - timedelta(days=number * days // count)) for number in numbers]
        ledger.hold(PURCHASES.name, batch, run=Run("run", ""), owner=PURCHASES.owner)
    supplier = Ready("S100", "2026-11-01T00:00:00.000000Z", "f", cin7.supplier())
    ledger.begin("cin7/suppliers", [(supplier, None)], run=Run("run", ""))
    saved = Saved(Draft("S100", supplier.record), "supplier-1", "created")
    ledger.finish("cin7/suppliers", [(supplier, saved)], run=Run("run", ""))


def known(*accounts: str) -> Facts:
    """These accounts are there, in the ERP and in Cin7."""
    books = replace(cin7.BOOKS, accounts=cin7.BOOKS.accounts | {*accounts})
    books = replace(books, supplier_currency={"supplier-1": "SEK"})
    facts = cin7.facts(books)
    return replace(facts, accounts={**facts.accounts, **{("0010", a): LedgerAccount("0010", a) for a in accounts}})


class Judge:
    """One tick after the other, each with time for so many holds; counts what was judged."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger, self.judged, self.asked, self._turn = ledger, 0, 0, 0

        def counted(source: Any, facts: Facts) -> Any:
            self.judged += 1
            return PURCHASES.mapping(source, facts)

        self.flow: Flow = replace(PURCHASES, mapping=counted)

    def tick(self, facts: Facts) -> int:
        """How many were judged."""
        before = self.judged

        def ask() -> tuple[Facts, None]:
            self.asked += 1
            return facts, None

        in_time: Callable[[], bool] = lambda: self.judged - before < PER_TICK  # noqa: E731
        self._turn, _ = judge_in_time(self.flow, self.ledger, ask, self._turn, in_time)
        return self.judged - before

    def passing(self) -> set[str]:
        return {account_of(int(hold.key[1:])) for hold in self.ledger.causes.passing(self.flow.name)}


@pytest.mark.promise(
    "C50", "100,000 holds of 1,826 days on SQLite, 20,000 on PostgreSQL: judged, all of them, in ticks of a minute"
)
def test_c50_healing_looks_at_all_holds_within_ten_minutes_and_then_at_those_of_the_cause_that_went(
    ledger: Ledger, ledger_url: str
) -> None:
    count = 100_000 if ledger_url.startswith("sqlite") else 20_000
    fill(ledger, count)
    judge, ticks, megabytes = Judge(ledger), 0, []
    while judge.judged < count:
        judge.tick(known())
        ticks += 1
        megabytes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    assert ticks <= 10 and judge.asked == ticks, "the facts are asked once for a tick"
    assert megabytes[-1] - megabytes[0] < 50, megabytes
    assert judge.passing() == set()

    assert judge.tick(known()) <= min(ACCOUNTS, AT_ONCE), "nothing is new: one of each cause is tried"
    appeared = judge.tick(known("47003", "47004"))
    assert judge.passing() == {"47003", "47004"}
    assert len(ledger.causes.passing(PURCHASES.name)) == 2 * count // ACCOUNTS
    assert appeared <= 2 * count // ACCOUNTS + ACCOUNTS, "the holds of the other causes are left alone"


@pytest.mark.promise("C50", "2,000 holds on an account that appears, held while and after the others were judged")
def test_c50_what_is_held_after_its_cause_was_judged_is_judged_too(ledger: Ledger) -> None:
    fill(ledger, 2_000)
    judge = Judge(ledger)
    judge.tick(known())
    judge.tick(known("47003"))
    late = [held(number, LAST) for number in (90_003, 90_203, 90_004)]  # by facts from before the account was there
    ledger.hold(PURCHASES.name, late, run=Run("late", ""))
    judge.tick(known("47003"))
    keys = {hold.key for hold in ledger.causes.passing(PURCHASES.name)}
    assert {"P090003", "P090203"} <= keys and "P090004" not in keys


@pytest.mark.promise("C50", "600 holds that would pass no longer, an hour after it was found that they would")
def test_c50_what_would_pass_no_longer_is_not_asked_for(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(ledger, 600)
    judge = Judge(ledger)
    judge.tick(known(*(account_of(number) for number in range(ACCOUNTS))))
    assert len(ledger.causes.passing(PURCHASES.name)) == 600
    monkeypatch.setattr("mlc_dagster.pipeline.healing.STANDS", timedelta(0))
    judge.tick(known("47003"))
    assert judge.passing() == {"47003"}


@pytest.mark.promise("C50", "1,826 days that heal at once: asked for the newest first, so many as may be under way")
def test_c50_five_years_of_days_are_not_asked_for_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.settings = world.settings.model_copy(update={"partitions_start": LAST - timedelta(days=DAYS)})
    fill(world.ledger, DAYS)
    monkeypatch.setattr(healing, "unknown", lambda *_: "")
    wanted = healing._Wanted(PURCHASES, once=False)
    judge = Judge(world.ledger)
    while judge.judged < DAYS:
        judge.tick(known(*(account_of(number) for number in range(ACCOUNTS))))
    wanted.of(world.ledger, usable=True)
    reasons: list[str] = []
    first = wanted.requests(world.instance, world.settings, reasons)
    newest = [(LAST - timedelta(days=number)).isoformat() for number in range(healing.UNDER_WAY)]
    assert [request.partition_key for request in first] == newest
    assert f"{DAYS - healing.UNDER_WAY} more partitions would heal" in reasons[0]

    for request in first[:5]:
        tags = {**request.tags, "dagster/partition": request.partition_key, "dagster/run_key": request.run_key}
        world.instance.create_run_for_job(_empty, tags=tags)
    second = wanted.requests(world.instance, world.settings, [])
    assert len(second) == healing.UNDER_WAY - 5, "five are under way"
    assert {request.partition_key for request in second}.isdisjoint(newest[:5])


@dg.job
def _empty() -> None:
    pass


@pytest.mark.promise(
    "C50", "the list, a record and the status, of 100,000 holds, by the command line: below two seconds"
)
def test_c50_lists_cost_what_they_show(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with Ledger.open(url) as ledger:
        fill(ledger, 100_000)
    monkeypatch.setenv("MLC_DATABASE_URL", url)
    monkeypatch.chdir(tmp_path)
    shown = told("holds", "list", "--page", "3")
    assert (shown["on_hold"], shown["older"], len(shown["holds"])) == (100_000, 100_000 - 150, 50)
    newest = [f"P{number:06}" for number in range(99_850, 99_900)]
    assert [hold["key"] for hold in shown["holds"]] == newest
    one = shown["holds"][0]
    assert (one["company"], one["missing"], one["party"], one["amount"]) == (
        "0010",
        account_of(99_850),
        "S100",
        "300.00",
    )
    assert told("holds", "list", "--flow", "cin7/purchases", "--rule", "gl_accounts_exist")["on_hold"] == 100_000
    assert told("holds", "show", "P050000")["key"] == "P050000"
    said = CliRunner().invoke(app, ["holds", "list"]).stdout
    assert "50 of 100,000 on hold are shown; 99,950 older ones: --page 2" in said


def told(*words: str) -> Any:
    began = time.process_time()
    result = CliRunner().invoke(app, [*words, "--json"])
    assert result.exit_code == 0, result.output
    assert time.process_time() - began < SECONDS, words
    return json.loads(result.stdout)


@pytest.mark.promise("C50", "the start of the location with 1,826 days: it costs what ten days cost")
def test_c50_the_location_starts_with_five_years_of_days(world: World) -> None:
    def seconds(days: int) -> float:
        world.settings = world.settings.model_copy(update={"partitions_start": date.today() - timedelta(days=days)})
        began = time.process_time()
        world.defs.get_repository_def()
        return time.process_time() - began

    seconds(10)  # what the first one costs is paid
    few, many = min(seconds(10) for _ in range(3)), min(seconds(DAYS) for _ in range(3))
    assert many < 2 * few + 0.2
    assert datetime.now(UTC).date() - world.settings.partitions_start >= timedelta(days=DAYS - 1)
