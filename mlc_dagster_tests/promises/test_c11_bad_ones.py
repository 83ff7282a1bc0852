"""C11: bad records in a batch are held alone, and every good one is delivered."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from mlc_dagster.core.outcomes import ACCEPTED
from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.promises.quick import COMPANIES, PLENTY, companies, deliver
from mlc_dagster_tests.promises.seeds import seed, seeds
from mlc_dagster_tests.systems.hubspot.samples import UPSERT, client_on

BATCH = 100
SPOILED = [(seed(), 1), (seed(), BATCH), *((each, random.Random(each).randint(2, BATCH - 1)) for each in seeds(1))]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(limits=PLENTY) as sandbox:
        yield sandbox


def spoil(dice: int, count: int) -> set[int]:
    return set(random.Random(dice).sample(range(BATCH), count))


def sent(box: Sandbox, ledger: Ledger, bad: set[int]) -> int:
    """Load a hundred companies of which these have no name; the upserts that it took."""
    records = sorted(
        [*companies(set(range(BATCH)) - bad), *companies(bad, name=None)], key=lambda one: int(one.key[1:])
    )
    loaded = deliver(ledger, COMPANIES, records, client_on(box))
    assert (loaded.delivered, loaded.held) == (BATCH - len(bad), len(bad))
    return box.calls("hubspot")[UPSERT]


def check(box: Sandbox, ledger: Ledger, bad: set[int]) -> None:
    """In the target and in the ledger: the good ones, once; the bad ones, each held alone with the target's words."""
    there = [row["properties"]["ifs_external_key"] for row in box.hubspot.live("companies").values()]
    assert sorted(there) == sorted(f"SUPPLIER/S{n}" for n in range(BATCH) if n not in bad)
    holds = {hold.key: hold for hold in ledger.open_holds(COMPANIES.name)}
    assert set(holds) == {f"S{n}" for n in bad}
    assert {problem.rule for hold in holds.values() for problem in hold.problems} == ({ACCEPTED} if bad else set())
    assert set(ledger.remote_ids(COMPANIES.name)) == {f"S{n}" for n in range(BATCH) if n not in bad}


@pytest.mark.promise("C11", "1 to 100 bad of 100 companies, answered 207")
@pytest.mark.parametrize("dice, count", SPOILED)
def test_c11_bad_ones_named_by_a_207_are_held_alone_and_cost_no_call(
    dice: int, count: int, box: Sandbox, sqlite_ledger: Ledger
) -> None:
    bad = spoil(dice, count)
    assert sent(box, sqlite_ledger, bad) == 1
    check(box, sqlite_ledger, bad)


@pytest.mark.promise("C11", "1 to 100 bad of 100 companies, the batch answered 400 as a whole")
@pytest.mark.parametrize("dice, count", SPOILED)
def test_c11_where_the_batch_is_refused_whole_the_bad_ones_are_found_by_at_most_eight_calls_each(
    dice: int, count: int, box: Sandbox, ledger: Ledger
) -> None:
    box.hubspot.whole_refusals, bad = 400, spoil(dice, count)
    assert sent(box, ledger, bad) - 1 <= 8 * len(bad)
    check(box, ledger, bad)


@pytest.mark.promise(
    "C11", "the same, answered 409: nine calls for a bad one, since who is left by halving may be innocent of a 409"
)
@pytest.mark.parametrize("dice, count", SPOILED)
def test_c11_where_the_batch_is_refused_by_409_who_is_left_is_sent_alone_before_it_is_held(
    dice: int, count: int, box: Sandbox, sqlite_ledger: Ledger
) -> None:
    box.hubspot.whole_refusals, bad = 409, spoil(dice, count)
    assert sent(box, sqlite_ledger, bad) - 1 <= 9 * len(bad)
    check(box, sqlite_ledger, bad)


@pytest.mark.promise("C11", "a batch of good ones answered 409 as a whole, once to four times")
@pytest.mark.parametrize("times", [1, 2, 3, 4])
def test_c11_a_409_for_a_whole_batch_of_good_ones_loses_none(times: int, box: Sandbox, ledger: Ledger) -> None:
    body = '{"status":"error","message":"conflict","category":"CONFLICT"}'
    box.faults.add(system="hubspot", path="companies/batch/upsert", status=409, times=times, body=body)
    assert sent(box, ledger, set()) - 1 <= 8 * times
    check(box, ledger, set())
