"""C23: both sides of a supplier edited between syncs: the owner's value, or held; then nothing is written any more."""

from __future__ import annotations

from random import Random

import pytest

from mlc_dagster_tests.promises.seeds import seed
from mlc_dagster_tests.promises.test_c06_stale import SUPPLIERS, edit, ours, theirs
from mlc_dagster_tests.promises.test_c06_stale import rounds as rounds
from mlc_dagster_tests.systems.rounds import Rounds

ROUNDS, EDITS = 50, 20


@pytest.mark.promise(
    "C23", "names and mail addresses of six suppliers edited on both sides at random, two SaaS", times=EDITS
)
def test_c23_what_both_sides_edit_is_the_owners_and_what_one_edits_reaches_the_other(rounds: Rounds) -> None:
    dice = Random(seed())
    for number_of_edit in range(EDITS):
        names, mails = {n: ours(rounds, n)[0] for n in SUPPLIERS}, {n: ours(rounds, n)[1] for n in SUPPLIERS}
        for number in SUPPLIERS:
            here, there = dice.random() < 0.5, dice.random() < 0.5
            if there:
                mails[number] = f"saas{number_of_edit}.{number}@example.test"
                edit(rounds, number, mails[number])
            if here:
                names[number] = f"Name {number_of_edit} {number}"
                both = there and dice.random() < 0.5
                mails[number] = f"ifs{number_of_edit}.{number}@example.test" if both else mails[number]
                rounds.put(number, Name=names[number], **({"Email": mails[number]} if both else {}))
        rounds.once()
        for number in SUPPLIERS:
            assert ours(rounds, number) == theirs(rounds, number) == (names[number], mails[number]), number_of_edit
        assert rounds.holds() == {}


@pytest.mark.promise("C23", "a field that nobody owns, edited on both sides", times=1)
def test_c23_a_field_that_nobody_owns_is_held_with_both_values_and_neither_side_is_written(rounds: Rounds) -> None:
    rounds.section = {"supplier_owners": {"email": "hold"}}
    rounds.put("S2", Email="ifs@example.test")
    edit(rounds, "S2", "saas@example.test")
    before = rounds.writes()
    for _ in range(3):
        rounds.once()
    assert rounds.writes() == before
    assert (ours(rounds, "S2")[1], theirs(rounds, "S2")[1]) == ("ifs@example.test", "saas@example.test")
    assert {flow for flow, _ in rounds.holds()} == {rounds.there.name, rounds.back.name}
    edit(rounds, "S2", "ifs@example.test")
    rounds.once()
    assert rounds.holds() == {}


@pytest.mark.promise("C23", "fifty rounds with nothing edited, after edits on both sides", times=ROUNDS)
def test_c23_fifty_rounds_with_nothing_edited_write_nothing(rounds: Rounds) -> None:
    rounds.put("S1", Name="Renamed AB")
    edit(rounds, "S2", "new@example.test")
    rounds.once()
    rounds.once()
    before = rounds.writes()
    for _ in range(ROUNDS):
        rounds.once()
    assert rounds.writes() == before and rounds.holds() == {}
