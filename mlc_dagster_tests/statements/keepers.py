"""What there is to keep a statement: flows, rules, settings, secrets, commands and code, collected from the product."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

import mlc_dagster
from mlc_dagster.cli.app import app
from mlc_dagster.cli.shared.command_table import Group
from mlc_dagster.settings.model import Settings
from mlc_dagster.systems import configuration
from mlc_dagster.systems.registry import systems
from mlc_dagster.systems.system import System
from mlc_dagster.web.review.sentences import RULES

HOUSE = Path(mlc_dagster.__file__).parent
TESTS = Path(__file__).parents[1]


def flow(name: str) -> bool:
    return name in configuration.known_flows()


def rule(name: str) -> bool:
    """A test of the review page holds its words to be those of the rules in the code."""
    return name in RULES


def secret(name: str) -> bool:
    return name in {each for system in systems().values() for each in _secrets(system)}


def _secrets(system: System) -> tuple[str, ...]:
    other = system.other_sign_in
    return (*system.secrets, *(other.secrets if other else ()))


def command(typed: str) -> bool:
    return typed in _commands()


@cache
def _commands() -> frozenset[str]:
    return frozenset(_below(app.info.cls, "mlc"))


def _below(folder: Any, path: str) -> Iterator[str]:
    for line in folder.table.values():
        yield f"{path} {line.name}"
        found = line.load(folder.folder)
        if isinstance(found, Group):
            yield from _below(type(found), f"{path} {line.name}")


def setting(path: str) -> bool:
    """`companies.cin7.location`, `web.cin7.header`: a system adds sections of its own to those of all."""
    first, *rest = path.split(".")
    if first in systems():
        return _has(systems()[first].settings, rest)
    if first in ("companies", "web") and rest and rest[0] in systems():
        return (own := _added(systems()[rest[0]], first)) is not None and _has(own, rest[1:])
    return _has(Settings, [first, *rest])


def _added(system: System, section: str) -> type[BaseModel] | None:
    if section == "companies":
        return system.company
    return system.webhooks.settings if system.webhooks else None


def _has(model: type[BaseModel], path: list[str]) -> bool:
    if not path:
        return True
    found = model.model_fields.get(path[0])
    if found is None:
        return False
    return len(path) == 1 or any(_has(below, path[1:]) for below in _models(found.annotation))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a field may hold, also as values of a table."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, UnionType, dict, tuple, list, Mapping):
        for each in get_args(annotation):
            yield from _models(each)


def code(place: str) -> bool:
    return _is_in(HOUSE, place)


def test(node: str) -> bool:
    """No import: what pytest would collect is what stands in the file."""
    return "::test_" in node and _is_in(TESTS, node)


def _is_in(folder: Path, place: str) -> bool:
    path, _, name = place.partition("::")
    return (folder / path).is_file() and (not name or name in _names(folder / path))


@cache
def _names(path: Path) -> frozenset[str]:
    """Functions, classes and their methods (`Class.method`) of a module."""
    return frozenset(_defined(ast.parse(path.read_text("utf-8")).body))


def _defined(body: list[ast.stmt], within: str = "") -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield within + node.name
            if isinstance(node, ast.ClassDef):
                yield from _defined(node.body, f"{within}{node.name}.")


EXISTS: Mapping[str, Callable[[str], bool]] = {
    "flows": flow,
    "rules": rule,
    "settings": setting,
    "secrets": secret,
    "commands": command,
    "code": code,
}
"""Kind of `Evidence` -> whether there is one of a name."""
