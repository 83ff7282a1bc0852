"""What each record is when it is stored: its columns, a sample, and the fingerprint of it, as the ledger keeps them.

`python -m mlc_dagster_tests.systems.stored_records` writes them anew, for records that came since. A line that changes
or goes is a change of what is stored: rows on disk and deliveries in the ledger no longer mean what they meant.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pyarrow as pa

from mlc_dagster.core.arrow_columns import schema_of
from mlc_dagster.core.vocabulary import Record, fingerprint
from mlc_dagster.systems.ifs.records import ENTITY_SETS
from mlc_dagster.systems.registry import systems

KEPT = Path(__file__).with_suffix(".json")
"""{"records": {name: {"columns": {path: Arrow type}, "sample": ..., "fingerprint": ...}}, "flows": {name: ...}}."""

_ENCODER = msgspec.json.Encoder(decimal_format="string")

SAMPLES: dict[Any, Any] = {
    str: "0010",
    int: 7,
    bool: True,
    Decimal: "12.5",
    date: "2026-11-05",
    datetime: "2026-11-05T23:59:59.000001Z",
}


def records() -> dict[str, type[Record]]:
    """By what they are called where they are stored, and not by their classes: "read ifs/supplier_set"."""
    found = {f"read ifs/{entity.name}": entity.record for entity in ENTITY_SETS}
    for system in systems().values():
        for flow in system.flows:
            found[f"read {'/'.join(flow.source.key)}"] = flow.source.record
            found[f"sent {flow.target.system}/{flow.target.name}"] = flow.target.record
        for reference in system.references:
            found[f"kept {system.name}/{reference.name}"] = reference.record
    return found


def columns(record: type[Record]) -> dict[str, str]:
    """Path -> Arrow type; what is below a column has a path of its own: "lines[].account"."""
    return {path: kind for field in schema_of(record) for path, kind in _columns(field.name, field.type)}


def _columns(path: str, kind: pa.DataType) -> Iterator[tuple[str, str]]:
    if pa.types.is_list(kind):
        yield from _columns(f"{path}[]", kind.value_type)
    elif pa.types.is_struct(kind):
        for field in kind:
            yield from _columns(f"{path}.{field.name}", field.type)
    else:
        yield path, str(kind)


def sample_of(record: type[Record]) -> dict[str, Any]:
    """A value in each field, as JSON has it, and never the default: that is left out when a record is encoded."""
    hints = get_type_hints(record)
    return {
        field.name: not field.default if isinstance(field.default, bool) else _sample(hints[field.name])
        for field in msgspec.structs.fields(record)
    }


def _sample(hint: Any) -> Any:
    origin, inner = get_origin(hint), [part for part in get_args(hint) if part is not NoneType]
    if origin in (Union, UnionType):
        return _sample(inner[0])
    if origin in (tuple, list):
        return [_sample(inner[0])]
    if origin is Literal:
        return inner[-1]
    if issubclass(hint, enum.Enum):
        return list(hint)[-1].value
    return sample_of(hint) if issubclass(hint, Record) else SAMPLES[hint]


def stored(record: type[Record], sample: dict[str, Any]) -> tuple[Any, str]:
    """The sample as it is encoded, and its fingerprint."""
    made = msgspec.convert(sample, record, strict=False)
    return json.loads(_ENCODER.encode(made)), fingerprint(made)


def flows() -> dict[str, dict[str, Any]]:
    """Names that the ledger keeps of each flow: of its rules, of what it needs, of its pair, writer and references."""
    return {
        flow.name: {
            "rules": [rule.__name__ for rule in flow.rules],
            "needs": list(flow.needs),
            "kept": [flow.pair, flow.writer, flow.marks, *flow.source.key, flow.target.name, *flow.source.keys],
        }
        for system in systems().values()
        for flow in system.flows
    }


def _described(record: type[Record]) -> dict[str, Any]:
    sample = sample_of(record)
    return {"columns": columns(record), "sample": sample, "fingerprint": stored(record, sample)[1]}


if __name__ == "__main__":
    found = {"records": {name: _described(record) for name, record in sorted(records().items())}, "flows": flows()}
    KEPT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
