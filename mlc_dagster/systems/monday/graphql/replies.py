"""What monday.com's answers say: the value of each alias, and the faults of the others.

Errors come in several shapes: a list with extensions, a list of plain sentences, or one error_code for the request;
with status 200 as well as 4xx and 429, and beside the data of the aliases that did work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlc_dagster.systems.monday.graphql import error_codes as codes
from mlc_dagster.transport.responses import snippet

_RESET = re.compile(r"reset in (\d+) seconds", re.IGNORECASE)


@dataclass(frozen=True)
class Fault:
    """One error of an answer, whatever shape it came in."""

    code: str
    message: str
    alias: str = ""  # the first word of its path
    wait: float | None = None  # seconds that monday asks for
    status: int = 0  # monday's own, in the error; 0: it gives none

    @property
    def is_limit(self) -> bool:
        return codes.is_limit(self.code, self.status, self.message)

    @property
    def proves_nothing(self) -> bool:
        return codes.proves_nothing(self.code, self.status)

    @property
    def is_refusal(self) -> bool:
        return self.code in codes.REFUSALS and not self.proves_nothing


NO_WORD = Fault("", "monday gave neither a value nor a reason")


@dataclass(frozen=True)
class Reply:
    """What a document got: the value of each alias, and the faults of those that have none."""

    values: Mapping[str, Any]
    faults: Sequence[Fault] = ()
    replayed: bool = False  # an earlier answer to the same Idempotency-Key

    def own(self, alias: str) -> Fault | None:
        """Why this alias has no value, where monday says it of this very one."""
        return next((fault for fault in self.faults if fault.alias == alias), None)

    @property
    def general(self) -> Fault:
        """What monday says of the request."""
        return next((fault for fault in self.faults if not fault.alias), NO_WORD)

    @property
    def was_begun(self) -> bool:
        """Whether monday went as far as the aliases: it gives each a value or null."""
        return any(name != "complexity" for name in self.values)

    @property
    def works(self) -> bool:
        return any(value for name, value in self.values.items() if name != "complexity")

    @property
    def rest_is_untouched(self) -> bool:
        """Whether what is not named certainly was not done: the named were refused before anything was executed."""
        return not self.was_begun and bool(self.faults) and all(f.is_refusal or f.is_limit for f in self.faults)

    def is_untouched(self, alias: str) -> bool:
        """Whether this alias certainly was not executed, by this answer or by the earlier one that it replays."""
        own = self.own(alias)
        if own is None:
            return self.rest_is_untouched
        return own.is_limit or (self.replayed and not own.proves_nothing)

    def is_not_there(self, alias: str) -> bool:
        """Whether monday says that it does not have what the alias is about."""
        own = self.own(alias)
        return own is not None and own.code in codes.NOT_THERE


def reply_of(body: Any, *, replayed: bool = False) -> Reply:
    """From a parsed answer."""
    values = body.get("data") if isinstance(body, Mapping) else None
    return Reply(values if isinstance(values, Mapping) else {}, tuple(faults_of(body)), replayed)


def is_replay(headers: Mapping[str, str]) -> bool:
    return headers.get("idempotency-replayed", "").lower() == "true"


def faults_of(body: Any) -> Iterator[Fault]:
    """The errors of a parsed answer."""
    if not isinstance(body, Mapping):
        return
    if code := body.get("error_code"):
        yield Fault(str(code), str(body.get("error_message") or code), "", _seconds(body), _status(body))
    listed = body.get("errors")
    for error in listed if isinstance(listed, list) else []:
        if isinstance(error, Mapping):
            yield _fault(error, body)
        elif not code:
            yield Fault("Unauthorized" if "authent" in str(error).lower() else "", str(error))


def _fault(error: Mapping[str, Any], body: Mapping[str, Any]) -> Fault:
    known = error.get("extensions") or {}
    path = error.get("path") or [""]
    detail = known.get("error_data")
    words = str(error.get("message") or known.get("code") or "refused")
    text = f"{words} ({snippet(str(detail).encode())})" if detail else words
    wait = _seconds(known) or _seconds(error) or _seconds(body.get("extensions") or {}) or _seconds_in_text(words)
    return Fault(str(known.get("code") or ""), text, str(path[0]), wait, _status(known))


def _seconds(place: Mapping[str, Any]) -> float | None:
    """retry_in_seconds; ingest alone gives milliseconds."""
    if (seconds := place.get("retry_in_seconds")) is not None:
        return float(seconds)
    return float(place["retryAfterMs"]) / 1000 if place.get("retryAfterMs") else None


def _status(place: Mapping[str, Any]) -> int:
    found = place.get("status_code")
    return found if isinstance(found, int) else 0


def _seconds_in_text(words: str) -> float | None:
    found = _RESET.search(words)
    return float(found[1]) if found else None
