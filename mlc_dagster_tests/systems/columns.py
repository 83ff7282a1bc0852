"""Writes `columns.json` of each system: what the columns of its assets are, and of which the mappings make each.

`python -m mlc_dagster_tests.systems.columns`, after a record or a mapping changed. The words are the comments that
stand beside the fields; what is made of what is found out by the mappings themselves (traced_mappings).
"""

from __future__ import annotations

import inspect
import io
import json
import tempfile
import tokenize
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

from mlc_dagster.core.vocabulary import ERP, Record
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.columns import FILE
from mlc_dagster.systems.registry import systems
from mlc_dagster_tests.orchestration.conftest import PLENTY
from mlc_dagster_tests.systems.stored_records import records
from mlc_dagster_tests.systems.traced_mappings import TODAY, Demo

LINE_ENDS = (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


def words_of(record: type[Record]) -> dict[str, str]:
    """Column -> the comment beside its field; what is below a column has a path of its own: "lines[].account"."""
    said = _comments(record)
    found = {name: said[name] for name in record.__struct_fields__ if name in said}
    for name, hint in get_type_hints(record).items():
        for inner, mark in _below(hint):
            found |= {f"{name}{mark}.{column}": words for column, words in words_of(inner).items()}
    return found


def _below(hint: Any, mark: str = "") -> Iterator[tuple[type[Record], str]]:
    if isinstance(hint, type) and issubclass(hint, Record):
        yield hint, mark
    for part in get_args(hint):
        if part is not NoneType and part is not Ellipsis:
            yield from _below(part, "[]" if getattr(hint, "__origin__", None) is tuple else mark)


def _comments(record: type[Record]) -> dict[str, str]:
    """Of a class and those that it is made of."""
    found: dict[str, str] = {}
    for made_of in reversed(record.__mro__):
        if issubclass(made_of, Record) and made_of is not Record:
            found |= _beside_fields(inspect.getsource(made_of))
    return found


def _beside_fields(source: str) -> dict[str, str]:
    """Field -> the comment on the line where it ends; what is written for linters is none."""
    fields: dict[str, str] = {}
    name, begins, depth = "", True, 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if begins and token.type == tokenize.NAME:
            name = token.string
        depth += (token.string in "([{") - (token.string in ")]}") if token.type == tokenize.OP else 0
        if token.type == tokenize.COMMENT and name and not token.string.startswith(("# noqa", "# type")):
            fields[name] = " ".join([fields.get(name, ""), token.string.lstrip("# ")]).strip()
        begins = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT) or (
            begins and token.type == tokenize.NL
        )
        name = "" if token.type == tokenize.NEWLINE else name
    return fields


def words() -> dict[str, dict[str, dict[str, str]]]:
    """System -> what is stored ("read purchase_order_set", "sent purchases") -> column -> words."""
    found: dict[str, dict[str, dict[str, str]]] = {name: {} for name in systems()}
    for stored, record in sorted(records().items()):
        kind, _, place = stored.partition(" ")
        system, _, name = place.partition("/")
        if said := words_of(record):
            found[system][f"{kind} {name}"] = said
    return found


def made_of() -> dict[str, dict[str, dict[str, list[str]]]]:
    """System -> flow -> column -> the source's."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(seed="demo", today=TODAY, days=1, limits=PLENTY) as box:
        demo = Demo.open(box, Path(folder))
        return {
            name: {flow.name: demo.made_of(flow) for flow in system.flows}
            for name, system in systems().items()
            if name != ERP
        }


def text(words: Any, made_of: Any) -> str:
    return json.dumps({"words": words, "made_of": made_of}, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    said, found = words(), made_of()
    for name, system in systems().items():
        Path(str(files(system.package) / FILE)).write_text(text(said[name], found.get(name, {})), encoding="utf-8")
