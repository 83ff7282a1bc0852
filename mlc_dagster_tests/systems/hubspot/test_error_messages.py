"""HubSpot's errors, as published and as recorded: which property, which code, which scope is missing."""

from __future__ import annotations

import json

from mlc_dagster.systems.hubspot.error_messages import Fault, faults, missing_scopes, reason

INSIDE = [
    {"isValid": False, "message": "x was not one of the options", "error": "INVALID_OPTION", "name": "industry"},
    {"isValid": False, "message": 'Property "y" does not exist', "error": "PROPERTY_DOESNT_EXIST", "name": "y"},
]


def test_details_that_stand_as_json_in_the_message_are_told_by_property() -> None:
    error = {"message": f"Property values were not valid: {json.dumps(INSIDE)}", "category": "VALIDATION_ERROR"}
    assert [(each.property, each.code) for each in faults(error)] == [
        ("industry", "INVALID_OPTION"),
        ("y", "PROPERTY_DOESNT_EXIST"),
    ]
    assert reason(error) == (
        'Property values were not valid; industry: x was not one of the options; Property "y" does not exist'
    )


def test_each_property_of_a_detail_is_named() -> None:
    detail = {
        "message": "A value is required",
        "code": "MISSING_REQUIRED_PROPERTY",
        "context": {"propertyName": ["a", "b"]},
    }
    error = {"message": "Invalid input", "errors": [detail]}
    assert faults(error) == tuple(Fault(name, "MISSING_REQUIRED_PROPERTY", "A value is required") for name in "ab")
    assert reason(error) == "Invalid input; a: A value is required; b: A value is required"


def test_the_missing_scope_stands_in_the_context_of_a_detail() -> None:
    detail = {
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": ["e"]},
    }
    error = {"category": "MISSING_SCOPES", "message": "no", "errors": [detail], "correlationId": "7"}
    assert missing_scopes(error) == ["e"]
    assert reason(error).endswith("needed: e; correlation id 7")


def test_scopes_of_older_answers_stand_in_the_context_of_the_call() -> None:
    assert missing_scopes({"context": {"requiredGranularScopes": ["a", "b"]}}) == ["a", "b"]


def test_a_message_with_brackets_that_are_no_json_stays_as_it_is() -> None:
    assert reason({"message": "Duplicate IDs found: [{x]. IDs must be unique"}) == (
        "Duplicate IDs found: [{x]. IDs must be unique"
    )
