"""Search over the index of a portal, which may lag behind its records (facts/hubspot.md, 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from mlc_dagster.sandbox.hubspot.objects import InvalidError, Row

LONGEST_BODY, PAGE, RESULTS, GROUPS, FILTERS = 3000, 200, 10_000, 5, 6


def search(rows: Mapping[str, Row], known: Mapping[str, Any], body: Row, length: int) -> Row:
    """The answer's content. `rows`: what the index has; `known`: the properties that there are.

    Raises InvalidError for a body that is too long or that HubSpot would not read.
    """
    if length > LONGEST_BODY:
        raise InvalidError(f"The request body is longer than {LONGEST_BODY} characters")
    groups, limit = body.get("filterGroups") or [], body.get("limit", 10)
    if len(groups) > GROUPS or any(len(each.get("filters") or ()) > FILTERS for each in groups):
        raise InvalidError(f"At most {GROUPS} filter groups of {FILTERS} filters are supported")
    if not 0 < limit <= PAGE:
        raise InvalidError(f"The maximum limit of a search is {PAGE}")
    found = [row for row in rows.values() if not groups or any(_meets(row, each, known) for each in groups)]
    for by in reversed(body.get("sorts") or ()):
        found.sort(key=lambda row: _number(_value(row, by["propertyName"])), reverse=by["direction"] == "DESCENDING")
    start = int(body.get("after") or 0)
    if start + limit > RESULTS:
        raise InvalidError(f"A search goes no further than {RESULTS} results")
    page = found[start : start + limit]
    more = {"paging": {"next": {"after": str(start + limit)}}} if start + limit < len(found) else {}
    names = body.get("properties") or ()
    told = [{**row, "properties": {name: row["properties"].get(name) for name in names}} for row in page]
    return {"total": len(found), "results": told, **more}


def _meets(row: Row, group: Row, known: Mapping[str, Any]) -> bool:
    return all(_is(row, each, known) for each in group["filters"])


def _is(row: Row, condition: Row, known: Mapping[str, Any]) -> bool:
    name, operator = str(condition["propertyName"]), str(condition["operator"])
    if name not in known:
        raise InvalidError(f"There was a problem with the request: property {name} does not exist")
    value = _value(row, name)
    if operator in ("HAS_PROPERTY", "NOT_HAS_PROPERTY"):
        return bool(value) == (operator == "HAS_PROPERTY")
    if operator == "EQ":
        return value.casefold() == str(condition["value"]).casefold()
    if operator == "IN":  # values are compared in lower case, as they must be given
        return value.casefold() in list(condition["values"])
    if operator in ("GT", "GTE"):
        ours, theirs = _number(value), _number(str(condition["value"]))
        return ours > theirs or (operator == "GTE" and ours == theirs)
    if operator == "CONTAINS_TOKEN":
        return str(condition["value"]).casefold() in value.casefold().replace(";", " ").split()
    raise InvalidError(f"Invalid operator {operator}")


def _value(row: Row, name: str) -> str:
    """A property; what HubSpot itself keeps of every record stands beside them."""
    own = {"hs_object_id": row["id"], "hs_lastmodifieddate": row.get("updatedAt") or row["createdAt"]}
    return str(own.get(name) or row["properties"].get(name) or "")


def _number(text: str) -> Decimal:
    """A number, or a moment as milliseconds."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal(int(datetime.fromisoformat(text).timestamp() * 1000))
