"""Quotas, association limits and schemas of a portal, as the specification of 2026-09 has them."""

from __future__ import annotations

from mlc_dagster.sandbox.hubspot.answers import error_answer, missing_scopes
from mlc_dagster.sandbox.hubspot.objects import Objects, Row
from mlc_dagster.sandbox.wire import Answer, answer_json

TYPE_IDS = {"contacts": "0-1", "companies": "0-2", "deals": "0-3", "line_items": "0-8", "invoices": "0-53"}
OVERALL = 10_000
"""Custom properties of a portal: observed (facts/hubspot.md, section 5)."""


def answer(objects: Objects, near: dict[str, bool], most: int, rest: list[str]) -> Answer:
    """What is answered under /crm/limits and /crm-object-schemas."""
    if not objects.traits.may_read_limits:
        return missing_scopes("crm.objects.companies.read")
    match rest:
        case ["custom-properties"]:
            return answer_json(200, custom_properties(objects, most))
        case ["associations", "records", "from"]:
            return answer_json(200, association_limits(near))
        case ["schemas", kind] if kind in TYPE_IDS:
            return answer_json(200, schema(objects, kind))
    return error_answer(404, "Not found", "OBJECT_NOT_FOUND")


def custom_properties(objects: Objects, most: int) -> Row:
    """Limit and usage, of the portal and of each object type. `most`: properties of one type."""
    usage = {kind: len(own(objects, kind)) for kind in TYPE_IDS}
    by_type = [
        {**_named(kind), "limit": most, "usage": used, "percentage": used / most if most else 1}
        for kind, used in usage.items()
    ]
    total = sum(usage.values())
    return {
        "overallLimit": OVERALL,
        "overallUsage": total,
        "overallPercentage": total / OVERALL,
        "byObjectType": by_type,
    }


def own(objects: Objects, kind: str) -> list[str]:
    """The properties that somebody added."""
    return [name for name, each in objects.properties[kind].items() if each["groupName"] != f"{kind}_information"]


def association_limits(near: dict[str, bool]) -> Row:
    """Object types with records near a limit (False) or at it (True)."""
    results = [
        {**_named(kind), "hasRecordsAtLimit": is_at, "hasRecordsNearLimit": not is_at} for kind, is_at in near.items()
    ]
    return {"results": results}


def schema(objects: Objects, kind: str) -> Row:
    """An object type with what it requires."""
    return {
        "id": TYPE_IDS[kind],
        "objectTypeId": TYPE_IDS[kind],
        "name": kind,
        "allowsSensitiveProperties": False,
        "fullyQualifiedName": kind,
        "labels": {"singular": kind, "plural": kind},
        "requiredProperties": objects.required_of(kind),
        "searchableProperties": [],
        "secondaryDisplayProperties": [],
        "properties": [],
        "associations": [],
        "archived": False,
    }


def _named(kind: str) -> Row:
    return {"objectTypeId": TYPE_IDS[kind], "pluralLabel": kind, "singularLabel": kind}
