"""A value beside what is published of it: each misfit with its place and how sure the publication is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mlc_dagster_tests.contracts.published import Certainty, Form, Published
from mlc_dagster_tests.contracts.words import Kind, Value

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?")
_ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)")


@dataclass(frozen=True)
class Fault:
    """Where a value does not fit, "inputs[].properties", and why."""

    where: str
    why: str
    certainty: Certainty


class Checker:
    """Checks values of one system. What rests on a guess is not judged."""

    def __init__(self, told: Published) -> None:
        self._told = told

    def certainty(self, source: str) -> Certainty:
        return self._told.certainty(source)

    def faults(self, wanted: Value, found: Any, where: str, source: str) -> Iterator[Fault]:
        """`source`: where the words stand, if they do not say so themselves."""
        source = wanted.source or source
        certainty = self._told.certainty(source)
        if not certainty.counts:
            return
        meant = [kind for kind in wanted.kinds if _is(kind, found)]
        if not meant:
            refused = wanted.may_be == "never"
            why = "is sent, and is not taken" if refused else f"is {_shown(found)}, not {wanted.may_be}"
            yield Fault(where, why, certainty)
            return
        for why in _beyond(wanted, found):
            yield Fault(where, why, certainty)
        yield from min((list(self._within(kind, found, where, source)) for kind in meant), key=len)

    def _within(self, kind: Kind, found: Any, where: str, source: str) -> Iterator[Fault]:
        inner = Value(kind.of)
        if kind.word == "form":
            yield from self._members(self._told.forms[kind.named], found, where)
        elif kind.word == "list":
            for each in found:
                yield from self.faults(inner, each, f"{where}[]", source)
        elif kind.word == "map":
            for each in found.values():
                yield from self.faults(inner, each, f"{where}.*", source)

    def _members(self, form: Form, found: dict[str, Any], where: str) -> Iterator[Fault]:
        certainty = self._told.certainty(form.source)
        for name, wanted in form.members.items():
            if name in found:
                yield from self.faults(wanted, found[name], _below(where, name), form.source)
            elif wanted.required and self._told.certainty(wanted.source or form.source).counts:
                yield Fault(_below(where, name), f"is missing: {form.name} has it always", certainty)
        for name in found.keys() - form.members.keys():
            if form.rest:
                yield from self.faults(form.rest, found[name], _below(where, "*"), form.source)
            elif certainty.counts:
                yield Fault(_below(where, name), f"is not published: {form.name} has no such member", certainty)


def _is(kind: Kind, found: Any) -> bool:
    """Of several forms the one is meant that fits best."""
    if kind.word in ("form", "map", "list"):
        return isinstance(found, list if kind.word == "list" else dict)
    return is_a(kind, found)


def is_a(kind: Kind, found: Any) -> bool:
    """Whether a value without members is of a kind."""
    text = isinstance(found, str)
    match kind.word:
        case "anything":
            return True
        case "null" | "nothing":
            return found is None
        case "boolean":
            return isinstance(found, bool)
        case "integer":
            return isinstance(found, int) and not isinstance(found, bool)
        case "number":
            return isinstance(found, int | Decimal) and not isinstance(found, bool)
        case "one of":
            return str(found) in kind.choices and not isinstance(found, bool)
        case "never":
            return False
    return text and _is_text(kind, found)


def _is_text(kind: Kind, found: str) -> bool:
    match kind.word:
        case "like":
            return re.fullmatch(kind.named, found) is not None
        case "guid":
            return _GUID.fullmatch(found) is not None
        case "digits":
            return found.isdigit()
        case "decimal text":
            return _DECIMAL.fullmatch(found) is not None
        case "date":
            return len(found) == 10 and _parses(date, found)
        case "moment" | "local moment":
            return _is_moment(found, zoned=kind.word == "moment")
    return kind.word == "text"


def _is_moment(found: str, zoned: bool) -> bool:
    front = _MOMENT.match(found)
    zone = found[front.end() :] if front else ""
    fits = bool(_ZONE.fullmatch(zone)) if zoned else zone == ""
    return front is not None and fits and _parses(datetime, front[0])


def _parses(kind: type[date], found: str) -> bool:
    try:
        kind.fromisoformat(found)
    except ValueError:
        return False
    return True


def _beyond(wanted: Value, found: Any) -> Iterator[str]:
    size = len(found) if isinstance(found, str | list | dict) else None
    unit = "characters" if isinstance(found, str) else "members"
    if wanted.most is not None and size is not None and size > wanted.most:
        yield f"has {size} {unit}, and {wanted.most} are the limit"
    if wanted.least is not None and size is not None and size < wanted.least:
        yield f"has {size} {unit}, and {wanted.least} are needed"
    if wanted.decimals is not None and (places := _places(found)) > wanted.decimals:
        yield f"has {places} decimals, and {wanted.decimals} are the limit"


def _places(found: Any) -> int:
    if not isinstance(found, str | Decimal) or not _DECIMAL.fullmatch(
        f"{found:f}" if isinstance(found, Decimal) else found
    ):
        return 0
    return max(0, -int(Decimal(found).normalize().as_tuple().exponent))


def _below(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _shown(found: Any) -> str:
    if found is None or isinstance(found, bool):
        return "null" if found is None else "a boolean"
    kinds = {str: "text", int: "an integer", Decimal: "a number", list: "a list", dict: "an object"}
    return kinds.get(type(found), type(found).__name__)
