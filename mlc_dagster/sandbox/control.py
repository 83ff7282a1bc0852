"""The sandbox's own endpoints, for the demo and for tests in another process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from threading import RLock
from typing import Any

from mlc_dagster.sandbox.faults import Faults
from mlc_dagster.sandbox.journal import Journal
from mlc_dagster.sandbox.limits import RollingCounts
from mlc_dagster.sandbox.registry import parts
from mlc_dagster.sandbox.system import System
from mlc_dagster.sandbox.wire import Answer, Call, answer_json, decode

PLACES = (
    "GET /_sandbox/health, GET /_sandbox/journal/{system}, GET /_sandbox/state/{system}, "
    "POST or DELETE /_sandbox/faults"
)


class Control:
    def __init__(self, systems: Mapping[str, System], faults: Faults, journal: Journal, lock: RLock) -> None:
        self._systems, self._faults, self._journal, self._lock = systems, faults, journal, lock
        self._own = {(name, *place): act for name, part in parts().items() for place, act in part.controls.items()}

    def answer(self, call: Call) -> Answer:
        """The answer to a request under /_sandbox; 400 says what was wrong with the body."""
        words = [call.method, *call.path.strip("/").split("/")[1:]]
        try:
            with self._lock:
                content = self._content(words, decode(call.body) if call.body else {})
        except (ValueError, TypeError, AttributeError) as error:
            return answer_json(400, {"error": str(error)})
        if content is None:
            return answer_json(404, {"error": f"{call.method} {call.path} is not here. There is: {self._places()}"})
        return answer_json(200, content)

    def _content(self, words: list[str], body: Any) -> Any:
        match words:
            case ["GET", "health"]:
                return {"status": "ok", "systems": list(self._systems)}
            case ["GET", "journal", system] if system in self._systems:
                return self._journal.changes(system)
            case ["GET", "state", system] if system in self._systems:
                return {**self._systems[system].state(), **self._traffic(system, self._systems[system].counts)}
            case ["POST", "faults"]:
                self._faults.add(**body)
                return {"added": body}
            case ["DELETE", "faults"]:
                self._faults.clear()
                return {"cleared": True}
            case [method, system, name] if act := self._own.get((system, method, name)):
                return act(self._systems[system], body)
        return None

    def _places(self) -> str:
        """What it can be asked."""
        return ", ".join([PLACES, *(f"{method} /_sandbox/{system}/{name}" for system, method, name in self._own)])

    def _traffic(self, system: str, counts: RollingCounts) -> dict[str, Any]:
        return {"calls": _calls(self._journal.calls(system)), "peaks": counts.peaks(), "limit": counts.limit}


def _calls(calls: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"method": method, "path": path, "count": count} for (method, path), count in calls.items()]
