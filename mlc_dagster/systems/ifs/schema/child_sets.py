"""The sets and arrays below a row that hold more of its record: fields of it, or a list of rows of their own."""

from __future__ import annotations

from typing import cast, get_args, get_origin

import msgspec

from mlc_dagster.core.vocabulary import ChildSet, Record
from mlc_dagster.systems.ifs.schema.overlay import absent_now, given, named
from mlc_dagster.systems.ifs.settings import ChildSettings
from mlc_dagster.systems.ifs.supplier_child_records import OWN_KEYS


def list_record(record: type[Record], field: str | None) -> type[Record]:
    """The record of the rows that a field holds a list of."""
    hint = next(one.type for one in msgspec.structs.fields(record) if one.name == field)
    lists = [each for each in (hint, *get_args(hint)) if get_origin(each) is tuple]
    return cast(type[Record], get_args(lists[0])[0])


def child_of(names: ChildSettings) -> ChildSet:
    return ChildSet(
        fields=named({}, names.fields),
        field=names.list or "",
        keys=tuple(filter(None, [OWN_KEYS.get(names.list or "")])),
        gone=absent_now(frozenset(), names.fields),
        constants=given({}, names.constants),
        is_written=names.writes,
        navigation=names.navigation or "",
        path=names.set or "",
        projection=names.projection or "",
        surface=names.surface or "",
        on=names.on,
        company=names.company,
    )
