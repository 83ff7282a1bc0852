"""A selection is decided on in a thread of its own: each item in its own transaction, stopped between any two."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.logs import logger
from mlc_dagster.ledger import HoldEntry, Ledger, Run
from mlc_dagster.ledger.records.decisions import DecisionRefused
from mlc_dagster.ledger.records.selections import ENDED, RUNNING, STOPPED, Selection
from mlc_dagster.ledger.records.users import Role

REVIEW = "review"  # stands in the trail where a run id would
TAKEN_UP = 60.0  # seconds that the sensor has which looks for releases itself
CHUNK = 500
TOLD = 50  # items after which the progress is written down
log = logger(__name__)

May = Callable[[Role, str], bool]


class Running:
    """What is under way in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stops: dict[str, threading.Event] = {}

    def has(self, name: str) -> bool:
        with self._lock:
            return name in self._stops

    def begin(self, ledger: Ledger, name: str, one: Selection, may: May) -> bool:
        """False: it is under way already, or has gone on since `one` was read."""
        with self._lock:
            now = ledger.selections.of(name)
            if name in self._stops or now is None or len(now.outcomes) != len(one.outcomes):
                return False
            stop = self._stops[name] = threading.Event()
        ledger.selections.put(name, one)
        threading.Thread(target=self._run, args=(ledger, name, one, may, stop), daemon=True).start()
        return True

    def stop(self, name: str) -> None:
        """Between two items: those that are decided on stay so."""
        with self._lock:
            if name in self._stops:
                self._stops[name].set()

    def _run(self, ledger: Ledger, name: str, one: Selection, may: May, stop: threading.Event) -> None:
        try:
            _decide_all(ledger, name, one, may, stop)
        except MlcError as error:
            log.error("selection %s ended early: %s", name, error)
        finally:
            with self._lock:
                del self._stops[name]


def _decide_all(ledger: Ledger, name: str, one: Selection, may: May, stop: threading.Event) -> None:
    outcomes = list(one.outcomes)
    while len(outcomes) < len(one.items) and not stop.is_set():
        start = len(outcomes)
        chosen = one.items[start : start + CHUNK]
        found = {hold.id: hold for hold in ledger.causes.entries([number for number, *_ in chosen])}
        for number, content, rules in chosen:
            if stop.is_set():
                break
            outcomes.append(_decide(ledger, one, found.get(number), (content, rules), f"{one.reason} ({name})", may))
            if len(outcomes) % TOLD == 0:
                ledger.selections.put(name, replace(one, outcomes=list(outcomes), state=RUNNING))
        if one.action == "release":
            places = [(hold.flow, hold.partition) for hold in found.values() if hold.partition]
            ledger.work.ask_all(places, f"released by {one.who}", soon=TAKEN_UP)
    state = STOPPED if len(outcomes) < len(one.items) else ENDED
    ledger.selections.put(name, replace(one, outcomes=outcomes, state=state))


def _decide(
    ledger: Ledger, one: Selection, hold: HoldEntry | None, frozen: tuple[str, str], reason: str, may: May
) -> str:
    """Why it was not decided on; empty where it was."""
    if hold is None:
        return "it is not open any more"
    if (hold.content, f",{','.join(hold.rules)},") != frozen:
        return "it has changed since it was chosen"
    if not may("decide", hold.company):
        return "it is another company's now"
    decide = ledger.decisions.release if one.action == "release" else ledger.decisions.discard
    try:
        decide(hold, one.who, reason, Run(REVIEW, hold.partition))
    except DecisionRefused as error:
        return error.message
    return ""
