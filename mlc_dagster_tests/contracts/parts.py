"""Exchanges that hold others: a GraphQL request has root fields, an OData $batch has requests. Each is held by itself.

A root field becomes an exchange "MUTATION /create_item" whose body are its arguments; each cell that it writes becomes
"CELL /status" with the value as body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from graphql import FieldNode, OperationDefinitionNode, parse, value_from_ast_untyped

from mlc_dagster_tests.contracts.recorder import Exchange

_GRAPHQL = "/v2"  # what else monday is asked is the sign-in of an app
_CELLS = ("column_values",)


def apart(exchanges: Iterable[Exchange]) -> Iterator[Exchange]:
    """Every exchange, and those that it holds."""
    for each in exchanges:
        yield each
        if each.system == "monday" and each.path.rstrip("/") == _GRAPHQL:
            yield from _root_fields(each)
        elif each.path.endswith("/$batch") and each.status < 300:
            yield from _batched(each)


# --- GraphQL ----------------------------------------------------------------------------------------------------------


def _root_fields(each: Exchange) -> Iterator[Exchange]:
    asked, answered = json.loads(each.sent), json.loads(each.got)
    for operation in parse(asked["query"]).definitions:
        assert isinstance(operation, OperationDefinitionNode)
        if writes := _writes(operation):
            yield _as_json(each, "REQUEST", "/writes", {"writes": writes}, 200, None)
        for field in operation.selection_set.selections:
            assert isinstance(field, FieldNode)
            name = (field.alias or field.name).value
            arguments = _arguments(field, asked.get("variables") or {})
            answer = (answered.get("data") or {}).get(name)
            errors = [error for error in answered.get("errors") or () if error.get("path", [None])[0] == name]
            method, path = operation.operation.value.upper(), f"/{field.name.value}"
            yield _as_json(each, method, path, arguments, 200 if not errors else 400, errors or answer)
            yield from _cells(each, arguments)


def _writes(operation: OperationDefinitionNode) -> list[str]:
    """The root fields of one request that change something."""
    if operation.operation.value != "mutation":
        return []
    fields = [field for field in operation.selection_set.selections if isinstance(field, FieldNode)]
    return [field.name.value for field in fields if field.name.value != "complexity"]


def _arguments(field: FieldNode, variables: dict[str, Any]) -> dict[str, Any]:
    """A variable that is not given is an argument that is left out."""
    found = {argument.name.value: value_from_ast_untyped(argument.value, variables) for argument in field.arguments}
    return {name: value for name, value in found.items() if str(value) != "Undefined"}


def _cells(each: Exchange, arguments: dict[str, Any]) -> Iterator[Exchange]:
    """The sandbox's ids of columns begin with their type, as monday's own do."""
    for name in _CELLS:
        cells = arguments.get(name)
        for column, value in json.loads(cells).items() if isinstance(cells, str) else ():
            kind = re.sub(r"_mk\w+$", "", column)
            yield _as_json(each, "CELL", f"/{kind}", {"value": value}, 200, None)


def _as_json(each: Exchange, method: str, path: str, sent: Any, status: int, got: Any) -> Exchange:
    content = {"content-type": "application/json"}
    return Exchange(each.system, method, path, "", {}, _bytes(sent), status, content, _bytes(got))


def _bytes(found: Any) -> bytes:
    return json.dumps(found).encode()


# --- multipart --------------------------------------------------------------------------------------------------------


def _batched(each: Exchange) -> Iterator[Exchange]:
    """Requests and answers of a $batch, by their place: a change set that is refused has one answer for all."""
    requests = [_request(part) for part in _leaves(each.asked["content-type"], each.sent)]
    answers = [_answer(part) for part in _leaves(each.answered["content-type"], each.got)]
    for (method, path, headers, sent), (status, content, got) in zip(requests, answers, strict=False):
        where, _, query = path.partition("?")
        folder = each.path.removesuffix("$batch")
        inner = {**{n: v for n, v in each.asked.items() if n == "authorization"}, **headers}
        yield Exchange(each.system, method, f"{folder}{where}", query, inner, sent, status, content, got)


def _leaves(content_type: str, body: bytes) -> Iterator[bytes]:
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    for part in message.walk():
        if part.get_content_type() == "application/http":
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            yield payload


def _request(part: bytes) -> tuple[str, str, dict[str, str], bytes]:
    first, headers, body = _http(part)
    method, path, _ = first.split(" ", 2)
    return method, path, headers, body


def _answer(part: bytes) -> tuple[int, dict[str, str], bytes]:
    first, headers, body = _http(part)
    return int(first.split(" ")[1]), headers, body


def _http(part: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = part.partition(b"\r\n\r\n")
    first, *lines = head.decode("utf-8").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    return first, {name.lower(): value for name, value in headers.items()}, body.strip()
