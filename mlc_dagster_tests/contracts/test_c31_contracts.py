"""C31: every request and every sandbox answer of a whole demo, beside what the six systems publish."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest

from mlc_dagster.sandbox.registry import nearest
from mlc_dagster_tests.contracts.holding import Account, hold
from mlc_dagster_tests.contracts.known_misfits import KNOWN
from mlc_dagster_tests.contracts.published import Certainty, Published, published, systems
from mlc_dagster_tests.contracts.recorder import Exchange
from mlc_dagster_tests.contracts.whole_demo import play

DAYS = 1
"""All flows have records of each kind on one day."""


@cache
def told() -> dict[str, Published]:
    return {system: published(system) for system in systems()}


PROFILES = {"usual": (), "nearest": nearest()}
"""What the sandbox stands for: the names of the business description, and what is nearest to what is recorded."""


@pytest.fixture(scope="module", params=PROFILES)
def tenants(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def exchanges(tmp_path_factory: pytest.TempPathFactory, tenants: str) -> list[Exchange]:
    return play(tmp_path_factory.mktemp("demo"), DAYS, PROFILES[tenants])


@pytest.fixture(scope="module")
def account(exchanges: list[Exchange]) -> Iterator[Account]:
    found = hold(exchanges, told())
    print(found)
    yield found


@pytest.mark.slow
@pytest.mark.promise("C31", "a demo of one day played, moved on and played again, with ping: each distinct exchange")
def test_c31_every_request_and_every_answer_of_a_demo_is_as_published(account: Account, tenants: str) -> None:
    known = {each.misfit for each in KNOWN if each.tenants in ("", tenants)}
    found = {str(misfit) for misfit in account.misfits}
    assert sorted(found - known) == [], "mend it, or tell it in known_misfits.py"
    assert sorted(known - found) == [], "these do not occur any more: take them out of known_misfits.py"


@pytest.mark.slow
def test_c31_all_systems_are_asked_and_most_of_it_does_not_rest_on_a_guess(account: Account) -> None:
    assert {system for system, _ in account.seen} == set(told())
    counted = sum(number for certainty, number in account.rests_on.items() if certainty.counts)
    assert counted > 0.7 * account.rests_on.total() > 100, account.rests_on
    assert account.rests_on[Certainty.SPECIFICATION] > 50


@pytest.mark.slow
def test_c31_a_spoiled_exchange_of_each_system_is_found(exchanges: list[Exchange]) -> None:
    """The check can fail: a name of a member that is changed on the way does not fit."""
    for system in told():
        if own := [each for each in exchanges if each.system == system and each.status == 200 and each.got]:
            spoiled = [
                replace(each, got=re.sub(rb'"(id|ID|data|value|results)"\s*:', b'"spoiled":', each.got)) for each in own
            ]
            assert hold(spoiled, told()).misfits, system


def test_every_known_misfit_says_why_and_what_it_waits_for() -> None:
    assert [each.misfit for each in KNOWN if not (each.reason and each.issue)] == []
    assert len({each.misfit for each in KNOWN}) == len(KNOWN)


@pytest.mark.parametrize("system", systems())
def test_a_contract_can_be_read(system: str) -> None:
    """Raises where it names a form or a source that it does not have."""
    own = published(system)
    assert own.operations and len({each.name for each in own.operations}) == len(own.operations)
    used = {kind for form in own.forms.values() for kind in (form.source,)} | {each.source for each in own.operations}
    assert used <= set(own.sources)
