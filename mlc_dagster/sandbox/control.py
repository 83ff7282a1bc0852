"""The sandbox's own endpoints, for the demo and for tests in another process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from threading import RLock
from typing import Any, cast

from mlc_dagster.sandbox.airbase.api import AirbaseSandbox
from mlc_dagster.sandbox.cin7.api import Cin7Sandbox
from mlc_dagster.sandbox.faults import Faults
from mlc_dagster.sandbox.ifs.api import IfsSandbox
from mlc_dagster.sandbox.journal import Journal
from mlc_dagster.sandbox.limits import RollingCounts
from mlc_dagster.sandbox.system import System
from mlc_dagster.sandbox.wire import Answer, Call, answer_json, decode

PLACES = (
    "GET /_sandbox/health, GET /_sandbox/journal/{system}, GET /_sandbox/state/{system}, "
    "POST or DELETE /_sandbox/faults, PUT /_sandbox/ifs/{EntitySet}, POST /_sandbox/cin7/accounts, "
    "POST /_sandbox/airbase/requests, POST /_sandbox/airbase/entries"
)


class Control:
    def __init__(self, systems: Mapping[str, System], faults: Faults, journal: Journal, lock: RLock) -> None:
        self._systems, self._faults, self._journal, self._lock = systems, faults, journal, lock
        self._ifs, self._cin7 = cast(IfsSandbox, systems["ifs"]), cast(Cin7Sandbox, systems["cin7"])
        self._airbase = cast(AirbaseSandbox, systems["airbase"])

    def answer(self, call: Call) -> Answer:
        """The answer to a request under /_sandbox; 400 says what was wrong with the body."""
        words = [call.method, *call.path.strip("/").split("/")[1:]]
        try:
            with self._lock:
                content = self._content(words, decode(call.body) if call.body else {})
        except (ValueError, TypeError, AttributeError) as error:
            return answer_json(400, {"error": str(error)})
        if content is None:
            return answer_json(404, {"error": f"{call.method} {call.path} is not here. There is: {PLACES}"})
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
            case ["PUT", "ifs", set_name] if set_name in self._ifs.sets:
                return {"etag": self._ifs.put(set_name, body)}
            case ["POST", "cin7", "accounts"]:
                return self._add_account(body)
            case ["POST", "airbase", "requests"]:
                return {"id": self._airbase.add_request(**body)}
            case ["POST", "airbase", "entries"]:
                return {"id": self._airbase.add_entry(**body)}
        return None

    def _add_account(self, body: dict[str, Any]) -> dict[str, Any]:
        names = {"kind": "Type", "status": "Status", "system": "SystemAccountCode"}
        options = {name: str(body[wire]) for name, wire in names.items() if body.get(wire)}
        if not body.get("Code"):
            raise ValueError('the body needs "Code", and may give Name, Type, Status, SystemAccountCode')
        self._cin7.add_account(str(body["Code"]), str(body.get("Name") or body["Code"]), **options)
        return self._cin7.accounts[str(body["Code"])]

    def _traffic(self, system: str, counts: RollingCounts) -> dict[str, Any]:
        return {"calls": _calls(self._journal.calls(system)), "peaks": counts.peaks(), "limit": counts.limit}


def _calls(calls: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"method": method, "path": path, "count": count} for (method, path), count in calls.items()]
