"""What is told of a supplier that was saved, and what both sides agree on from then on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from mlc_dagster.core.outcomes import Agreed, Draft, Saved
from mlc_dagster.core.shown_values import kept_otherwise
from mlc_dagster.core.vocabulary import EntitySet, Row, key_text, version_of
from mlc_dagster.systems.ifs.supplier_records import SHARED
from mlc_dagster.systems.ifs.writing.read_back import Compared
from mlc_dagster.systems.ifs.writing.supplier_read_back import expected_supplier
from mlc_dagster.systems.ifs.writing.supplier_values import NO_LISTS, left_out, told_of
from mlc_dagster.systems.shared.supplier_lists import Aligned
from mlc_dagster.systems.shared.three_way_merge import agreement

Action = Literal["created", "updated", "adopted"]


def outcome(
    entity: EntitySet,
    draft: Draft,
    row: Row,
    action: Action,
    before: Agreed | None,
    values: Mapping[str, str],
    written: Collection[str],
    left: Collection[str] = (),
    lists: Aligned = NO_LISTS,
) -> Saved:
    """`left`: fields of which the ERP's value counts, and goes to the SaaS: until it has it, both sides differ."""
    number = str(row["supplier_id"])
    there = {name: _there(name, row, lists, written) for name in values}
    same = {name: value for name, value in values.items() if there[name] == value}
    other = {name: there[name] for name in written if name in values and kept_otherwise(values[name], there[name])}
    shown = {name: value for name, value in other.items() if name not in same}
    remembered = agreement(
        before,
        {**same, **{name: values[name] for name in shown}, **lists.pairs},
        side="ifs",
        written=written,
        version=version_of(row["last_modified"]),
        link=draft.record.external_ref,
        shown=shown,
    )
    detail = f"{number} {row['name'] or ''}".strip() + left_out(entity, draft.record) + told_of(lists)
    compared = Compared(entity, SHARED)
    told = {} if action == "created" else compared.otherwise(expected_supplier(compared, draft.record), row)
    differs = {compared.names[name] for name in left if name in compared.names}
    told = {name: value for name, value in told.items() if name not in differs}
    return Saved(draft, number, action, detail=detail, agreed=(key_text(number), remembered), shown=told)


def _there(name: str, row: Row, lists: Aligned, written: Collection[str]) -> str:
    """What the ERP has by now: of an entry of a list what was written, or what was read."""
    if "/" not in name:
        return (row[name] or "").strip()
    return lists.theirs[name] if name in written else lists.ours[name]
