"""A ledger goes to another database: all of it, in either direction, and wherever the move is cut off."""

import signal
import subprocess
import sys

import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.outcomes import State
from mlc_dagster.ledger import Ledger, place_of
from mlc_dagster.ledger.upkeep.moving import MoveRefused, move, plan
from mlc_dagster_tests.ledger.samples import FLOW, RUN, deliver, ready
from mlc_dagster_tests.ledger.test_tenants import fill, told

pytestmark = pytest.mark.slow  # whole Dagster runs, or whole processes: a minute of them and more

MOVE_AND_DIE = """
import os, signal, sys
from mlc_dagster.ledger.upkeep import copying, moving
url, to, where = sys.argv[1:]
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
if where == "copying":
    original, seen = moving.TABLES.sorted_tables, []
    copy_in = copying._copy_in
    copying._copy_in = lambda server, table, rows: die() if table.name == "holds" else copy_in(server, table, rows)
    copying.insert = lambda table, insert=copying.insert: die() if table.name == "holds" else insert(table)
    moving.into_file = die
else:
    setattr(moving, where, die)
moving.move(url, to)
"""


@pytest.fixture
def other_url(ledger_url, tmp_path, request):
    """An address of the other kind of database, at which nothing is."""
    if ledger_url.startswith("sqlite"):
        return request.getfixturevalue("postgres_url")
    return f"sqlite:///{tmp_path / 'new' / 'ledger.db'}"


@pytest.fixture
def filled(ledger_url):
    """The address of a ledger of two tenants, with a row in each table of both."""
    for tenant in ("", "nordlys"):
        with Ledger.open(ledger_url, tenant) as ledger:
            fill(ledger, f"of {tenant}")
            ledger.begin("cin7/bills", [(ready("B1"), None)], run=RUN)
            ledger.accounts.renew("cin7", "account 9", "", "kari", "moved", ["cin7/bills"])
            deliver(ledger, ready("Ø\x00%,\"'\n\ud800", content="odd"))
    return ledger_url


def seen(url):
    found = {}
    for tenant in ("", "nordlys"):
        with Ledger.open(url, tenant) as ledger:
            found[tenant] = told(ledger)
    return found


def test_all_of_it_goes_to_the_other_kind_of_database_and_is_proven(filled, other_url):
    before, planned = seen(filled), plan(filled, other_url)
    done = move(filled, other_url)
    assert {name: each.rows for name, each in done.tables.items()} == planned
    assert min(number for name, number in planned.items() if name != "paused_loads") >= 2, "of an earlier release"
    assert seen(other_url) == before
    assert done.lines == planned["attempts"]
    with Ledger.open(other_url) as ledger:
        deliver(ledger, ready("P9"))
        ledger.hold(FLOW, [], run=RUN)
        assert list(ledger.history.verify()) == []


def test_and_back_again_nothing_is_different(filled, other_url, tmp_path, request):
    before = seen(filled)
    first = move(filled, other_url)
    again = f"sqlite:///{tmp_path / 'again.db'}"
    second = move(other_url, again)
    assert second.tables == first.tables
    assert seen(again) == before


def test_the_one_that_was_left_says_where_it_went_and_takes_nothing_more(filled, other_url):
    with Ledger.open(filled) as still_open:
        move(filled, other_url)
        with pytest.raises(Exception, match="this ledger was moved: nothing is written"):
            deliver(still_open, ready("P9"))
    for opened in (Ledger.open, Ledger.existing, Ledger.to_read):
        with pytest.raises(Misconfigured, match=f"went to {place_of(other_url)}") as caught:
            opened(filled)
        assert place_of(other_url) in (caught.value.cure or "")


def test_a_ledger_in_which_something_is_is_not_moved_into(filled, other_url):
    with Ledger.open(other_url) as ledger:
        deliver(ledger, ready("mine"))
    for attempt in (plan, move):
        with pytest.raises(MoveRefused, match=r"is not empty: .*1 deliveries"):
            attempt(filled, other_url)
    with Ledger.open(filled) as ledger:
        assert ledger.judge(FLOW, [ready("P1", content="of ")])["P1"].state is State.UNCHANGED


def test_an_empty_ledger_is_moved_into(filled, other_url):
    Ledger.open(other_url).close()
    before = seen(filled)
    move(filled, other_url)
    assert seen(other_url) == before


def test_nothing_moves_while_somebody_writes_nor_to_where_it_is(filled, other_url):
    with Ledger.open(filled, "nordlys") as ledger, ledger.lease("load x", "run-7"):
        for attempt in (plan, move):
            with pytest.raises(MoveRefused, match="run-7 has load x of nordlys"):
                attempt(filled, other_url)
    with pytest.raises(MoveRefused, match="already"):
        move(filled, filled)
    assert Ledger.open(filled).close() is None


def test_a_dry_run_makes_nothing(filled, other_url, tmp_path):
    assert plan(filled, other_url)["deliveries"] > 0
    assert not (tmp_path / "new").exists()
    with pytest.raises(Misconfigured, match="there is no ledger"):
        Ledger.to_read(other_url)


def test_what_somebody_wrote_in_the_midst_of_it_is_found_out(filled, other_url, monkeypatch):
    def write_first(database, walked=sys.modules["mlc_dagster.ledger.upkeep.moving"]._walked):
        with Ledger.open(filled) as ledger:
            ledger.loads.ended("late", "2026-11-05", "run-8")
        return walked(database)

    with monkeypatch.context() as patched:
        patched.setattr("mlc_dagster.ledger.upkeep.moving._walked", write_first)
        with pytest.raises(MoveRefused, match="not what the ledger holds now: loads"):
            move(filled, other_url)
    move(filled, other_url)
    with Ledger.open(other_url) as ledger:
        assert "late" in ledger.loads.latest()


@pytest.mark.parametrize("where", ["copying", "_walked", "_prove_and_mark", "_activate"])
def test_a_move_that_is_killed_leaves_one_ledger_at_most_and_run_again_it_ends(filled, other_url, where):
    before = seen(filled)
    process = subprocess.run([sys.executable, "-c", MOVE_AND_DIE, filled, other_url, where], check=False)
    assert process.returncode == -signal.SIGKILL
    with pytest.raises(Misconfigured, match=r"there is no ledger|is no ledger yet"):
        Ledger.to_read(other_url)
    if where == "_activate":
        with pytest.raises(Misconfigured, match="went to"):
            Ledger.open(filled)
    else:
        assert seen(filled) == before
    move(filled, other_url)
    assert seen(other_url) == before
    with pytest.raises(Misconfigured, match="went to"):
        Ledger.open(filled)
