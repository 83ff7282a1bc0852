"""Draws the house from its imports: `python docs/house.py` writes the picture into docs/architecture.md.

A test holds the page against the code, and asks the same graph whether imports point down and go in no circle.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "mlc_dagster"
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- the house: python docs/house.py -->", "<!-- the house ends -->"

Graph = Mapping[str, frozenset[str]]
"""Who -> whom it imports."""


@cache
def modules() -> dict[str, Path]:
    """Dotted name -> file; a package by its own name."""
    return {_name(path): path for path in sorted(HOUSE.rglob("*.py"))}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def names_imported(path: Path) -> Iterator[str]:
    """Every name that a file imports, wherever in it, for types too; relative ones are refused."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def imports() -> Graph:
    """Module -> the modules of the house that it imports."""
    return {name: frozenset(_ours(path) - {name}) for name, path in modules().items()}


def _ours(path: Path) -> set[str]:
    found = {_module_of(name) for name in names_imported(path) if name.split(".")[0] == HOUSE.name}
    return found - {""}


def _module_of(name: str) -> str:
    while name and name not in modules():
        name = name.rpartition(".")[0]
    return name


def circles(graph: Graph) -> list[list[str]]:
    """The sets of two or more that reach each other."""
    reached = {each: _reached(graph, each) for each in graph}
    together = {frozenset({each, *(other for other in reached[each] if each in reached[other])}) for each in graph}
    return sorted(sorted(circle) for circle in together if len(circle) > 1)


def _reached(graph: Graph, start: str) -> set[str]:
    found: set[str] = set()
    ahead = list(graph.get(start, ()))
    while ahead:
        if (each := ahead.pop()) not in found:
            found.add(each)
            ahead.extend(graph.get(each, ()))
    return found


def rooms() -> Graph:
    """Room at the top of the package -> the rooms that it imports."""
    found: dict[str, set[str]] = {}
    for name, targets in imports().items():
        own = _room(name)
        found.setdefault(own, set()).update(_room(target) for target in targets)
    return {room: frozenset(targets - {room, ""}) for room, targets in found.items() if room}


def _room(module: str) -> str:
    """mlc_dagster.core.errors -> core. Of the modules at the top only what Dagster loads has a place in the picture."""
    top = module.split(".")[1] if "." in module else ""
    return top if top == "definitions" or (HOUSE / top).is_dir() else ""


def without_detours(graph: Graph) -> Graph:
    """Only the arrows that no longer way replaces: what is left reads from the top down."""
    through = {each: {far for near in targets for far in _reached(graph, near)} for each, targets in graph.items()}
    return {each: frozenset(targets - through[each]) for each, targets in graph.items()}


def about(room: str) -> str:
    """What a room says of itself: the first sentence of its docstring."""
    path = HOUSE / room / "__init__.py"
    text = ast.get_docstring(ast.parse((path if path.exists() else HOUSE / f"{room}.py").read_text("utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split())


def drawn() -> str:
    """The picture and the list of rooms, as they stand in the page."""
    graph = rooms()
    arrows = [
        f"    {room} --> {low}" for room, below in sorted(without_detours(graph).items()) for low in sorted(below)
    ]
    highest_first = sorted(graph, key=lambda room: (-len(_reached(graph, room)), room))
    table = [f"| `{room}` | {about(room)} |" for room in highest_first]
    picture = ["```mermaid", "flowchart TD", *arrows, "```"]
    return "\n".join([BEGIN, *picture, "", "| room | what is in it |", "|---|---|", *table, END])


def page(text: str) -> str:
    """The page with the house as it is now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + drawn() + after


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")
