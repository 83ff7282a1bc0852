"""What a response of monday.com proves, and what it asks of whoever sent the request."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlc_dagster.core.errors import AccessDenied, Misconfigured, MlcError, OutcomeUnknown, RecordRejected
from mlc_dagster.core.logs import logger
from mlc_dagster.systems.monday.graphql import error_codes as codes
from mlc_dagster.systems.monday.graphql.replies import Fault, Reply, is_replay, reply_of
from mlc_dagster.transport.error_messages import parsed
from mlc_dagster.transport.responses import Request, Response, Throttled, retry_after, snippet

log = logger("mlc_dagster.monday")

A_WHILE = 10.0  # seconds, where monday asks to wait and does not say how long
CURE = (
    "Check MONDAY_TOKEN: in monday, your picture, Developers, API token. With monday.oauth: whether the app is "
    "installed, and its scopes."
)
TOMORROW = "It starts anew at 00:00 UTC. A larger plan, or fewer boards, needs fewer calls a day."
KEY_HEADER = "Idempotency-Key"
"""Sent with what must not be sent twice, and with nothing else."""


class TooComplexError(RecordRejected):
    """One request asks for more than 5,000,000 points: nothing of it was done."""


class RefusedWholeError(RecordRejected):
    """A refusal that names no alias. `nothing_done`: it proves that none of them acted; `code`: monday's, for a person
    and for the next one of its kind; `replayed`: monday said it earlier, under the same Idempotency-Key.
    """

    def __init__(self, message: str, *, status: int, code: str, nothing_done: bool, replayed: bool) -> None:
        super().__init__(message, status=status)
        self.code, self.nothing_done, self.replayed = code, nothing_done, replayed


class AnsweredInDoubtError(OutcomeUnknown):
    """monday itself answered under this Idempotency-Key, and left open what it did: the key may replay that answer."""


class PartialAnswerError(RecordRejected):
    """An answer with faults of single aliases, which the caller takes apart; `wait`: seconds of silence, 0 for none."""

    def __init__(self, message: str, reply: Reply, *, wait: float) -> None:
        super().__init__(message)
        self.reply, self.wait = reply, wait


def classifier(version: str) -> Callable[[Response], MlcError | None]:
    """Reads an answer before anyone else: what stops the run, what waits, what is too large; and the API's version.

    Throttled is returned for a write only where the answer proves that nothing was done. Answers that name no version,
    as behind a gateway that drops headers, are warned of once.
    """
    untold = [True]  # whether nothing was said of it yet

    def classify(response: Response) -> MlcError | None:
        body = parsed(response.content)
        if not _is_mondays(body):
            return _from_elsewhere(response)
        told = response.headers.get("api-version", "")
        if not told and response.is_success and untold:
            untold.clear()
            log.warning("monday's answers name no API version: %s was asked for, and is taken for it", version)
        if told and told != version:
            return Misconfigured(
                f"monday answered by API version {told}, and {version} was asked for",
                cure="Set monday.api_version in mlc.yaml to one that monday serves.",
            )
        return _Answer(response, reply_of(body, replayed=is_replay(response.headers))).error()

    return classify


def _is_mondays(body: Any) -> bool:
    """A gateway's JSON has neither data nor errors nor an error_code."""
    if not isinstance(body, Mapping):
        return False
    return isinstance(body.get("errors"), list) or isinstance(body.get("data"), Mapping) or "error_code" in body


def _from_elsewhere(response: Response) -> MlcError | None:
    """Whoever stands before monday; a 409 of theirs proves no more than their 503, which the house reads so."""
    said = f"monday answered {response.status_code}: {snippet(response.content)}"
    is_conflict = response.status_code == 409
    return _unproven(response, said, _asked(response, ()), at_work=True) if is_conflict else None


@dataclass(frozen=True)
class _Answer:
    """One answer of monday's own."""

    response: Response
    reply: Reply

    def error(self) -> MlcError | None:
        """None: the values are to be taken, and there are no faults."""
        faults = self.reply.faults
        if not faults and self.response.is_success:
            return None
        if self.reply.works or (faults and all(fault.alias for fault in faults) and not self._proves_nothing):
            return self._of_aliases()
        return self._of_the_request()

    def _of_aliases(self) -> MlcError | None:
        """Some have values, or each error names its alias: what they all say is said of the request."""
        faults = self.reply.faults
        if not self.reply.works and (stop := _stops({fault.code for fault in faults}, self._said, every=True)):
            return stop
        busy = [fault for fault in faults if fault.is_limit or fault.proves_nothing]
        if _is_read(self.response.request):
            return Throttled(self._said, retry_after=self._wait(busy)) if busy else None
        return PartialAnswerError(self._said, self.reply, wait=self._wait(busy) if busy or self._is_429 else 0.0)

    def _of_the_request(self) -> MlcError | None:
        faults, status = self.reply.faults, self.response.status_code
        found = {fault.code for fault in faults}
        if codes.DAY_IS_OVER in found:
            return AccessDenied(self._said, cure=TOMORROW)
        if self._proves_nothing or any(fault.proves_nothing for fault in faults):
            return _unproven(self.response, self._said, self._asked(faults), at_work=codes.AT_WORK in found)
        if self._asked(faults) is None and not self._is_429 and codes.is_too_complex(self._messages):
            return TooComplexError(self._said, status=status)
        if any(fault.is_limit for fault in faults):
            wait = self._wait(faults)
            begun = self.reply.was_begun
            return _unproven(self.response, self._said, wait) if begun else Throttled(self._said, retry_after=wait)
        if self._is_429:
            return _unproven(self.response, self._said, self._wait(faults))
        if stop := _stops(found, self._said):
            return stop
        known = bool(faults) and all(fault.is_refusal for fault in faults)
        nothing_done = (known or status in codes.REFUSED) and not self.reply.was_begun
        code = faults[0].code if faults else ""
        return RefusedWholeError(
            self._said, status=status, code=code, nothing_done=nothing_done, replayed=self.reply.replayed
        )

    @property
    def _proves_nothing(self) -> bool:
        return codes.proves_nothing("", self.response.status_code)

    @property
    def _is_429(self) -> bool:
        return self.response.status_code == 429

    @property
    def _messages(self) -> str:
        return "; ".join(dict.fromkeys(fault.message for fault in self.reply.faults))

    @property
    def _said(self) -> str:
        words = self._messages[:1000] or snippet(self.response.content)
        return f"monday answered {self.response.status_code}: {words}"

    def _asked(self, faults: Sequence[Fault]) -> float | None:
        return _asked(self.response, faults)

    def _wait(self, faults: Sequence[Fault]) -> float:
        asked = self._asked(faults)
        return A_WHILE if asked is None else asked


def _asked(response: Response, faults: Sequence[Fault]) -> float | None:
    """The longest silence that the answer asks for, anywhere."""
    asked = [*(fault.wait for fault in faults), retry_after(response.headers, time.time())]
    return max((seconds for seconds in asked if seconds is not None), default=None)


def _unproven(response: Response, said: str, wait: float | None, *, at_work: bool = False) -> MlcError | None:
    """Ask again what may be asked again; what is new is looked for first. None: the house reads it so.

    `at_work`: monday may be executing what was sent under this key, which is therefore the key to send it under again.
    """
    if wait is None and response.status_code >= 500:
        return None
    silence = A_WHILE if wait is None else wait
    if KEY_HEADER.lower() not in response.request.headers:
        return Throttled(said, retry_after=silence)
    at_work = at_work or response.status_code >= 500
    return (OutcomeUnknown if at_work else AnsweredInDoubtError)(said, retry_after=silence)


def _stops(found: set[str], said: str, *, every: bool = False) -> MlcError | None:
    """What no record is to blame for; `every`: only where nothing else is said."""

    def speaks(known: frozenset[str]) -> bool:
        return bool(found) and found <= known if every else bool(found & known)

    if speaks(codes.DENIED):
        return AccessDenied(said, status=403 if found & codes.DENIED <= codes.NOT_ALLOWED else 401, cure=CURE)
    if speaks(codes.OUR_FAULT):
        return Misconfigured(said, cure="Check monday.boards and monday.api_version in mlc.yaml.")
    return None


def _is_read(request: Request) -> bool:
    return request.content.startswith(b'{"query":"query')
