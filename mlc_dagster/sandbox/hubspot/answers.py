"""How the sandboxed HubSpot answers: batches, errors of one input, errors of a call."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from mlc_dagster.sandbox.hubspot.objects import InvalidError, Row
from mlc_dagster.sandbox.wire import Answer, Call, answer_json, decode

SCOPES = "requiredGranularScopes"
BATCH, ASSOCIATIONS = 100, 2000
"""Inputs that one call may have."""


def body_of(call: Call) -> Row:
    try:
        body = decode(call.body) if call.body else {}
    except ValueError as error:
        raise InvalidError(f"Invalid input JSON: {error}") from None
    if not isinstance(body, dict):
        raise InvalidError("Invalid input JSON: an object is expected")
    return body


def inputs_of(body: Row, most: int = BATCH) -> list[Row]:
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise InvalidError("Some required fields were not set: [inputs]")
    if len(inputs) > most:
        raise InvalidError(f"The maximum number of inputs supported in a batch request is {most}, found {len(inputs)}")
    return inputs


def copied(content: Row) -> bytes:
    return answer_json(200, content).body


def batch(status: int, results: list[Row], errors: list[Row]) -> Answer:
    told = {"numErrors": len(errors), "errors": errors} if errors else {}
    times = {"startedAt": now(), "completedAt": now()}
    return answer_json(207 if errors else status, {"status": "COMPLETE", "results": results, **times, **told})


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def correlation() -> str:
    """Every answer that is an error has one of its own."""
    return str(uuid.uuid4())


def input_error(refused: InvalidError, trace: str | None) -> Row:
    context: Row = dict(refused.context)
    if trace is not None:
        context["objectWriteTraceId"] = [trace]
    told = {"status": "error", "category": refused.category, "message": refused.message, "context": context}
    return {**told, "errors": _details(refused), "links": {}}


def refused_answer(refused: InvalidError) -> Answer:
    return error_answer(refused.status, refused.message, refused.category, errors=_details(refused))


def _details(refused: InvalidError) -> list[Row]:
    """The code of what is wrong, and with which property."""
    return [{"message": refused.message, "code": refused.code, "context": refused.context}] if refused.code else []


def missing_scopes(*scopes: str) -> Answer:
    """403 as for a token without these scopes: `errors[].context` names them."""
    text = "This app hasn't been granted all required scopes to make this call."
    detail = {"message": "One or more of the following scopes are required.", "context": {SCOPES: list(scopes)}}
    return error_answer(403, text, "MISSING_SCOPES", errors=[detail])


def error_answer(status: int, message: str, category: str, **more: Any) -> Answer:
    return answer_json(
        status, {"status": "error", "message": message, "category": category, "correlationId": correlation(), **more}
    )


def account_answer(account: Row, allowed: bool) -> Answer:
    """The details of the portal; 403 as for a token without the scope."""
    if allowed:
        return answer_json(200, account)
    return missing_scopes("oauth")
