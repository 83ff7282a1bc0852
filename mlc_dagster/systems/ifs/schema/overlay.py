"""Names of mlc.yaml over those that were there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from mlc_dagster.systems.ifs.settings import ABSENT, Name

Value = TypeVar("Value")


def named(wire: Mapping[str, str], said: Mapping[str, Name]) -> dict[str, str]:
    return {**wire, **{name: value for name, value in said.items() if value and value != ABSENT}}


def absent_now(before: frozenset[str], said: Mapping[str, Name]) -> frozenset[str]:
    """A field that a preset left out, and that mlc.yaml names, is there."""
    gone = {name for name, value in said.items() if value == ABSENT}
    return (before - said.keys()) | gone


def given(before: Mapping[str, Value], said: Mapping[str, Value | None]) -> dict[str, Value]:
    both = {**before, **said}
    return {name: value for name, value in both.items() if value is not None and value != ABSENT}


def without(names: Mapping[str, Value], said: Iterable[str]) -> dict[str, Value]:
    return {name: value for name, value in names.items() if name not in frozenset(said)}
