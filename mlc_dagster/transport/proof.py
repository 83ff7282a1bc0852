"""Whether an answer proves that a write did not act.

A gateway that lost its upstream answers 503 with Retry-After after the commit, a busy one 429 before or behind it, and
a database says "locked" of a part of what it was asked (facts/corrections.md: seen on servers nobody here wrote). How
long to be silent, and whether a write may go again without a look, are therefore two answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import httpx

from mlc_dagster.core.errors import OutcomeUnknown, TransientError
from mlc_dagster.transport.responses import Call, Throttled

PACING = (429, 503)
"""What a system's own word can turn into "not begun"."""

SEARCHED = 8192
"""Bytes of a body: a refusal is short, and a pattern of mlc.yaml may take the square of what it is searched in."""

REFUSED = (400, 409, 412, 422)
"""With these a system that was understood says that it did nothing."""


class Proof:
    """Knows a system by the words of its own refusals: `patterns` are searched where the body of an answer begins.

    None: `classify` of that system returns TransientError only where the answer proves it.
    """

    def __init__(self, patterns: Sequence[str] | None) -> None:
        words = "|".join(f"(?:{pattern})" for pattern in patterns or ())
        self._known = re.compile(words.encode(), re.IGNORECASE) if words else None
        self._classify_knows = patterns is None

    def judge(self, call: Call, response: httpx.Response, error: Exception) -> Exception:
        """The error of an answer, with "it did not act" only where that is proven."""
        if call.repeatable:
            return error
        if isinstance(error, OutcomeUnknown) and response.status_code in PACING and self._shows(response):
            return Throttled(error.message, retry_after=error.retry_after)
        proven = self._classify_knows or response.status_code in REFUSED or self._shows(response)
        if not isinstance(error, TransientError) or proven:
            return error
        return OutcomeUnknown(error.message, retry_after=error.retry_after)

    def _shows(self, response: httpx.Response) -> bool:
        return self._known is not None and self._known.search(response.content[:SEARCHED]) is not None
