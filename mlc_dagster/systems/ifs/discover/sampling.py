"""One row of every set that a proposal names: may it be read, is any visible, and what only a value tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlc_dagster.core.errors import MlcError
from mlc_dagster.systems.ifs.discover.entity_sets import Absent, FoundSet
from mlc_dagster.systems.ifs.discover.known_names import Place
from mlc_dagster.systems.ifs.discover.matching import Matched
from mlc_dagster.systems.ifs.discover.services import Services

CODE = re.compile(r"[A-Z]{2}")
"""A country as ISO 3166 has it."""


@dataclass(frozen=True)
class Sample:
    """What came of the question for one row. `rows` None: it was refused, and `why` says so."""

    rows: int | None
    why: str = ""


def sampled(found: FoundSet | Absent, services: Services) -> tuple[FoundSet | Absent, Sample]:
    """A row of the set itself, of each that holds a part of it, and of that of its lines."""
    if isinstance(found, Absent) or not found.keys.wires:
        return found, Sample(0)
    rows: list[list[Mapping[str, Any]]] = []
    for place, columns in _asked(found, services):
        try:
            rows.append(services.first_rows(place, columns))
        except MlcError as error:
            return found, Sample(None, f"{place} refuses a row: {error.message}")
    seen = max(map(len, rows)) if found.parts else len(rows[0])
    return _coded(found, rows[0], services), Sample(seen)


def _asked(found: FoundSet, services: Services) -> Iterator[tuple[Place, list[str]]]:
    for part in found.parts:
        own = [one.wire for one in (*part.keys.fields.values(), *part.fields.values()) if one.wire]
        yield part.place, own
    if not found.parts:
        yield found.place, [*found.columns, *(name for name in _codes(found, services) if name not in found.columns)]
    if found.lines and found.lines.place:
        yield found.lines.place, found.lines.columns


def _codes(found: FoundSet, services: Services) -> dict[str, str]:
    """Column with the code -> our field, where the tenant has a column with its name, too."""
    types = services.of(found.place).model.properties_of(found.kind)
    return {code: name for name, code in found.known.codes.items() if code in types and found.fields[name].is_exact}


def _coded(found: FoundSet, rows: list[Mapping[str, Any]], services: Services) -> FoundSet:
    """`Country` says SE on one tenant and SWEDEN on another: then CountryCode is what we read."""
    fields = dict(found.fields)
    for code, name in _codes(found, services).items():
        usual = fields[name]
        values = [row.get(str(usual.wire)) for row in rows]
        if any(isinstance(value, str) and value and not CODE.fullmatch(value) for value in values):
            words = f"{usual.wire} holds names here"
            fields[name] = Matched(code, "Edm.String", usual.sought, note=words)
    return replace(found, fields=fields)
