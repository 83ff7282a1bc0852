"""Associations over the wire as the specification of 2026-09 has them: ids are text, each way has its own type."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from mlc_dagster.sandbox.hubspot.answers import ASSOCIATIONS, batch, error_answer, input_error, inputs_of
from mlc_dagster.sandbox.hubspot.objects import InvalidError, Objects, Row
from mlc_dagster.sandbox.wire import Answer

TYPES = {
    ("invoices", "companies"): 179,
    ("companies", "invoices"): 180,
    ("invoices", "line_items"): 409,
    ("line_items", "invoices"): 410,
    ("invoices", "contacts"): 177,
    ("contacts", "invoices"): 178,
    ("invoices", "deals"): 175,
    ("deals", "invoices"): 176,
    ("deals", "companies"): 341,
    ("companies", "deals"): 342,
    ("deals", "line_items"): 19,
    ("line_items", "deals"): 20,
    ("companies", "contacts"): 280,
    ("contacts", "companies"): 279,
}
"""HubSpot's default types of the guide on associations; the way matters: 180 is refused from an invoice."""


def answer(objects: Objects, source: str, target: str, verb: list[str], body: Row) -> Answer:
    inputs = inputs_of(body, ASSOCIATIONS)
    if (source, target) not in TYPES:
        return error_answer(400, f"No association type exists between {source} and {target}", "VALIDATION_ERROR")
    if verb == ["read"]:
        return _read(objects, source, target, inputs)
    if verb == ["associate", "default"]:
        return _associate(objects, source, target, inputs)
    if verb == ["archive"]:
        for each in inputs:
            for other in each["to"]:
                objects.separate(source, _id(objects, source, each["from"]), target, _id(objects, target, other))
        return batch(200, [], [])
    return error_answer(404, "Unknown verb", "NOT_FOUND")


def _associate(objects: Objects, source: str, target: str, inputs: list[Row]) -> Answer:
    """Those over a limit are named in a 207; what is not there refuses the call."""
    made, errors = [], []
    for each in inputs:
        one, other = _id(objects, source, each["from"]), _id(objects, target, each["to"])
        if _is_over(objects, source, one, target, other):
            text = f"{target} {other} has reached its limit of {objects.traits.association_limit} {source}"
            about = {"fromObjectId": [each["from"]["id"]], "toObjectId": [each["to"]["id"]]}
            errors.append(input_error(InvalidError(text, "", "VALIDATION_ERROR", **about), None))
            continue
        objects.associate(source, one, target, other)
        made.append(each)
    return batch(200, list(chain.from_iterable(_both_ways(source, target, each) for each in made)), errors)


def _is_over(objects: Objects, source: str, one: str, target: str, other: str) -> bool:
    limit, there = objects.traits.association_limit, objects.of(target, source, other)
    return bool(limit) and target == "companies" and one not in there and len(there) >= limit


def _read(objects: Objects, source: str, target: str, inputs: list[Row]) -> Answer:
    kind = {"category": "HUBSPOT_DEFINED", "typeId": TYPES[source, target]}
    results, errors = [], []
    for each in inputs:
        others = [
            _as_told(objects, target, other) for other in objects.of(source, target, objects.now(source, each["id"]))
        ]
        if others:
            found = [{"toObjectId": other, "associationTypes": [kind]} for other in others]
            results.append({"from": {"id": each["id"]}, "to": found})
        else:
            errors.append(_none(source, target, each["id"]))
    return batch(200, results, errors)


def _id(objects: Objects, kind: str, end: Row) -> str:
    """Through merges: both old ids lead to the new record."""
    return objects.now(kind, str(end["id"]))


def _as_told(objects: Objects, kind: str, remote_id: str) -> str:
    """Which id is answered for a merged record is unknown (facts/saas-doubts.md, 2.1)."""
    if objects.traits.associations_name == "old":
        return next((old for old, new in objects.merged.get(kind, {}).items() if new == remote_id), remote_id)
    return remote_id


def _none(source: str, target: str, remote_id: str) -> Row:
    text = f"No {target} is associated with {source} {remote_id}."
    about = {"fromObjectId": [remote_id], "fromObjectType": [source], "toObjectType": [target]}
    told = input_error(InvalidError(text, "", "OBJECT_NOT_FOUND", **about), None)
    return {**told, "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND"}


def _both_ways(source: str, target: str, pair: Row) -> Iterable[Row]:
    for one, other, ends in (
        (pair["from"], pair["to"], (source, target)),
        (pair["to"], pair["from"], (target, source)),
    ):
        spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": TYPES[ends]}
        yield {"from": one, "to": other, "associationSpec": spec}
