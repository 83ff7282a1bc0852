"""Departments and locations as Procurify lists them, for documents that carry no more than their names. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlc_dagster.systems.procurify.time_zones import zone_of

Document = Mapping[str, Any]


@dataclass(frozen=True)
class DepartmentIndex:
    """What documents leave out of departments and locations: some carry no more than a department's name."""

    departments: Mapping[str, Document] = field(default_factory=dict)  # by "id 12" and by name
    locations: Mapping[str, Document] = field(default_factory=dict)
    time_zones: Mapping[str, str] = field(default_factory=dict)  # by mlc.yaml: location's name or external id -> zone

    def of(self, department: Document | None) -> dict[str, Any]:
        """The department with its location, as text."""
        if not department:
            return {}
        whole = self._whole(department)
        location = self._location(whole)
        return {
            "department": text(whole.get("name")),
            "department_external_id": text(whole.get("external_id")),
            "location": text(location.get("name")),
            "location_external_id": text(location.get("external_id")),
        }

    def zone(self, department: Document) -> str:
        """The time zone of its location: mlc.yaml's word, else Procurify's; "" where neither says one."""
        location = self._location(self._whole(department))
        names = [str(location[name]) for name in ("name", "external_id") if location.get(name)]
        return next((self.time_zones[name] for name in names if name in self.time_zones), "") or zone_of(location)

    def _whole(self, department: Document) -> Document:
        return {**_known(self.departments, department), **{k: v for k, v in department.items() if v not in (None, "")}}

    def _location(self, department: Document) -> Document:
        branch = department.get("branch") or {}
        return {**_known(self.locations, branch), **branch}


def by_id_and_name(rows: Sequence[Document]) -> dict[str, Document]:
    """A name that two have names neither."""
    names = [str(row.get("name")) for row in rows]
    return {
        **{name: row for name, row in zip(names, rows, strict=True) if names.count(name) == 1},
        **{f"id {row['id']}": row for row in rows},
    }


def _known(rows: Mapping[str, Document], one: Document) -> Document:
    return rows.get(f"id {one.get('id')}") or rows.get(str(one.get("name"))) or {}


def text(value: Any) -> str | None:
    """Trimmed, a number in its digits; None where nothing is left."""
    return (None if value is None else str(value).strip()) or None
