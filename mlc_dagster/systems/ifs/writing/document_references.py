"""Where a tenant keeps our reference of a document, on its header or on its rows, and what stands under it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Literal, Protocol

from mlc_dagster.core.vocabulary import EntitySet, Row
from mlc_dagster.systems.ifs.schema.parts import lines_alone

REFERENCE = "external_ref"
ON_A_ROW = 50  # characters
Found = tuple[Row, str]
"""A row as the tenant keeps it, and its ETag."""


class FindsRows(Protocol):
    """What looking for documents needs of the client."""

    def get(self, entity: EntitySet, key: Mapping[str, object]) -> Found: ...
    def find_many(self, entity: EntitySet, field: str, values: Iterable[object], **also: object) -> list[Found]: ...


def home_of_reference(entity: EntitySet) -> Literal["header", "rows", ""]:
    """Empty: nowhere, so that a document whose answer was lost could not be found again."""
    if REFERENCE in entity.record.__struct_fields__ and REFERENCE not in entity.not_selected:
        return "header"
    lines = entity.lines
    is_on_rows = lines is not None and lines.path and REFERENCE in lines.record.__struct_fields__
    return "rows" if is_on_rows and lines is not None and REFERENCE not in lines.absent else ""


def short(reference: str) -> str:
    """As a row keeps it, in 50 characters (facts/ifs-tenants.md, section 3.5): a longer one ends in a hash."""
    if len(reference) <= ON_A_ROW:
        return reference
    digest = blake2b(reference.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return f"{reference[: ON_A_ROW - 13]}~{digest}"


def rows_as_set(entity: EntitySet) -> EntitySet | None:
    """The lines of a set as a set of their own; None where they have none."""
    lines = entity.lines
    return lines_alone(entity, lines) if lines is not None and lines.path else None


def find_by_reference(client: FindsRows, entity: EntitySet, references: Iterable[str]) -> dict[str, list[Found]]:
    """Reference -> the documents that stand under it, in whatever state."""
    found: dict[str, list[Found]] = defaultdict(list)
    if entity.is_off or not (home := home_of_reference(entity)):
        return found
    full = {written: each for each in references for written in (short(each), each)}
    if home == "header":
        for row, etag in client.find_many(entity, REFERENCE, full):
            found[full[str(row[REFERENCE])]].append((row, etag))
        return found
    rows = rows_as_set(entity)
    assert rows is not None
    keys: dict[tuple[object, ...], str] = {}
    for row, _ in client.find_many(rows, REFERENCE, full):
        keys[tuple(row[name] for name in entity.keys)] = full[str(row[REFERENCE])]
    for key, reference in keys.items():
        header, etag = client.get(entity, dict(zip(entity.keys, key, strict=True)))
        found[reference].append(({**header, REFERENCE: reference}, etag))
    return found


def why_not_entered(entity: EntitySet, name: str, setting: str) -> str:
    """Why no document can be posted to the set directly, with the setting that helps; empty where it can."""
    where = f"ifs.entity_sets.{entity.name}"
    other = f"set {setting}: external in mlc.yaml" if setting else "switch the flow off"
    if entity.is_off:
        return f"This tenant has no entity set for a {name}. Name it under {where}, or {other}."
    if entity.header_from_rows:
        return (
            f"{entity.path} holds rows alone, and no header of a {name} can be made there. Name a set with headers "
            f"under {where}, or {other}."
        )
    if not home_of_reference(entity):
        return (
            f"{entity.path} keeps no reference of ours, so a {name} whose answer is lost could not be found again. "
            f"Name a field for it: {where}.fields.{REFERENCE}, or {where}.lines.fields.{REFERENCE}."
        )
    return ""
