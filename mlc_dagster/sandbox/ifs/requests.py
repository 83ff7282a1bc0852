"""What a call to the sandboxed IFS asks for: its segments, keys and body; and its answer to a mistake."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote

from mlc_dagster.sandbox.ifs import odata
from mlc_dagster.sandbox.ifs.names import Collection
from mlc_dagster.sandbox.ifs.odata import ODataError
from mlc_dagster.sandbox.ifs.rows import Stored
from mlc_dagster.sandbox.wire import Answer, Call, answer_json, decode

_SEGMENT = re.compile(r"([A-Za-z_][\w]*)(?:\((.*)\))?", re.DOTALL)


def segment(text: str) -> tuple[str, str | None]:
    """A path segment, decoded on its own, so that a %2F within a key is a slash of the key."""
    match = _SEGMENT.fullmatch(unquote(text, errors="strict"))
    if match is None:
        raise ODataError(f"The URI is malformed: {text!r}.")
    return match[1], match[2]


def key_of(collection: Collection, text: str) -> tuple[Any, ...]:
    """The key that a predicate's content names. Raises ODataError."""
    given, names = odata.parse_keys(text), collection.keys
    wires = [collection.wire(name) for name in names]
    if set(given) == {""} and len(names) == 1:
        given = {wires[0]: given[""]}
    if set(given) != set(wires):
        raise ODataError(f"The key of '{collection.set}' is {', '.join(wires)}; found {', '.join(given) or 'a value'}.")
    for name, wire in zip(names, wires, strict=True):
        if isinstance(given[wire], str) != (collection.types[name] != "int"):
            raise ODataError(f"The key '{wire}' is of type {collection.types[name]}; found {given[wire]!r}.")
    return tuple(given[wire] for wire in wires)


def path_of(collection: Collection, stored: Stored) -> str:
    """The row's path below its service: `VoucherSet(Company=%270010%27,...)`."""
    texts = (str(part) if isinstance(part, int) else "'{}'".format(part.replace("'", "''")) for part in stored.key)
    pairs = (
        f"{collection.wire(name)}={quote(text, safe='')}" for name, text in zip(collection.keys, texts, strict=True)
    )
    return f"{collection.set}({','.join(pairs)})"


def key_text(stored: Stored) -> str:
    """As the journal has it: "0010/5001"."""
    return "/".join(str(part) for part in stored.key)


def body_of(call: Call) -> Any:
    """Parsed JSON with exact decimals. Raises ODataError."""
    if "json" not in call.headers.get("content-type", "application/json"):
        raise ODataError("The content type is not supported.", 415, "ODP_UNSUPPORTED_MEDIA_TYPE")
    try:
        return decode(call.body)
    except ValueError as error:
        raise ODataError("Error while de-serializing contents.", code="ODP_DESERIALIZATION_ERROR") from error


def as_texts(call: Call) -> bool:
    return "ieee754compatible=true" in call.headers.get("accept", "").lower().replace(" ", "")


def odata_headers(call: Call) -> dict[str, str]:
    kind = f"application/json;odata.metadata=minimal;IEEE754Compatible={str(as_texts(call)).lower()}"
    return {"content-type": kind, "odata-version": "4.0"}


def nowhere(path: str) -> ODataError:
    return ODataError(f"The requested resource does not exist: {unquote(path)}", 404, "ODP_RESOURCE_NOTFOUND")


def wrong_method(call: Call) -> ODataError:
    return ODataError(f"{call.method} is not allowed here.", 405, "ODP_METHOD_NOT_ALLOWED")


def envelope(code: str, message: str, details: list[dict[str, str]] | None = None) -> dict[str, Any]:
    content: dict[str, Any] = {"code": code, "message": message}
    return {"error": {**content, "details": details} if details else content}


def refused(error: ODataError | UnicodeDecodeError) -> Answer:
    """The answer to a request that cannot be understood, or that the database refuses."""
    if isinstance(error, UnicodeDecodeError):
        return answer_json(400, envelope("ODP_BAD_REQUEST", f"The URI is not UTF-8: {error}"))
    told = [{"code": error.reason, "message": error.detail}] if error.detail else None
    return answer_json(error.status, envelope(error.code, str(error), told))
