"""C6: a third of our changes meets another writer: what he wrote stays, If-Match is never missing, three tries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random
from urllib.parse import unquote

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.wire import Answer, Call
from mlc_dagster_tests.promises.kinds import PLENTY
from mlc_dagster_tests.promises.seeds import seed
from mlc_dagster_tests.systems.rounds import Rounds

SUPPLIERS = [f"S{n}" for n in range(1, 7)]
SHARE, MOST_TRIES, ROUNDS = 0.3, 3, 10


class Others:
    """People who change a field of the very supplier that we are about to change, in a share of our tries."""

    def __init__(self, rounds: Rounds, field: str, dice: int, share: float = SHARE) -> None:
        self.dice, self.share = Random(dice), share
        self.tries: Counter[str] = Counter()
        self.without_if_match = self.stale = 0
        self.said: dict[str, str] = {}  # supplier -> what they wrote last
        answer = rounds.box.ifs.answer

        def raced(call: Call) -> Answer:
            if call.method != "PATCH":
                return answer(call)
            number = unquote(call.path).split("'")[1]
            self.tries[number] += 1
            self.without_if_match += call.headers.get("if-match", "*") == "*"
            if self.dice.random() < self.share:
                self.said[number] = f"{field} {number} {self.tries[number]}"
                rounds.put(number, **{field: self.said[number]})
            told = answer(call)
            self.stale += told.status == 412
            return told

        rounds.box.ifs.answer = raced  # type: ignore[method-assign]


@pytest.fixture(params=["cin7", "airbase"])
def rounds(request: pytest.FixtureRequest, sqlite_ledger: Ledger) -> Iterator[Rounds]:
    """Six suppliers that both sides have."""
    with Sandbox(limits=PLENTY) as box:
        made = Rounds(box, sqlite_ledger, request.param)
        for number in SUPPLIERS:
            made.put(number, ago=60)
        made.once()
        yield made


def edit(rounds: Rounds, number: str, email: str) -> None:
    """As a person in the SaaS does."""
    if rounds.spoke == "cin7":
        (which,) = (s["ID"] for s in rounds.box.cin7.suppliers.values() if s["AdditionalAttribute1"] == number)
        rounds.box.cin7.change_supplier(which, contact={"Email": email})
        return
    (which,) = (i for i, row in rounds.box.airbase.vendors.items() if row["erp_reference_id"] == number)
    rounds.box.airbase.change_vendor(which, email=email)


def theirs(rounds: Rounds, number: str) -> tuple[str, str]:
    """(name, mail address), as the SaaS has them."""
    if rounds.spoke == "cin7":
        (row,) = (s for s in rounds.box.cin7.suppliers.values() if s["AdditionalAttribute1"] == number)
        return row["Name"], row["Contacts"][0]["Email"]
    (row,) = (v for v in rounds.box.airbase.vendors.values() if v["erp_reference_id"] == number)
    return row["name"], row["email"]


def ours(rounds: Rounds, number: str) -> tuple[str, str]:
    row = rounds.supplier(number)
    return row["Name"], row["Email"]


@pytest.mark.promise("C6", "another field of six suppliers changed before 30 % of our writes, two SaaS", times=ROUNDS)
def test_c6_another_field_that_others_change_meanwhile_is_kept(rounds: Rounds) -> None:
    stale = 0
    for number_of_round in range(ROUNDS):
        others = Others(rounds, "Name", seed(number_of_round))
        mail = f"new{number_of_round}@example.test"
        for number in SUPPLIERS:
            edit(rounds, number, mail)
        rounds.once()
        assert others.without_if_match == 0 and max(others.tries.values()) <= MOST_TRIES
        assert {number: ours(rounds, number)[0] for number in others.said} == others.said, "what others wrote stays"
        stale += others.stale
        others.share = 0
        rounds.once()
        rounds.once()
        for number in SUPPLIERS:
            assert ours(rounds, number) == theirs(rounds, number) and ours(rounds, number)[1] == mail
        assert rounds.holds() == {}
    assert stale >= 5, "some were answered 412"


@pytest.mark.promise("C6", "the same field changed before each of our writes: the owner's value, or held", times=3)
@pytest.mark.parametrize("owner", ["ifs", "saas", "hold"])
def test_c6_the_same_field_is_the_owners_or_held_after_three_tries_at_most(rounds: Rounds, owner: str) -> None:
    rounds.section = {"supplier_owners": {"email": rounds.spoke if owner == "saas" else owner}}
    others = Others(rounds, "Email", seed(), share=1.0)
    edit(rounds, "S1", "saas@example.test")
    there, back = rounds.prepared(rounds.there), rounds.prepared(rounds.back)
    rounds.load(rounds.there, there)
    loaded = rounds.load(rounds.back, back)
    assert others.without_if_match == 0 and others.tries["S1"] <= MOST_TRIES
    assert ours(rounds, "S1")[1] == others.said["S1"], "it was written after all that we tried"
    assert loaded.held == (0 if owner == "ifs" else 1), "nobody's word is overwritten blindly"
    others.share = 0
    rounds.once()
    rounds.once()
    settled = {"ifs": others.said["S1"], "saas": "saas@example.test"}
    if owner == "hold":
        assert (ours(rounds, "S1")[1], theirs(rounds, "S1")[1]) == (others.said["S1"], "saas@example.test")
        assert any(others.said["S1"] in why and "saas@example.test" in why for why in rounds.holds().values())
    else:
        assert ours(rounds, "S1")[1] == theirs(rounds, "S1")[1] == settled[owner]
