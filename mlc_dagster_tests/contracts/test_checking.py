"""The checker itself: what fits, what does not, and in which words; a guess judges nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster_tests.contracts.checking import Checker
from mlc_dagster_tests.contracts.published import Certainty, Form, Published, Source
from mlc_dagster_tests.contracts.words import value

SOURCES = {
    name: Source(name, certainty, "")
    for name, certainty in (("spec", Certainty.SPECIFICATION), ("guess", Certainty.GUESS))
}


def form(called: str, source: str = "spec", /, **members: str) -> Form:
    rest = members.pop("rest", None)
    return Form(called, source, {each: value(said) for each, said in members.items()}, value(rest) if rest else None)


def faults(words: str, found: Any, *forms: Form, source: str = "spec") -> list[str]:
    told = Published("x", "X", SOURCES, {each.name: each for each in forms}, ())
    return [f"{fault.where} {fault.why}".strip() for fault in Checker(told).faults(value(words), found, "", source)]


@pytest.mark.parametrize(
    "words, good",
    [
        ("text", "a"),
        ("text or null", None),
        ("integer", 3),
        ("number", Decimal("1.5")),
        ("decimal text", "-12.50"),
        ("boolean", False),
        ("date", "2026-11-05"),
        ("moment", "2026-11-05T10:00:00.123Z"),
        ("moment", "2026-11-05T10:00:00+01:00"),
        ("local moment", "2026-11-05T10:00:00"),
        ("guid", "67fee337-f793-478f-a0c6-2ab71677251c"),
        ("digits", "0042"),
        ("one of draft|open", "open"),
        ("like /Bearer .+/", "Bearer x"),
        ("list of (text or null)", ["a", None]),
        ("map of (list of text)", {"a": ["b"]}),
        ("anything", {"a": 1}),
        ("text, at most 2", "ab"),
        ("list of integer, at least 1", [1]),
        ("number, up to 2 decimals", Decimal("1.500")),
    ],
)
def test_what_is_as_published_fits(words: str, good: Any) -> None:
    assert faults(words, good) == []


@pytest.mark.parametrize(
    "words, bad",
    [
        ("text", 1),
        ("text", None),
        ("integer", True),
        ("integer", "3"),
        ("number", "1.5"),
        ("decimal text", "1e3"),
        ("boolean", 0),
        ("date", "2026-11-31"),
        ("moment", "2026-11-05T10:00:00"),
        ("local moment", "2026-11-05T10:00:00Z"),
        ("guid", "67fee337"),
        ("digits", "1a"),
        ("one of draft|open", "paid"),
        ("like /Bearer .+/", "Token x"),
        ("list of text", ["a", 1]),
        ("map of (list of text)", {"a": "b"}),
        ("nothing", {}),
        ("text, at most 2", "abc"),
        ("list of integer, at least 1", []),
        ("number, up to 2 decimals", Decimal("1.501")),
    ],
)
def test_what_is_not_as_published_is_told(words: str, bad: Any) -> None:
    assert len(faults(words, bad)) == 1


def test_a_missing_member_and_one_that_is_not_published_are_named_with_their_place() -> None:
    line = form("Line", name="text, required", amount="number")
    document = form("Document", lines="list of Line, required")
    assert faults("Document", {"lines": [{"amount": 1, "own": 2}]}, document, line) == [
        "lines[].name is missing: Line has it always",
        "lines[].own is not published: Line has no such member",
    ]


def test_of_two_forms_the_one_with_the_fixed_word_is_meant() -> None:
    refused, done = (
        form("Refused", status="one of error, required", why="text, required"),
        form("Done", ids="list of text"),
    )
    assert faults("Refused or Done", {"status": "error"}, refused, done) == ["why is missing: Refused has it always"]


def test_a_guess_judges_nothing() -> None:
    guessed = form("Guessed", "guess", a="text, required")
    assert faults("Guessed", {"b": 1}, guessed) == [] and faults("text", 1, source="guess") == []
    partly = form("Partly", a="integer, required, [guess]", b="text")
    assert faults("Partly", {"a": "x"}, partly) == [] and faults("Partly", {}, partly) == []


@pytest.mark.parametrize("words", ["word", "text, about 3", "list of", "text, at most many"])
def test_words_that_mean_nothing_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        value(words)
