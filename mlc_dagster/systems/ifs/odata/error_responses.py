"""What IFS means when it refuses: the useful text of its error envelope, and what the caller must do.

`{"error": {"code": "ODP_...", "message": "...", "details": [{"message": "ORA-20110: Lu.FIELD: ..."}]}}`: the text of
the first detail is the one that helps. Sources: facts/ifs.md, sections 5 to 7.
"""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import unquote

from mlc_dagster.core.errors import AccessDenied, MlcError, RecordRejected, StaleRecord, TransientError
from mlc_dagster.transport.responses import Response, retry_after, snippet

_LOCKED = re.compile(r"FND_LOCKED|currently locked")
_STALE = re.compile(r"modified by another user|FND_RECORD_MODIFIED")
_TOO_LARGE = re.compile(r"\belements?\b|too many|too large", re.IGNORECASE)
_SERVICE = re.compile(r"/([^/]+)\.svc")
_OTHERS = frozenset({401, 408, 412, 429})
"""Statuses that mean the same for every system."""


class PageTooLarge(MlcError):
    """The page holds more elements, or takes more time, than the server allows: ask for a smaller one."""


def classify(response: Response) -> Exception | None:
    """The error of an answer where IFS has its own meaning for it; None leaves it to the general one."""
    if response.is_success:
        return None
    status, code, text = response.status_code, *_code_and_text(response)
    says = _message(response, text)
    if "MI_MODIFIED_ERROR" in code + text or _LOCKED.search(code + text) or status == 423:
        return TransientError(says, retry_after=retry_after(response.headers, time.time()))  # a passing state
    if _STALE.search(code + text):
        return StaleRecord(says)
    if "$top" in response.request.url.params and (status == 504 or (status == 500 and _TOO_LARGE.search(text))):
        return PageTooLarge(says)
    if status == 403:
        return AccessDenied(
            says, status=403, cure=f"Grant the projection {_projection(response)} to the service account."
        )
    if (400 <= status < 500 and status not in _OTHERS) or status == 501 or _is_business(response, code):
        return RecordRejected(says, status=status, body=_body(response))
    return None


def is_not_built(error: RecordRejected) -> bool:
    """The tenant does not have what was asked, such as $expand of a collection."""
    return error.status == 501 or "ODP_NOT_IMPLEMENTED" in _code(error.body)


def _is_business(response: Response, code: str) -> bool:
    """A write that the database refused: it answers 500, and rolls back. Its proof is the text of the first detail."""
    return response.status_code == 500 and response.request.method != "GET" and bool(code) and bool(_detail(response))


def _code_and_text(response: Response) -> tuple[str, str]:
    body = _body(response)
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return "", snippet(response.content)
    message = _detail(response) or str(error.get("message") or "")
    return _code(body), snippet(message.encode())


def _message(response: Response, text: str) -> str:
    request, code = response.request, _code(_body(response))
    before, service, _ = (path := unquote(request.url.path)).rpartition(".svc")
    shown = path[before.rfind("/") if service else 0 :][:200]
    return f"ifs: {request.method} {shown}: {response.status_code} {code} {text}".rstrip()


def _detail(response: Response) -> str:
    body = _body(response)
    error = body.get("error") if isinstance(body, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    first = details[0] if isinstance(details, list) and details else None
    return str(first.get("message") or "") if isinstance(first, dict) else ""


def _code(body: Any) -> str:
    error = body.get("error") if isinstance(body, dict) else None
    return str(error.get("code") or "") if isinstance(error, dict) else ""


def _body(response: Response) -> Any:
    try:
        return json.loads(response.content)
    except ValueError:
        return None


def _projection(response: Response) -> str:
    found = _SERVICE.search(response.request.url.path)
    return found[1] if found else "that was asked"
