"""Fields that people added to Procurify, and projects, as items and documents carry them. Pure.

`{"id": 7, "value": "Apollo", "field": {"id": 3, "name": "Project", ...}}` by the specification of 2026, on orders,
their items and the items of bills; a check box is a JSON boolean. Of projects nothing is published: a member `project`,
where there is one, is taken as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mlc_dagster.systems.procurify.documents.departments import text

Document = Mapping[str, Any]


def added_fields(*places: Any) -> dict[str, Any]:
    """Values of records.Allocation that stand in the document, the order's item and the item: the last one counts."""
    found = [place for place in places if isinstance(place, Mapping)]
    fields = {name: value for place in found for name, value in _filled_in(place)}
    told: dict[str, Any] = {"custom_fields": as_rows(fields)} if fields else {}
    for place in found:
        told |= _project(place.get("project"))
    return told


def common_fields(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What all items of a bill say alike: a cost of the whole bill has no fields of its own."""
    each = [{field["name"]: field["value"] for field in row.get("custom_fields") or ()} for row in rows]
    same = {name: value for name, value in (each[0] if each else {}).items() if all(e.get(name) == value for e in each)}
    return {"custom_fields": as_rows(same)} if same else {}


def as_rows(fields: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in sorted(fields.items())]


def _filled_in(place: Document) -> Iterable[tuple[str, str]]:
    for each in place.get("custom_fields") or ():
        named = each.get("field") if isinstance(each.get("field"), Mapping) else each
        name, value = text(named.get("name")), each.get("value")
        shown = str(value).lower() if isinstance(value, bool) else text(value)
        if name and shown:
            yield name, shown


def _project(value: Any) -> dict[str, str | None]:
    if not isinstance(value, Mapping):
        return {"project": text(value)} if isinstance(value, str) and text(value) else {}
    code = text(value.get("external_id")) or text(value.get("code"))
    return {"project": text(value.get("name")), "project_external_id": code}
