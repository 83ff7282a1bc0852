"""multipart/mixed, as OData $batch has it: requests in parts of one body, and the answers that come back in parts.

JSON has no line end within a text, so that no text of a record can be taken for a boundary.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mlc_dagster.transport.responses import snippet

PART = b"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: %d\r\n\r\n"
"""What stands above each request; the number is what its answer is known by."""
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})\b")
_EMPTY_LINE = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True)
class EmbeddedAnswer:
    """What one request of a batch was answered."""

    number: str  # Content-ID, empty where it has none
    status: int
    headers: Mapping[str, str]
    content: bytes


def joined(boundary: str, parts: Sequence[bytes]) -> bytes:
    """The body of parts between boundaries."""
    mark = f"--{boundary}".encode()
    return b"".join(b"%s\r\n%s\r\n" % (mark, part) for part in parts) + mark + b"--\r\n"


def embedded_answers(content: bytes) -> list[EmbeddedAnswer]:
    """The answers of a batch, those of its change set included. Raises ValueError where it is not whole."""
    found: list[EmbeddedAnswer] = []
    for headers, inner in _parts(content):
        is_nested = headers.get("content-type", "").lower().startswith("multipart/mixed")
        found += embedded_answers(inner) if is_nested else [_part(headers, inner)]
    return found


def _parts(content: bytes) -> list[tuple[Mapping[str, str], bytes]]:
    """What stands between the delimiters. The boundary is what the first line says."""
    first = content.lstrip(b"\r\n").partition(b"\n")[0].rstrip()
    if not first.startswith(b"--") or len(first) < 3:
        raise ValueError("no multipart body")
    marks = list(re.finditer(rb"(?:\A|\r?\n)" + re.escape(first) + rb"(--)?[ \t]*(?=\r?\n|\Z)", content))
    closing = next((number for number, mark in enumerate(marks) if mark[1]), None)
    if closing is None:
        raise ValueError("a multipart body that is not closed")
    return [_split(content[start.end() : end.start()]) for start, end in pairwise(marks[: closing + 1])]


def _split(text: bytes) -> tuple[Mapping[str, str], bytes]:
    """Headers, names in lower case, and what follows the empty line."""
    if re.match(rb"\r?\n\r?\n", text):
        return {}, _EMPTY_LINE.sub(b"", text, count=1)
    head, *rest = _EMPTY_LINE.split(text, maxsplit=1)
    lines = [line.decode("latin-1").partition(":") for line in head.splitlines() if line.strip()]
    return {name.strip().lower(): value.strip() for name, _, value in lines}, rest[0] if rest else b""


def _part(headers: Mapping[str, str], content: bytes) -> EmbeddedAnswer:
    """One embedded answer. Raises ValueError where there is none, or less of it than it says."""
    line, _, rest = content.lstrip(b"\r\n").partition(b"\n")
    match = _STATUS.match(line)
    if match is None:
        raise ValueError(f"a part that is no answer: {snippet(line, 80)}")
    own, body = _split(b"\n" + rest)
    length = own.get("content-length", "")
    if length.isdecimal() and int(length) != len(body):
        raise ValueError(f"a part of {len(body)} bytes says that it has {length}")
    return EmbeddedAnswer(headers.get("content-id") or own.get("content-id") or "", int(match[1]), own, body)
