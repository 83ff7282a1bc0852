"""The words in which a contract says what a value must be: "text, required, at most 256".

What a value is comes first: text, integer, number, decimal text, boolean, date, moment, local moment, guid, digits,
anything, nothing, never (it is not sent), `one of a|b`, `list of X`, `map of X`, `like /regex/`, the name of a form;
several with `or`, in parentheses where a list or a map has them. Then, after commas: required, at most N (letters,
items), at least N, up to N decimals, [source].
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

KINDS = frozenset(
    {
        *("text", "integer", "number", "decimal text", "boolean", "date", "moment", "local moment", "guid", "digits"),
        *("anything", "nothing", "null", "never"),
    }
)


@dataclass(frozen=True)
class Kind:
    """One thing that a value may be. `word` is of KINDS, or "list", "map", "one of", "like", "form"."""

    word: str
    of: tuple[Kind, ...] = ()  # of a list or a map: its members may be any of these
    named: str = ""  # of a form: its name; of "like": the regex
    choices: tuple[str, ...] = ()

    def __str__(self) -> str:
        of = " or ".join(map(str, self.of))
        if self.word == "one of":
            return f"one of {', '.join(self.choices)}"
        return f"{self.word} of {of}" if of else self.named or self.word


@dataclass(frozen=True)
class Value:
    """What is published of one value."""

    kinds: tuple[Kind, ...]
    required: bool = False
    source: str = ""  # where it stands, if not where its form stands
    most: int | None = None
    least: int | None = None
    decimals: int | None = None
    said: str = field(default="", compare=False)

    @property
    def may_be(self) -> str:
        return " or ".join(map(str, self.kinds))


_REGEX = re.compile(r"like /(.+?)/(?=,| or |\)|$)")


def value(said: str) -> Value:
    """Raises ValueError for words that mean nothing."""
    patterns = _REGEX.findall(str(said))
    numbers = iter(range(len(patterns)))
    plain = _REGEX.sub(lambda _: f"like {next(numbers)}", str(said))
    first, *others = [part.strip() for part in re.split(r",(?![^(]*\))", plain)]
    found = Value(_kinds(first, patterns), said=str(said))
    limits: dict[str, Any] = {}
    for part in others:
        limits.update(_limit(part, said))
    return replace(found, **limits)


def _limit(part: str, said: str) -> dict[str, Any]:
    if part == "required":
        return {"required": True}
    if source := re.fullmatch(r"\[([\w-]+)\]", part):
        return {"source": source[1]}
    for name, form in (("most", r"at most (\d+)"), ("least", r"at least (\d+)"), ("decimals", r"up to (\d+) decimals")):
        if number := re.fullmatch(form, part):
            return {name: int(number[1])}
    raise ValueError(f"{part!r} in {said!r} is no limit")


def _kinds(text: str, patterns: Sequence[str]) -> tuple[Kind, ...]:
    return tuple(_kind(part, patterns) for part in re.split(r" or (?![^(]*\))", text))


def _kind(text: str, patterns: Sequence[str]) -> Kind:
    word, _, rest = text.partition(" ")
    if word in ("list", "map") and rest.startswith("of "):
        inner = rest.removeprefix("of ")
        return Kind(word, of=_kinds(inner[1:-1] if inner.startswith("(") else inner, patterns))
    if word == "like" and rest.isdigit():
        return Kind("like", named=patterns[int(rest)])
    if text.startswith("one of "):
        return Kind("one of", choices=tuple(text.removeprefix("one of ").split("|")))
    if text in KINDS:
        return Kind(text)
    if re.fullmatch(r"[A-Z]\w*", text):
        return Kind("form", named=text)
    raise ValueError(f"{text!r} is no kind of value")
