"""OData $batch: several reads of one service in one request, each answered for itself.

IFS runs the parts one after the other (facts/ifs.md, section 10). What a part is answered but 200 says nothing here: it
is asked for again, alone.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.systems.ifs.odata.multipart import PART, embedded_answers, joined
from mlc_dagster.transport.requests import query_text
from mlc_dagster.transport.responses import Call

MOST = 50
"""Requests of a batch; others send up to 200 (facts/ifs-tenants.md, section 2). IFS names no limit."""

CONTINUE = {"Prefer": "odata.continue-on-error", "Accept": "multipart/mixed"}


@dataclass(frozen=True)
class Question:
    """A GET: the path from the projections' root, percent-encoded, and its query; a None is left out of it."""

    path: str
    params: tuple[tuple[str, Any], ...]

    @classmethod
    def of(cls, path: str, params: Mapping[str, Any]) -> Question:
        return cls(path, tuple(params.items()))


def written(service: str, asked: Sequence[Question]) -> tuple[str, bytes]:
    """Media type and body. Raises RecordRejected for what no request can hold."""
    boundary = f"batch_{uuid.uuid4()}"
    parts = [PART % number + _request(service, each) for number, each in enumerate(asked, 1)]
    return f"multipart/mixed;boundary={boundary}", joined(boundary, parts)


def _request(service: str, asked: Question) -> bytes:
    """Addresses are below the service."""
    query = query_text(dict(asked.params))
    address = f"{asked.path.removeprefix(f'{service}/')}{'?' if query else ''}{query}"
    if not re.fullmatch(r"[!-~]+", address):
        raise RecordRejected(Call("ifs", "GET", asked.path, True).says("no address can be built of this"))
    return f"GET {address} HTTP/1.1\r\nAccept: application/json\r\n\r\n".encode("ascii")


def answers(count: int, content: bytes) -> list[bytes | None]:
    """What each of so many requests was answered, in their order; None where that was no 200, or cannot be told."""
    try:
        parts = embedded_answers(content)
    except ValueError:
        return [None] * count
    numbers = [part.number for part in parts]
    by_number = dict(zip(numbers, parts, strict=True))
    if not any(numbers) and len(parts) == count:
        by_number = {str(number): part for number, part in enumerate(parts, 1)}
    elif not all(numbers) or len(by_number) < len(parts):
        return [None] * count  # which answer is whose cannot be told
    found = (by_number.get(str(number)) for number in range(1, count + 1))
    return [part.content if part and part.status == 200 else None for part in found]
