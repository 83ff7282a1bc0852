"""Answers of monday.com that tell a part of what was done, or nothing of it; each is true of what was executed.

Of a monday that did not act a gateway tells by `Faults`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from mlc_dagster.sandbox.limits import whole_seconds
from mlc_dagster.sandbox.monday.boards import RefusedError
from mlc_dagster.sandbox.wire import Answer, answer_json

LIMIT, INTERNAL = "COMPLEXITY_BUDGET_EXHAUSTED", "INTERNAL_SERVER_ERROR"


@dataclass
class Trouble:
    """What becomes of the next mutations, `times` of them. The first `done` writes of a request are executed and told.

    "limit": each other one has an error of its own, and was not executed.
    "silence": each other one is null without an error of its own, beside an error of the request; `also` of them were
    executed all the same.
    "internal": each other one has an error of its own that leaves open what was done; `also` of them were executed.
    "gateway": all are executed, and a gateway that lost sight of monday answers `status` and `body` in its place.
    """

    kind: Literal["limit", "silence", "internal", "gateway"] = "limit"
    done: int = 1
    also: int = 0
    times: int = 1
    status: int = 429
    wait: float = 1.0  # seconds of silence that the answer asks for
    body: str = ""

    def lost(self) -> Answer:
        headers = {"retry-after": whole_seconds(self.wait)} if self.wait else {}
        return Answer(self.status, self.body.encode(), {"content-type": "text/html", **headers})


@dataclass(frozen=True)
class Refusals:
    """How a refused write is told, instead of with its path beside the values of the others.

    `path`: the error names its alias. `executes`: "others", all but it; "before", those before it; "none".
    `told`: whether the values of what was executed stand beside the error.
    """

    status: int = 200
    path: bool = True
    executes: Literal["others", "before", "none"] = "others"
    told: bool = True
    code: str = ""  # in place of its own


class Gate:
    """Asked before each write of a request whether it is executed, and afterwards how the request is answered."""

    def __init__(self, trouble: Trouble | None, refusals: Refusals | None) -> None:
        self._trouble = trouble if trouble and trouble.kind != "gateway" else None
        self._refusals = refusals
        self.begun = 0
        self._has_failed = False

    def enter(self) -> None:
        """Raises RefusedError for a write that is not executed."""
        self.begun += 1
        if self._trouble and self.begun > self._trouble.done + self._trouble.also:
            raise self._refused(self._trouble)
        if self._refusals and self._refusals.executes == "before" and self._has_failed:
            raise RefusedError("NotReached", "an earlier one failed")

    def leave(self, made: Any) -> Any:
        """What is told of a write that was executed. Raises RefusedError where that is an error."""
        if self._trouble and self.begun > self._trouble.done:
            raise self._refused(self._trouble)
        return made

    def failed(self) -> None:
        self._has_failed = True

    def _refused(self, trouble: Trouble) -> RefusedError:
        if trouble.kind == "internal":
            return RefusedError(INTERNAL, "Internal server error").with_status(500)
        return RefusedError(LIMIT, "Complexity budget exhausted").with_status(429, trouble.wait)

    def rolls_back(self, errors: list[dict[str, Any]]) -> bool:
        """Whether nothing of the request stays done."""
        return bool(errors and self._refusals and self._refusals.executes == "none")

    def answer(self, content: dict[str, Any]) -> Answer:
        errors = content.get("errors", [])
        if self._trouble:
            return self._in_part(self._trouble, content, errors)
        if self._refusals and errors:
            return self._told(self._refusals, content, errors)
        return answer_json(200, content)

    def _in_part(self, trouble: Trouble, content: dict[str, Any], errors: list[dict[str, Any]]) -> Answer:
        if trouble.kind == "silence" and errors:
            general = {name: value for name, value in errors[0].items() if name not in ("path", "locations")}
            content = {**content, "errors": [general]}
        headers = {"retry_after": whole_seconds(trouble.wait)} if trouble.status == 429 else {}
        return answer_json(trouble.status if errors else 200, content, **headers)

    def _told(self, how: Refusals, content: dict[str, Any], errors: list[dict[str, Any]]) -> Answer:
        real = [error for error in errors if error["extensions"]["code"] != "NotReached"]
        if how.code:
            real = [{**error, "extensions": {**error["extensions"], "code": how.code}} for error in real]
        if not how.path:
            real = [{name: value for name, value in real[0].items() if name not in ("path", "locations")}]
        return answer_json(how.status, {**content, "data": content["data"] if how.told else None, "errors": real})
