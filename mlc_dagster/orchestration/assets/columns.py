"""The columns of an asset as the UI and a catalogue show them: types, words, and what each is made of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from typing import Any

import dagster as dg
import pyarrow as pa

from mlc_dagster.core.arrow_columns import schema_of
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert
from mlc_dagster.core.vocabulary import ERP, EntitySet, Record
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.settings import Settings
from mlc_dagster.systems import columns
from mlc_dagster.systems.ifs.schema.catalogue import wire_name

SCHEMA, LINEAGE = "dagster/column_schema", "dagster/column_lineage"
NAMED = 4
"""Columns that a sentence names; the lineage has all of them."""

BESIDE = {
    "mlc_key": "The source row's own key: what the ledger knows the record by, and its reference on the target",
    "mlc_version": "When the source changed it",
    "mlc_fingerprint": "Of all that is sent: equal content, equal text",
    "mlc_source": "The same of the source's record",
    "mlc_read_number": "Of the walk that read it: a higher one is newer",
}
"""What is stored with each prepared record beside its own columns."""


_column, _dep = lru_cache(20_000)(dg.TableColumn), lru_cache(20_000)(dg.TableColumnDep)
"""Prepared and loaded assets, and twenty tenants of one location, have the same ones."""


def schema(record: type[Record], words: Callable[[str], str] = lambda _: "") -> dg.TableSchema:
    """The columns as Arrow stores them; what is below one has a path of its own: "lines[].account".

    `words`: what is told of a column.
    """
    found = [part for field in schema_of(record) for part in _columns(field.name, field.type)]
    return dg.TableSchema([_column(name, kind, inert(words(name)) or None) for name, kind in found])


def _columns(path: str, kind: pa.DataType) -> Iterator[tuple[str, str]]:
    inner = kind.value_type if pa.types.is_list(kind) else kind
    below = f"{path}[]" if pa.types.is_list(kind) else path
    is_struct = pa.types.is_struct(inner)
    yield path, {True: "list" if inner is not kind else "struct"}.get(is_struct, str(kind))
    for field in inner if is_struct else ():
        yield from _columns(f"{below}.{field.name}", field.type)


# --- what is read -----------------------------------------------------------------------------------------------------


def of_source(entity: EntitySet, system: str) -> dg.TableSchema:
    """Where each column comes from, in the words of the system that it is read from, and what it is.

    `system`: what the connection leads to.
    """
    said = columns.words_of(system, "read", entity.name)

    def words(name: str) -> str:
        return _with(where_from(entity, name), said.get(name, "") if columns.has(entity, name) else "")

    return schema(entity.record, words)


def where_from(entity: EntitySet, column: str) -> str:
    """Order no. of an order is OrderNo of PurchaseOrderSet."""
    lines = entity.lines
    if lines and column == lines.field:
        return f"The lines, from {lines.path}" if lines.path else "The lines"
    if not columns.has(entity, column):
        return f"Not there: {lines.path if lines and '.' in column else entity.path} does not have it in this tenant"
    if column in entity.sums:
        return f"The sum of {entity.sums[column]} over the lines"
    if any(column in each.fields for each in entity.children):
        return "From what stands below each row"
    name = column.rpartition(".")[2]
    if lines and column.startswith(f"{lines.field}[]."):
        return f"{_wire(name, lines.wire, entity.system)} of {lines.path or 'the lines'}"
    return f"{_wire(name, entity.wire, entity.system)} of {entity.path}"


def _wire(name: str, wire: Mapping[str, str], system: str) -> str:
    return wire_name(name, wire) if system == ERP else wire.get(name, name)


# --- what is made of it -----------------------------------------------------------------------------------------------


def made_of(flow: Flow, added: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Column -> those of the source. `added`: field -> its name there, of the fields that mlc.yaml adds to the flow."""
    names = flow.target.record.__struct_fields__
    of_cells = {f"cells[{field}]": (field,) for field in added if "cells" in names}
    of_extra = {f"extra[{own}]": (field,) for field, own in added.items() if "extra" in names}
    return {**columns.made_of(flow), **of_cells, **of_extra}


def of_prepared(flow: Flow, added: Mapping[str, str]) -> dg.TableSchema:
    """The same as what is loaded of it, and what is stored beside."""
    found = of_loaded(flow, added)
    beside = [_column(name, "string" if name != "mlc_read_number" else "int64", BESIDE[name]) for name in BESIDE]
    return dg.TableSchema([*found.columns, *beside])


def of_loaded(flow: Flow, added: Mapping[str, str]) -> dg.TableSchema:
    """What each column is, and of which columns of the source the mapping makes it. A record of cells has a column for
    each cell that is sent, and not for the parts of a cell.
    """
    said, made = columns.words_of(flow.systems[1], "sent", flow.target.name), made_of(flow, added)

    def words(name: str) -> str:
        return _with(said.get(name, ""), _made_of(made.get(name, ()), "/".join(flow.source.key)))

    cells = [name for name in made if name.endswith("]")]
    of_cells = {name.partition("[")[0] for name in cells}
    own = [each for each in schema(flow.target.record, words).columns if _is_whole(each.name, of_cells)]
    return dg.TableSchema([*own, *(_column(name, "list<item: string>", inert(words(name))) for name in cells)])


def _is_whole(name: str, of_cells: Collection[str]) -> bool:
    return "[]" not in name or name.partition("[")[0] not in of_cells


def _made_of(names: tuple[str, ...], source: str) -> str:
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"From {', '.join(names[:NAMED])}{rest} of {source}" if names else ""


def _with(words: str, more: str) -> str:
    """One sentence, or two."""
    return ". ".join(f"{each[0].upper()}{each[1:]}" for each in (words, more) if each)


# --- lineage ----------------------------------------------------------------------------------------------------------


def lineage_of_prepared(flow: Flow, added: Mapping[str, str]) -> dg.TableColumnLineage:
    """Column -> those of the source that its value depends on."""
    source = dg.AssetKey(list(flow.source.key))
    found = made_of(flow, added).items()
    return _lineage({name: [(source, each) for each in made] for name, made in found if made})


def lineage_of_loaded(flow: Flow, added: Mapping[str, str]) -> dg.TableColumnLineage:
    """What is loaded is what was prepared, column by column."""
    prepared = dg.AssetKey(list(prepared_key(flow)))
    return _lineage({each.name: [(prepared, each.name)] for each in of_loaded(flow, added).columns})


def _lineage(found: Mapping[str, list[tuple[dg.AssetKey, str]]]) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        {name: [_dep(asset, column) for asset, column in deps] for name, deps in found.items()}
    )


# --- as an asset has it -----------------------------------------------------------------------------------------------


def prepared_metadata(flow: Flow, settings: Settings) -> dict[str, Any]:
    added = _added(flow, settings)
    return {SCHEMA: of_prepared(flow, added), LINEAGE: lineage_of_prepared(flow, added)}


def loaded_metadata(flow: Flow, settings: Settings) -> dict[str, Any]:
    added = _added(flow, settings)
    return {SCHEMA: of_loaded(flow, added), LINEAGE: lineage_of_loaded(flow, added)}


def _added(flow: Flow, settings: Settings) -> Mapping[str, str]:
    """Field of the source -> what the target calls it, of those that mlc.yaml adds to the flow."""
    found: Mapping[str, str] = settings.target(flow.spoke).extras.get(flow.key[-1], {})
    return found
