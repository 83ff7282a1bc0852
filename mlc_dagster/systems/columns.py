"""What the columns of assets are: words for each, and of which columns of the source a mapping makes it.

Both stand in `columns.json` of a system's folder. It is made of the comments beside the records' fields and of the
mappings themselves (`python -m mlc_dagster_tests.systems.columns`), and a test holds it to them. A package that brings
no such file has columns without words and no column lineage.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP, EntitySet, renamed
from mlc_dagster.systems.registry import systems

FILE = "columns.json"
"""{"words": {"read purchase_order_set": {column: words}}, "made_of": {flow: {column: [column of the source]}}}."""

Words = Mapping[str, str]


def words_of(system: str, kind: Literal["read", "sent", "kept"], name: str) -> Words:
    """Column ("lines[].account") -> what it is; empty where nothing is said of it.

    `kind`: rows that are read of a set, records that are sent to a target, or a list that is kept of a reference.
    """
    found: Words = _kept(system)["words"].get(f"{kind} {name}", {})
    return found


def made_of(flow: Flow) -> dict[str, tuple[str, ...]]:
    """Column of what is prepared -> the columns of what is read that its value depends on, those alone that the tenant
    has; and the fields that mlc.yaml adds to the flow are not among them.
    """
    own = next(name for name in flow.systems if name != ERP)
    known = _kept(own)["made_of"].get(renamed(flow.name, flow.spoke, own), {})
    return {column: tuple(name for name in names if has(flow.source, name)) for column, names in known.items()}


def has(entity: EntitySet, column: str) -> bool:
    """Whether the tenant has a column, or one of a line."""
    line = column.removeprefix(f"{entity.lines.field}[].") if entity.lines else column
    return line not in entity.lines.absent if entity.lines and line != column else column not in entity.absent


@cache
def _kept(system: str) -> dict[str, Any]:
    package = systems()[system].package
    place = files(package) / FILE if package else None
    if place is None or not place.is_file():
        return {"words": {}, "made_of": {}}
    found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return found
