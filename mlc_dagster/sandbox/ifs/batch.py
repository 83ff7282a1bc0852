"""$batch on the wire: multipart/mixed becomes requests, some of them in change sets, and answers become one body."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from mlc_dagster.sandbox.ifs.names import Collection
from mlc_dagster.sandbox.ifs.odata import ODataError
from mlc_dagster.sandbox.ifs.requests import path_of
from mlc_dagster.sandbox.ifs.rows import Stored
from mlc_dagster.sandbox.wire import Answer, Call

_BOUNDARY = re.compile(r"multipart/mixed\s*;.*?\bboundary=(?:\"([^\"]+)\"|([^\s;\"]+))", re.IGNORECASE)
_REQUEST = re.compile(r"([A-Z]+) (\S+) HTTP/1\.1")
_REASONS = {200: "OK", 201: "Created", 204: "No Content"}


@dataclass(frozen=True)
class Part:
    """One request of a batch; `number` is its Content-ID, under which later parts of its change set refer to it."""

    number: str
    call: Call


Answered = tuple[str, Answer]  # Content-ID, answer


def requests(call: Call, service: str, most: int) -> list[Part | list[Part]]:
    """The requests of a batch in order, those of a change set as a list. Raises ODataError for a malformed body, and
    for more than `most` of them.
    """
    found: list[Part | list[Part]] = []
    for headers, content in _parts(call.body, _boundary(call.headers.get("content-type", ""))):
        if "multipart/mixed" in headers.get("content-type", "").lower():
            inner = _parts(content, _boundary(headers["content-type"]))
            found.append(_change_set([_part(call, service, *each) for each in inner]))
        else:
            found.append(_part(call, service, headers, content))
    if sum(len(each) if isinstance(each, list) else 1 for each in found) > most:
        raise ODataError(f"A batch holds at most {most} requests.")
    return found


def _change_set(parts: list[Part]) -> list[Part]:
    numbers = [part.number for part in parts]
    if not all(numbers) or len(set(numbers)) < len(numbers):
        raise ODataError("Each request of a change set needs a Content-ID of its own.")
    if any(part.call.method == "GET" for part in parts):
        raise ODataError("A change set holds no GET.")
    return parts


def _boundary(content_type: str) -> bytes:
    match = _BOUNDARY.match(content_type.strip())
    if match is None:
        raise ODataError("A batch is multipart/mixed with a boundary.", 415, "ODP_UNSUPPORTED_MEDIA_TYPE")
    return (match[1] or match[2]).encode("latin-1")


def _parts(body: bytes, boundary: bytes) -> list[tuple[dict[str, str], bytes]]:
    """What stands between the delimiters, which begin a line and fill it. What is before and after them is nothing."""
    marks = list(re.finditer(rb"(?:\A|\r\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r\n|\Z)", body))
    closing = next((number for number, mark in enumerate(marks) if mark[1]), 0)
    if closing == 0:
        raise ODataError("The batch is not closed by its boundary, or is empty.")
    return [_split(body[start.end() + 2 : end.start()]) for start, end in pairwise(marks[: closing + 1])]


def _split(text: bytes) -> tuple[dict[str, str], bytes]:
    """Headers, in lower case, and what follows the empty line."""
    if text.startswith(b"\r\n"):
        return {}, text[2:]
    head, found, content = text.partition(b"\r\n\r\n")
    if not found:
        head, content = text.removesuffix(b"\r\n"), b""
    lines = [line.decode("latin-1").partition(":") for line in head.split(b"\r\n")]
    if any(not mark for _, mark, _ in lines):
        raise ODataError("A part of the batch has a line among its headers that is none.")
    return {name.strip().lower(): value.strip() for name, _, value in lines}, content


def _part(batch: Call, service: str, headers: Mapping[str, str], content: bytes) -> Part:
    """The embedded request, with the path that its URL has from the root."""
    if headers.get("content-type", "").lower() != "application/http":
        raise ODataError("A part of a batch is application/http.")
    if headers.get("content-transfer-encoding", "").lower() != "binary":
        raise ODataError("A part of a batch has Content-Transfer-Encoding: binary.")
    line, _, rest = content.partition(b"\r\n")
    match = _REQUEST.fullmatch(line.decode("latin-1"))
    if match is None:
        raise ODataError(f"A part of the batch begins with {line[:80]!r}, which is no request.")
    own, body = _split(rest)
    if (length := own.get("content-length", "")).isdigit():
        body = body[: int(length)]
    path, query = _address(match[2], batch, service)
    return Part(headers.get("content-id", ""), Call(match[1], path, query, own, body, batch.origin))


def _address(text: str, batch: Call, service: str) -> tuple[str, str]:
    """A URL from the root, or below the service of the batch. One batch addresses one service."""
    if text.startswith(("http://", "https://")) and not text.startswith(f"{batch.origin}/"):
        raise ODataError(f"{text[:200]} is at another host than the batch.")
    path, _, query = text.removeprefix(batch.origin).partition("?")
    path = path if path.startswith("/") else f"{service}/{path}"
    if not path.startswith(f"{service}/") or ".." in path.split("/"):
        raise ODataError(f"{text[:200]} is not of the service of the batch.")
    return path, query


def resolved(call: Call, service: str, made: Mapping[str, tuple[Collection, tuple[Any, ...]]]) -> Call:
    """`$1/VoucherRows` becomes the path of the row that part 1 made, and `If-Match: $1` its ETag."""
    name, slash, rest = call.path.removeprefix(f"{service}/").partition("/")
    version = call.headers.get("if-match", "").strip()
    if row := _referred(name, made):
        call = replace(call, path=f"{service}/{path_of(*row)}{slash}{rest}")
    if row := _referred(version, made):
        call = replace(call, headers={**call.headers, "if-match": row[1].etag})
    return call


def _referred(text: str, made: Mapping[str, tuple[Collection, tuple[Any, ...]]]) -> tuple[Collection, Stored] | None:
    if not text.startswith("$") or text[1:] not in made:
        return None
    collection, key = made[text[1:]]
    stored = collection.find(key)
    return (collection, stored) if stored else None


def answer(answered: list[Answered | list[Answered]]) -> Answer:
    """One multipart answer: 200, whatever its parts say."""
    outer = f"batch_{uuid.uuid4()}"
    parts = [_nested(each) if isinstance(each, list) else _single(*each) for each in answered]
    return Answer(200, _joined(outer, parts), {"content-type": f"multipart/mixed; boundary={outer}"})


def _nested(answered: list[Answered]) -> bytes:
    boundary = f"changeset_{uuid.uuid4()}"
    body = _joined(boundary, [_single(*each) for each in answered])
    head = f"Content-Type: multipart/mixed; boundary={boundary}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def _single(number: str, answer: Answer) -> bytes:
    named = f"Content-ID: {number}\r\n" if number else ""
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    status = f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Refused')}"
    head = f"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{named}\r\n{status}\r\n{lines}\r\n"
    return head.encode("latin-1") + answer.body


def _joined(boundary: str, parts: list[bytes]) -> bytes:
    mark = f"--{boundary}".encode()
    return b"".join(b"%s\r\n%s\r\n" % (mark, part) for part in parts) + mark + b"--\r\n"
