"""What the supplier master keeps of a supplier in child entities: read beside it, and written with their ETags."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import msgspec

from mlc_dagster.core.errors import StaleRecord
from mlc_dagster.core.vocabulary import ChildSet, EntitySet, Record, Row
from mlc_dagster.systems.ifs.odata.expressions import key_path
from mlc_dagster.systems.ifs.schema.catalogue import extended, fields_of
from mlc_dagster.systems.ifs.schema.child_sets import list_record
from mlc_dagster.systems.ifs.supplier_child_records import OWN_KEYS, ContactPerson, PostalAddress
from mlc_dagster.systems.ifs.writing.document_entry import Found
from mlc_dagster.systems.shared.supplier_lists import FIELDS, Aligned, Lists, by_entry

MOST = 1000  # contacts, or addresses, of one supplier
COMPANY = "company"


class ChildClient(Protocol):
    """What the rows below a supplier need of the client."""

    def find(self, entity: EntitySet, most: int = 10, *, latest_by: str = "", **conditions: object) -> list[Found]: ...
    def create(self, entity: EntitySet, row: Mapping[str, Any]) -> Found: ...
    def modify(
        self, entity: EntitySet, key: Mapping[str, object], change: Callable[[Row], Mapping[str, Any]]
    ) -> Found: ...


@dataclass(frozen=True)
class Below:
    """What stands in the written children of one supplier."""

    values: Mapping[str, Any]  # fields of the supplier's own record
    there: frozenset[str]  # navigation or path of the children that have a row
    lists: Lists


NOTHING = Below({}, frozenset(), Lists((), ()))
"""Of a supplier that is not there yet."""


class ChildRows:
    """The children of the supplier set that mlc.yaml lets us write: `writes: true`."""

    def __init__(self, client: ChildClient, entity: EntitySet) -> None:
        self._client, self._entity = client, entity
        written = [child for child in entity.children if child.is_written]
        self._flat = [child for child in written if not child.field]
        self._lists = {child.field: child for child in written if child.field}

    @property
    def fields(self) -> frozenset[str]:
        """Of the supplier's own record, those that are written in a child."""
        return frozenset(name for child in self._flat for name in child.fields)

    def keeps(self, of: str) -> bool:
        """Whether contacts, or addresses, are written."""
        return of in self._lists

    def below(self, number: str, wanted: Iterable[str]) -> Below:
        """As the ERP has them now. `wanted`: what the SaaS says something of: only that is asked for."""
        asked, values, there = frozenset(wanted), dict[str, Any](), set[str]()
        for child in self._flat:
            if asked & child.fields.keys():
                rows = self._rows(child, number)
                values |= {name: rows[0][name] if rows else None for name in child.fields}
                there |= {_name(child)} if rows else set()
        lists: dict[str, Any] = {
            of: tuple(self._record(of, row) for row in self._rows(child, number))
            for of, child in self._lists.items()
            if of in asked
        }
        return Below(values, frozenset(there), Lists(**lists))

    def _record(self, of: str, row: Row) -> ContactPerson | PostalAddress:
        record: Any = list_record(self._entity.record, of)
        found: ContactPerson | PostalAddress = msgspec.convert(
            {name: row.get(name) for name in fields_of(record)}, record
        )
        return found

    def _rows(self, child: ChildSet, number: str) -> list[Row]:
        entity, links = self._set(child, number), {} if child.navigation else {"supplier_id": number}
        company = {COMPANY: child.company} if child.company is not None else {}
        return [row for row, _ in self._client.find(entity, MOST, **links, **company)]

    # --- writing ------------------------------------------------------------------------------------------------------

    def write(self, number: str, values: Mapping[str, str], below: Below) -> None:
        """Fields of the supplier that stand in children; a row is made where there is none.

        Raises StaleRecord where somebody else changed one of them since, RecordRejected, OutcomeUnknown.
        """
        for child in self._flat:
            said = {name: value or None for name, value in values.items() if name in child.fields}
            if said and _name(child) in below.there:
                seen = {name: below.values[name] for name in said}
                self._client.modify(self._set(child, number), self._key(child, number, {}), _change(said, seen))
            elif given := {name: value for name, value in said.items() if value is not None}:
                self._client.create(self._set(child, number), {**self._links(child, number), **given})

    def write_lists(self, number: str, written: Mapping[str, str], aligned: Aligned, below: Below) -> dict[str, str]:
        """Entries of contacts and addresses; the ids of those that were made: "contacts/anna berg#ifs" -> id."""
        made: dict[str, str] = {}
        for of, child in self._lists.items():
            rows = {getattr(each, OWN_KEYS[of]): each for each in getattr(below.lists, of) or ()}
            for entry, said in by_entry(written, of).items():
                known = rows.get(aligned.id_of(entry, "ifs"))
                if known is None:
                    made[f"{entry}#ifs"] = self._made(of, child, number, said, aligned.types.get(entry, ""))
                else:
                    values = {name: value or None for name, value in said.items()}
                    seen = {name: getattr(known, name) for name in said}
                    key = self._key(child, number, {OWN_KEYS[of]: getattr(known, OWN_KEYS[of])})
                    self._client.modify(self._set(child, number), key, _change(values, seen))
        return {name: each for name, each in made.items() if each}

    def _made(self, of: str, child: ChildSet, number: str, said: Mapping[str, str], kind: str) -> str:
        given = {name: value for name, value in said.items() if value and name in FIELDS[of]}
        typed = {"address_type": kind} if kind else {}
        row, _ = self._client.create(self._set(child, number), {**self._links(child, number), **typed, **given})
        return str(row.get(OWN_KEYS[of]) or "")

    # --- the set, below one supplier ----------------------------------------------------------------------------------

    def _set(self, child: ChildSet, number: str) -> EntitySet:
        """The child as a set of its own; an array is one that begins with the path of its supplier."""
        entity = self._entity
        record = list_record(entity.record, child.field) if child.field else entity.record
        wire = {**child.fields, **child.on}
        has = self._has(child, record)
        above = key_path(entity, {"supplier_id": number})
        return replace(
            entity,
            path=f"{above}/{child.navigation}" if child.navigation else child.path,
            projection=child.projection or entity.projection,
            surface=child.surface or entity.surface,
            record=_with_company(record) if child.company is not None else record,
            keys=(*child.on, *((COMPANY,) if child.company is not None else ()), *child.keys),
            wire=wire,
            absent=frozenset(fields_of(record)) - has,
            constants=child.constants,
            modified=None,
            lines=None,
            sums={},
            children=(),
            types={},
        )

    def _has(self, child: ChildSet, record: type[Any]) -> frozenset[str]:
        if child.field:
            told = frozenset(fields_of(record)) - child.gone
            return told if "supplier_id" in child.on else told - {"supplier_id"}
        return frozenset(child.fields) | frozenset(child.on)

    def _links(self, child: ChildSet, number: str) -> dict[str, str]:
        company = {COMPANY: child.company} if child.company is not None else {}
        return {**dict.fromkeys(child.on, number), **company}

    def _key(self, child: ChildSet, number: str, own: Mapping[str, Any]) -> dict[str, Any]:
        return {**self._links(child, number), **own}


def _with_company(record: type[Record]) -> type[Record]:
    return extended(record, (COMPANY,))


def _name(child: ChildSet) -> str:
    return f"{child.navigation or child.path} {child.company or ''}".strip()


def _change(values: Mapping[str, Any], seen: Mapping[str, Any]) -> Callable[[Row], Mapping[str, Any]]:
    """What is still to be written, on the row as it is now: a field that somebody else changed meanwhile is not."""

    def change(row: Row) -> Mapping[str, Any]:
        moved = [name for name in values if row[name] not in (seen[name], values[name])]
        if moved:
            raise StaleRecord(f"{', '.join(moved)} changed in IFS while it was written: it is compared anew")
        return {name: value for name, value in values.items() if row[name] != value}

    return change
