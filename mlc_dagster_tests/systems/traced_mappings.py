"""What a mapping makes of which column: each value of the sandbox's records is changed alone, and the target looked at.

Nothing is declared twice: a column of the target is made of those of the source whose change alters it. The rows are
the demo's, the facts those that the assets would have (charts, books, what mlc.yaml says), and every record that a flow
needs counts as delivered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from mlc_dagster.core.arrow_columns import records_of, source_schema
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import EntitySet, Pull, Record
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.partitions import scope_of
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs.records import catalogue_for
from mlc_dagster_tests.promises.journey import Journey
from mlc_dagster_tests.systems.stored_records import sample_of

ROWS, TRIED, OTHERS, EMPTIED = 10, 2, 3, 2
"""Records of a flow that are tried, and lines of each; values of other records that stand in for one of theirs; and
records that are tried once more without each of their columns: what counts only where another one is missing."""
TODAY = date(2026, 11, 5)
Where = tuple[str | int, ...]
"""("lines", 0, "account")."""


class Delivered(dict[str, str]):
    """Everything that a flow needs is in the target, under an id that its key makes."""

    def get(self, key: str, default: Any = None) -> Any:
        return f"id of {key}"


class EveryFlow(dict[str, Mapping[str, str]]):
    def get(self, key: str, default: Any = None) -> Any:
        return Delivered()


def traced(flow: Flow, records: Sequence[Record], facts: Facts, emptied: int = EMPTIED) -> dict[str, list[str]]:
    """Column of the target -> those of the source that it is made of, in the order of both records."""
    facts = replace(facts, delivered=EveryFlow())
    found: dict[str, set[str]] = {}
    others = _values(records)
    for record in (*records, *(less for each in records[:emptied] for less in _without_each(each))):
        before = _mapped(flow, record, facts)
        if before is None:
            continue
        for where, value in _leaves(record):
            column = _column(where)
            for other in _instead(value, others[column]):
                after = _mapped(flow, _with(record, where, other), facts)
                for target in _altered(before, after) if after is not None else ():
                    found.setdefault(target, set()).add(column)
    order = list(others)
    return {target: sorted(_finest(columns), key=order.index) for target, columns in sorted(found.items())}


def _finest(columns: set[str]) -> set[str]:
    """A list counts for itself where none of its columns does."""
    return {column for column in columns if not any(other.startswith(f"{column}[]") for other in columns)}


def _without_each(record: Record) -> Iterator[Record]:
    """The record without one of its columns, on no line either; as if the tenant did not have it."""
    columns = {_column(where) for where, value in _leaves(record) if value is not None and not isinstance(value, tuple)}
    for column in sorted(columns):
        less = record
        for where, _ in _leaves(record):
            if _column(where) == column:  # of the lines that are tried
                less = _with(less, where, None)
        yield less


def _mapped(flow: Flow, record: Record, facts: Facts) -> dict[str, list[str]] | None:
    """Column -> its values; None where this record cannot be mapped at all."""
    try:
        made = flow.mapping(record, facts)
    except Exception:
        return None  # what cannot be mapped is held: it tells nothing of columns
    found: dict[str, list[str]] = {}
    for where, value in _leaves(made, keyed=True):
        found.setdefault(_column(where), []).append(repr(value))
    return found


def _altered(before: dict[str, list[str]], after: dict[str, list[str]]) -> Iterator[str]:
    """Which columns differ. Where rows, or a whole part, came or went it is the list that did, or the part, and not
    each column of it.
    """
    every = before.keys() | after.keys()
    whole = {_part(column) for column in every if len(before.get(column, ())) != len(after.get(column, ()))}
    yield from whole
    for column in every:
        if _part(column) not in whole and sorted(before[column]) != sorted(after[column]):
            yield column


def _part(column: str) -> str:
    """lines[].account is of lines, contact.email of contact; cells[amount] is a column of its own."""
    return column.partition("[].")[0].partition(".")[0]


def _leaves(value: Any, where: Where = (), *, keyed: bool = False) -> Iterator[tuple[Where, Any]]:
    """Each value with its place, and each list. `keyed`: a cell is known by its field, not by its place."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _leaves(getattr(value, name), (*where, name), keyed=keyed)
    elif isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        if not keyed:
            yield where, value
        for place, each in enumerate(value if keyed else value[:TRIED]):
            named = keyed and hasattr(each, "field")
            yield from [((*where, f"[{each.field}]"), each)] if named else _leaves(each, (*where, place), keyed=keyed)
    else:
        yield where, value


def _column(where: Where) -> str:
    """lines[].account"""
    parts = ["[]" if isinstance(part, int) else part if part.startswith("[") else f".{part}" for part in where]
    return "".join(parts).lstrip(".")


def _values(records: Sequence[Record]) -> dict[str, list[Any]]:
    """Column -> its values in all the records, each once."""
    found: dict[str, list[Any]] = {}
    for record in records:
        for where, value in _leaves(record):
            known = found.setdefault(_column(where), [])
            if value not in known:
                known.append(value)
    return found


def _instead(value: Any, others: Sequence[Any]) -> Iterator[Any]:
    """Values that the column might have had: other records', none, and one that nobody has."""
    if isinstance(value, tuple):
        yield value[:-1]
        return
    yield from [other for other in others if other != value][:OTHERS]
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, str):
        yield f"{value}x"
    elif isinstance(value, Decimal | int):
        yield value + 1
    elif isinstance(value, date):
        yield value + timedelta(days=1)
    if value is not None:
        yield None


def _with(record: Any, where: Where, value: Any) -> Any:
    first, *rest = where
    if isinstance(first, int):
        return (*record[:first], _with(record[first], tuple(rest), value) if rest else value, *record[first + 1 :])
    inner = _with(getattr(record, first), tuple(rest), value) if rest else value
    return msgspec.structs.replace(record, **{first: inner})


def full(flow: Flow) -> Record:
    """A record of the source with a value in each field."""
    return msgspec.convert(sample_of(flow.source.record), flow.source.record, strict=False)


# --- the records and the facts ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Demo:
    """The demo's rows of a day, as the assets read them."""

    settings: Settings
    ledger: Ledger
    store: RowStore
    catalogue: Mapping[str, EntitySet]

    @classmethod
    def open(cls, box: Sandbox, folder: Path) -> Demo:
        """Of a sandbox with the demo's seed of TODAY."""
        settings = configuration.parse(demo_settings(box.url, TODAY, days=1), "mlc.yaml")
        ledger = Ledger.open(f"sqlite:///{folder / 'ledger.db'}")
        catalogue = catalogue_for(configuration.erp_settings(settings))
        return cls(settings, ledger, RowStore(str(folder / "rows"), ledger.stored), catalogue)

    def made_of(self, flow: Flow) -> dict[str, list[str]]:
        source = self.catalogue.get(flow.source.name, flow.source)
        journey = Journey(replace(flow, source=source), self.settings, self.ledger, self.store, "traced")
        return traced(flow, list(self._records(journey)), journey.facts())

    def _records(self, journey: Journey) -> Iterator[Record]:
        """Some of each kind, and one that has a value everywhere."""
        source = journey.flow.source
        places = sorted(self.settings.companies) if source.partition == "company" else [TODAY.isoformat()]
        for partition in places if not source.is_off else ():
            if not self.store.path(source.key, partition).exists():
                self._read(journey, partition)
            yield from self._some(source, self.store.read(source.key, partition))
        yield full(flow=journey.flow)

    def _read(self, journey: Journey, partition: str) -> None:
        """As the source asset does: of master data the first day has whatever is older, too."""
        entity, pull = journey.flow.source, Pull("/".join(journey.flow.source.key), partition)
        scope = scope_of(entity, partition, partition)
        rows = journey.client(entity.system).read(entity, scope, pull, self.ledger.sightings)
        self.store.write(entity.key, partition, source_schema(entity.record), rows, stale=lambda: pull.stale)

    def _some(self, source: EntitySet, batches: Any) -> list[Record]:
        found = [one for batch in batches for one, _, _ in records_of(batch, source.record) if one is not None]
        return found[:: max(1, len(found) // ROWS)][:ROWS]
