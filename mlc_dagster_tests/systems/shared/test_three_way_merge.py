"""The three-way merge: rules one by one, and thousands of random rounds in which nothing is lost and nothing echoes."""

from __future__ import annotations

from random import Random

import pytest

from mlc_dagster.systems.shared.three_way_merge import (
    DisagreementError,
    Merged,
    agreement,
    as_of,
    merge,
    without_conflicts,
)

FIELDS = ("name", "email", "vat_no")
OWNERS = ("ifs", "saas", "hold")


def one(base: str | None, erp: str | None, saas: str | None, owner: str = "ifs") -> Merged:
    """Of one field; a base of None: the two never met."""
    return merge(None if base is None else {"name": base}, {"name": erp}, {"name": saas}, {"name": owner})


def test_what_both_say_is_agreed_whatever_they_said_before() -> None:
    assert one("A", "B", "B") == one(None, " B", "B ") == Merged(agreed={"name": "B"})


def test_a_change_on_one_side_goes_to_the_other_whoever_owns_the_field() -> None:
    for owner in OWNERS:
        assert one("A", "B", "A", owner) == Merged(to_saas={"name": "B"})
        assert one("A", "A", "B", owner) == Merged(to_erp={"name": "B"})


def test_a_change_on_both_sides_is_the_owners_or_a_persons() -> None:
    assert one("A", "B", "C", "ifs") == Merged(to_saas={"name": "B"})
    assert one("A", "B", "C", "saas") == Merged(to_erp={"name": "C"})
    assert one("A", "B", "C", "hold") == Merged(conflicts={"name": ("A", "B", "C")})


def test_at_a_first_meeting_an_empty_side_takes_the_others_value_and_else_the_owner_has_it() -> None:
    for owner in OWNERS:
        assert one(None, None, "B", owner) == Merged(to_erp={"name": "B"})
        assert one(None, "B", "", owner) == Merged(to_saas={"name": "B"})
    assert one(None, "A", "B") == Merged(to_saas={"name": "A"})
    assert one(None, "A", "B", "hold") == Merged(conflicts={"name": (None, "A", "B")})


def test_only_the_owner_clears_a_value_in_the_other_system() -> None:
    assert one("A", "", "A", "ifs") == Merged(to_saas={"name": ""})
    assert one("A", "A", "", "saas") == Merged(to_erp={"name": ""})
    for owner, erp, saas in (("ifs", "A", ""), ("saas", "", "A"), ("hold", "A", ""), ("hold", "", "A")):
        assert one("A", erp, saas, owner) == Merged(conflicts={"name": ("A", erp, saas)})


def test_a_field_that_one_side_does_not_keep_is_left_alone() -> None:
    assert merge({"email": "a@b"}, {"email": "a@b", "name": "A"}, {"name": "A"}, {}) == Merged(agreed={"name": "A"})


def test_texts_are_compared_trimmed_and_in_their_case() -> None:
    assert one("A", "A ", "A") == Merged(agreed={"name": "A"})
    assert one("a", "a", "A") == Merged(to_erp={"name": "A"})


def test_a_disagreement_shows_both_values_and_the_one_before() -> None:
    with pytest.raises(DisagreementError, match="name is 'B' in IFS and 'C' in Cin7, and was 'A'"):
        without_conflicts(one("A", "B", "C", "hold"), "Cin7")


def test_what_was_read_before_our_own_write_counts_as_agreed_on() -> None:
    known = agreement({"name": "A"}, {"name": "B"}, side="saas", written=["name"], version="2026-11-05T10:00")
    assert as_of({"name": "A"}, known, "saas", "2026-11-05T09:59") == {"name": "B"}
    assert as_of({"name": "A"}, known, "saas", "2026-11-05T10:01") == {"name": "A"}, "somebody changed it back"
    assert as_of({"name": "A"}, known, "ifs", "2026-11-05T09:59") == {"name": "A"}, "it was written on the other side"


# --- random rounds ----------------------------------------------------------------------------------------------------


class World:
    """Two systems and what they last agreed on; the flows run in either order, each writes its own target alone."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.base: dict[str, str] | None = None
        self.erp = {name: random.choice(("", "A", "B")) for name in FIELDS}
        self.saas = {name: random.choice(("", "A", "B")) for name in FIELDS}
        self.owners = {name: random.choice(OWNERS) for name in FIELDS}
        self.writes = 0

    def sync(self) -> None:
        for way in self.random.sample(("there", "back"), 2):
            merged = merge(self.base, self.erp, self.saas, self.owners)
            side, changes = (self.saas, merged.to_saas) if way == "there" else (self.erp, merged.to_erp)
            self.writes += len(changes)
            side.update(changes)
            same = {name: value for name, value in self.erp.items() if self.saas[name] == value}
            self.base = agreement(self.base, same, side="saas" if way == "there" else "ifs")

    def held(self) -> set[str]:
        return set(merge(self.base, self.erp, self.saas, self.owners).conflicts)


@pytest.mark.parametrize("seed", range(40))
def test_after_both_directions_the_two_sides_agree_or_the_field_waits_for_a_person(seed: int) -> None:
    world = World(random := Random(seed))
    for _ in range(100):
        side = random.choice((world.erp, world.saas))
        side[random.choice(FIELDS)] = random.choice(("", "A", "B", "C", "D"))
        world.sync()
        assert {name for name in FIELDS if world.erp[name] != world.saas[name]} == world.held()


@pytest.mark.parametrize("seed", range(40))
def test_where_nothing_is_edited_nothing_is_written_for_fifty_rounds(seed: int) -> None:
    world = World(Random(seed))
    world.sync()
    before = world.writes
    for _ in range(50):
        world.sync()
    assert world.writes == before


@pytest.mark.parametrize("seed", range(40))
def test_an_edit_on_one_side_alone_survives_and_reaches_the_other(seed: int) -> None:
    world = World(random := Random(seed))
    world.erp = dict.fromkeys(FIELDS, "A")
    world.saas = dict(world.erp)
    world.sync()
    for number in range(100):
        here, there = random.sample((world.erp, world.saas), 2)
        ours, theirs = random.sample(FIELDS, 2)
        here[ours], there[theirs] = f"here {number}", f"there {number}"
        world.sync()
        assert here[ours] == there[ours] == f"here {number}" and here[theirs] == there[theirs] == f"there {number}"


@pytest.mark.parametrize("seed", range(40))
def test_a_field_that_both_edited_has_its_owners_value_or_keeps_both(seed: int) -> None:
    world = World(Random(seed))
    world.erp = dict.fromkeys(FIELDS, "A")
    world.saas = dict(world.erp)
    world.sync()
    world.erp.update(dict.fromkeys(FIELDS, "ERP"))
    world.saas.update(dict.fromkeys(FIELDS, "SaaS"))
    world.sync()
    for name, owner in world.owners.items():
        wanted = {"ifs": ("ERP", "ERP"), "saas": ("SaaS", "SaaS"), "hold": ("ERP", "SaaS")}[owner]
        assert (world.erp[name], world.saas[name]) == wanted
