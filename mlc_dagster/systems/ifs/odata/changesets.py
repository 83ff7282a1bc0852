"""OData $batch: several writes to one service that IFS keeps as a whole or not at all.

The parts run in order; `$2/VoucherRows` is below the row that part 2 made, and `If-Match: $2` names its ETag. A change
set that is refused is answered by one part, the refusal. Sources: facts/ifs.md, section 10.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mlc_dagster.core.errors import MlcError, RecordRejected, StaleRecord, TransientError
from mlc_dagster.systems.ifs.odata.error_responses import classify
from mlc_dagster.systems.ifs.odata.multipart import PART, EmbeddedAnswer, embedded_answers, joined
from mlc_dagster.transport.proof import Proof
from mlc_dagster.transport.requests import body_of, headers_of
from mlc_dagster.transport.responses import Call, Request, Response, exact_json, refusal, snippet

MOST_STEPS = 5000
"""Elements that IFS takes in a request: headers and lines, each a step (facts/ifs.md; business description)."""


class TooManyElementsError(RecordRejected):
    """No request can hold it: nothing was sent."""

    rule = "fits_into_a_request"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"It has {count} elements, its lines and its header, and IFS takes {MOST_STEPS} in a request; in two "
            "a part of it could stand alone. Split it at its source, or enter it in IFS by hand and discard this hold"
        )


@dataclass(frozen=True)
class Step:
    """One write of a change set. `path` is below the service, percent-encoded; `body` has the tenant's names.

    A PATCH without an ETag would insert what is not there: it is a ValueError.
    """

    method: Literal["POST", "PATCH"]
    path: str  # "VoucherSet", "$1/VoucherRows", "PostingProposalHeadSet(Company=%270010%27,ProposalId=7)"
    body: Mapping[str, Any]
    etag: str | None = None

    def __post_init__(self) -> None:
        if self.method == "PATCH" and not self.etag:
            raise ValueError(f"PATCH {self.path}: a change names the version that it changes, by its ETag")


@dataclass(frozen=True)
class StepAnswer:
    """What a step that was kept was answered."""

    status: int
    body: Any  # exact JSON, None where there is none
    etag: str | None


# --- out --------------------------------------------------------------------------------------------------------------


def written(service: str, steps: Sequence[Step]) -> tuple[str, bytes]:
    """Media type and body of a batch of one change set. Raises RecordRejected for what no request can hold.

    JSON has no line end within a text, so that no text of a record can be taken for a boundary.
    """
    if len(steps) > MOST_STEPS:
        raise TooManyElementsError(len(steps))
    outer, inner = f"batch_{uuid.uuid4()}", f"changeset_{uuid.uuid4()}"
    parts = [PART % number + _request(service, step) for number, step in enumerate(steps, 1)]
    change_set = f"Content-Type: multipart/mixed;boundary={inner}\r\n\r\n".encode() + joined(inner, parts)
    return f"multipart/mixed;boundary={outer}", joined(outer, [change_set])


def _request(service: str, step: Step) -> bytes:
    call = Call("ifs", step.method, f"{service}/{step.path}", False)
    if not re.fullmatch(r"[!-~]+", step.path):
        raise RecordRejected(call.says("no address can be built: the path is not percent-encoded"))
    content = body_of(call, step.body)
    assert content is not None
    version = {"If-Match": step.etag} if step.etag else {}
    headers = {**headers_of(call, version, content), "Accept": "application/json", "Content-Length": len(content[1])}
    lines = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
    return f"{step.method} {step.path} HTTP/1.1\r\n{lines}\r\n".encode("ascii") + content[1]


# --- back -------------------------------------------------------------------------------------------------------------


def answers(service_url: str, steps: Sequence[Step], content: bytes) -> list[StepAnswer] | MlcError:
    """The answer to each step; or the error of the change set, of which nothing was kept.

    Raises TransientError where the same can be sent again at once, ValueError for what is no whole answer to it.
    """
    parts = embedded_answers(content)
    if len(parts) == 1 and parts[0].status >= 300:
        error = _refusal(service_url, steps, parts[0])
        if isinstance(error, TransientError):
            raise error
        return error
    if len(parts) != len(steps) or any(part.status >= 300 for part in parts):
        raise ValueError(f"{len(steps)} steps were answered by {', '.join(str(part.status) for part in parts)}")
    return [_answer(part) for part in _in_order(parts)]


def _in_order(parts: Sequence[EmbeddedAnswer]) -> list[EmbeddedAnswer]:
    """By Content-ID; as they come where the tenant does not repeat it."""
    if not any(part.number for part in parts):
        return list(parts)
    by_number = {part.number: part for part in parts}
    expected = [str(number) for number in range(1, len(parts) + 1)]
    if set(by_number) != set(expected):
        raise ValueError(f"the answers have the Content-IDs {', '.join(part.number or '-' for part in parts)}")
    return [by_number[number] for number in expected]


def _answer(part: EmbeddedAnswer) -> StepAnswer:
    body = exact_json(part.content) if part.content.strip() else None
    told = body.get("@odata.etag") if isinstance(body, dict) else None
    return StepAnswer(part.status, body, part.headers.get("etag") or (told if isinstance(told, str) else None))


def _refusal(service_url: str, steps: Sequence[Step], part: EmbeddedAnswer) -> MlcError:
    """What a refused part means, as if it had been sent alone."""
    step = _asked(steps, part)
    path = step.path if step else "$batch"
    request = Request(step.method if step else "POST", f"{service_url}/{path}")
    response = Response(part.status, headers=part.headers, content=part.content, request=request)
    call = Call("ifs", request.method, request.url.path, False)
    says = call.says(f"{part.status} {snippet(part.content)}")
    had_version = step.etag is not None if step else any(each.etag for each in steps)
    if part.status == 412 or (part.status == 428 and had_version):
        return StaleRecord(says)
    error = classify(response) or refusal(call, response, now=time.time())
    found = Proof(()).judge(call, response, error) if error else None
    refused = found if isinstance(found, MlcError) else RecordRejected(says, status=part.status)
    if step and isinstance(refused, RecordRejected):
        refused.step = int(part.number)
    return refused


def _asked(steps: Sequence[Step], part: EmbeddedAnswer) -> Step | None:
    """The step that was refused; None where the tenant does not say, or judged the whole."""
    if part.number.isdecimal() and 0 < int(part.number) <= len(steps):
        return steps[int(part.number) - 1]
    return None
