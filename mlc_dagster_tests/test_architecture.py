"""docs/architecture.md is the house as it is: drawn from its imports, and each of its links leads somewhere."""

import re
from pathlib import Path
from types import ModuleType

import pytest

from mlc_dagster_tests import drawn_house
from mlc_dagster_tests.drawn_house import ROOT


@pytest.fixture
def house() -> ModuleType:
    return drawn_house.house()


def test_the_picture_is_the_house_as_it_is(house: ModuleType) -> None:
    text = house.PAGE.read_text(encoding="utf-8")
    assert house.BEGIN in text and house.END in text
    assert house.page(text) == text, "python docs/house.py draws it anew"


def test_every_room_says_what_it_is_for(house: ModuleType) -> None:
    assert [room for room in house.rooms() if not house.about(room)] == []


def test_modules_import_each_other_in_no_circle_not_even_for_types(house: ModuleType) -> None:
    assert house.circles(house.imports()) == []


def test_rooms_import_each_other_in_no_circle(house: ModuleType) -> None:
    assert house.circles(house.rooms()) == []


def test_a_circle_is_found(house: ModuleType) -> None:
    graph = {"a": frozenset("b"), "b": frozenset("c"), "c": frozenset("a"), "d": frozenset("a")}
    assert house.circles(graph) == [["a", "b", "c"]]


def test_an_arrow_is_left_out_only_where_a_longer_way_replaces_it(house: ModuleType) -> None:
    graph = {"cli": frozenset({"ledger", "core"}), "ledger": frozenset({"core"}), "core": frozenset()}
    assert house.without_detours(graph) == {"cli": {"ledger"}, "ledger": {"core"}, "core": frozenset()}


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []
