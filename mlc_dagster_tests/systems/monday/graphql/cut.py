"""Cuts from monday's official schema what we use: `python -m mlc_dagster_tests.systems.monday.graphql.cut <schema>`.

The whole is 380 KB; the cut stands in the repository, so that the tests never lack it. Kept are the types and fields
that the sandbox serves, with all their arguments, and every input, enum and scalar that these need. Run it again for a
new version of monday's API, and where the sandbox serves a field that the cut has not.
"""

from __future__ import annotations

import copy
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from graphql import DefinitionNode, build_schema, is_composite_type, parse, print_ast

from mlc_dagster.sandbox.monday.schema import SDL

CUT = Path(__file__).with_name("official-2026-10.graphql")


def cut(official: str) -> str:
    """The schema language of the official schema, less what we do not use; sorted by name."""
    named: dict[str, list[Any]] = defaultdict(list)
    for definition in parse(official, no_location=True).definitions:
        if name := getattr(definition, "name", None):
            named[name.value].append(definition)
    schema = build_schema(official, assume_valid=True)
    roots = {"Query": str(schema.query_type), "Mutation": str(schema.mutation_type)}
    served = {
        roots.get(name, name): set(kind.fields)
        for name, kind in build_schema(SDL).type_map.items()
        if not name.startswith("__")
        and roots.get(name, name) in named
        and is_composite_type(kind)
        and hasattr(kind, "fields")
    }
    kept = {name: [_less(each, served) for each in named[name]] for name in served}
    wanted = [need for definitions in kept.values() for each in definitions for need in _needs(each)]
    while wanted:
        name = wanted.pop()
        if name not in kept and name in named:
            kept[name] = [_quiet(each) for each in named[name]]
            wanted += [need for each in named[name] for need in _needs(each)]
    top = f"schema {{\n  query: {roots['Query']}\n  mutation: {roots['Mutation']}\n}}"
    texts = [print_ast(each) for name in sorted(kept) for each in kept[name]]
    return "\n\n".join(["# What we use of monday's official schema, made by cut.py", top, *texts]) + "\n"


def _less(definition: DefinitionNode, served: dict[str, set[str]]) -> DefinitionNode:
    """With the fields that are served, and the interfaces that are kept."""
    less: Any = _quiet(definition)
    less.fields = tuple(each for each in less.fields or () if each.name.value in served[less.name.value])
    less.interfaces = tuple(each for each in less.interfaces or () if each.name.value in served)
    return less  # type: ignore[no-any-return]


def _quiet(definition: DefinitionNode) -> DefinitionNode:
    """Without descriptions and directives, of which validation needs none."""
    quiet: Any = copy.deepcopy(definition)
    members = [*(getattr(quiet, "fields", None) or ()), *(getattr(quiet, "values", None) or ())]
    arguments = [argument for each in members for argument in getattr(each, "arguments", None) or ()]
    for each in (quiet, *members, *arguments):
        each.description, each.directives = None, ()
    return quiet  # type: ignore[no-any-return]


def _needs(definition: DefinitionNode) -> list[str]:
    fields = getattr(definition, "fields", None) or ()
    return [_base(each.type) for field in fields for each in (field, *(getattr(field, "arguments", None) or ()))]


def _base(kind: Any) -> str:
    while hasattr(kind, "type"):
        kind = kind.type
    return str(kind.name.value)


if __name__ == "__main__":
    CUT.write_text(cut(Path(sys.argv[1]).read_text(encoding="utf-8")), encoding="utf-8")
