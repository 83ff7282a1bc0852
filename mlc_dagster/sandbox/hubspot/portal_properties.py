"""Properties and their groups in the sandboxed HubSpot: read, made, and refused where a quota is used up."""

from __future__ import annotations

from typing import Protocol

from mlc_dagster.sandbox.hubspot.answers import batch, error_answer, input_error, inputs_of
from mlc_dagster.sandbox.hubspot.limits import own
from mlc_dagster.sandbox.hubspot.objects import InvalidError, Objects, Row, definition
from mlc_dagster.sandbox.journal import Journal
from mlc_dagster.sandbox.wire import Answer, answer_json


class Portal(Protocol):
    """What is asked of the sandboxed portal."""

    objects: Objects
    journal: Journal
    property_limit: int  # custom properties of an object type


class PortalProperties:
    """The properties of one portal."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    def answer(self, method: str, kind: str, rest: list[str], body: Row) -> Answer:
        """Raises InvalidError."""
        known, groups = self._portal.objects.properties[kind], self._portal.objects.groups[kind]
        match (method, *rest):
            case ("GET",):
                return answer_json(200, {"results": [self._told(kind, each) for each in known.values()]})
            case ("GET", "groups"):
                return answer_json(200, {"results": list(groups.values())})
            case ("POST", "groups"):
                if body["name"] in groups:
                    return error_answer(409, f"Group {body['name']} exists", "OBJECT_ALREADY_EXISTS")
                body = groups[body["name"]] = {"archived": False, **body}
            case ("POST", "batch", "create"):
                return self._create(kind, inputs_of(body))
            case _:
                return error_answer(405, "Method not allowed", "METHOD_NOT_ALLOWED")
        self._portal.journal.changed("hubspot", method, f"properties/{kind}/groups", body, body["name"])
        return answer_json(201, body)

    def _told(self, kind: str, row: Row) -> Row:
        """With what cannot be written, where this portal tells it."""
        traits = self._portal.objects.traits
        if kind != "invoices" or row["name"] != "hs_amount_billed" or not traits.tells_read_only:
            return row
        is_read_only = traits.amount_billed == "read_only"
        told = {"archivable": False, "readOnlyDefinition": True, "readOnlyValue": is_read_only}
        return {**row, "modificationMetadata": told}

    def _create(self, kind: str, inputs: list[Row]) -> Answer:
        known, made, errors = self._portal.objects.properties[kind], [], []
        for each in inputs:
            if each["groupName"] not in self._portal.objects.groups[kind]:
                raise InvalidError(f"Property group {each['groupName']} does not exist")
            if each["name"] in known:
                errors.append(input_error(InvalidError(each["name"], "", "OBJECT_ALREADY_EXISTS"), None))
                continue
            self._judge_quota(kind)
            known[each["name"]] = definition(**each)
            made.append(known[each["name"]])
        self._portal.journal.changed("hubspot", "POST", f"properties/{kind}", inputs, "")
        return batch(200, made, errors)

    def _judge_quota(self, kind: str) -> None:
        if len(own(self._portal.objects, kind)) >= self._portal.property_limit:
            limit = self._portal.property_limit
            raise InvalidError(f"The limit of {limit} custom properties of {kind} is reached")
