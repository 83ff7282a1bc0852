"""All connections at once, and none of them for longer than a person waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from mlc_dagster.core.errors import MlcError
from mlc_dagster.settings import Settings
from mlc_dagster.settings.section import Section
from mlc_dagster.systems.airbase.ping import ask_airbase
from mlc_dagster.systems.cin7.ping import ask_cin7
from mlc_dagster.systems.hubspot.ping import ask_hubspot
from mlc_dagster.systems.ifs.ping import ask_ifs
from mlc_dagster.systems.monday.ping import ask_monday
from mlc_dagster.systems.procurify.ping import ask_procurify
from mlc_dagster.systems.shared.findings import Finding, refused, unset, wrong
from mlc_dagster.transport.cancellation import Calls

WITHIN = 10.0  # seconds that a system may take for all its answers
GRACE = 2.0  # seconds in which what was hung up on ends by itself

SomeSection = TypeVar("SomeSection", bound=Section)
ASKED: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "ifs": ask_ifs,
    "cin7": ask_cin7,
    "airbase": ask_airbase,
    "monday": ask_monday,
    "hubspot": ask_hubspot,
    "procurify": ask_procurify,
}
_NAME = "ping "  # of a thread


def ping_all(settings: Settings, within: float = WITHIN) -> list[Finding]:
    """Every connection that is on, at once; after `within` seconds, what was found by then, and who was too slow.

    In the order of mlc.example.yaml. Writes nothing, raises nothing.
    """
    calls, hasty = Calls(), _hasty(settings, within)
    talks = [_Talk(system, hasty, calls) for system in ASKED if getattr(settings, system) is not None]
    deadline = time.monotonic() + within
    for talk in talks:
        talk.start()
    for talk in talks:
        talk.join(max(0.0, deadline - time.monotonic()))
    found = [finding for talk in talks for finding in talk.result(within)]
    calls.hang_up()
    ends = time.monotonic() + GRACE
    for talk in talks:
        talk.join(max(0.0, ends - time.monotonic()))
    return found


def still_asking() -> bool:
    """Whether a question hangs where no socket is to be shut down, such as in a look-up of a name."""
    return any(thread.name.startswith(_NAME) for thread in threading.enumerate())


def _hasty(settings: Settings, within: float) -> Settings:
    """The same with shorter timeouts, for two tries."""
    sections = {system: section for system in ASKED if (section := getattr(settings, system)) is not None}
    return settings.model_copy(update={system: _within(section, within) for system, section in sections.items()})


def _within(section: SomeSection, seconds: float) -> SomeSection:
    allowed: float = getattr(section, "timeout_seconds")  # noqa: B009 - each system's section has it
    return section.model_copy(update={"timeout_seconds": min(allowed, seconds / 2), "answer_seconds": seconds})


class _Talk(threading.Thread):
    """The questions to one system."""

    def __init__(self, system: str, settings: Settings, calls: Calls) -> None:
        super().__init__(name=f"{_NAME}{system}", daemon=True)
        self._system, self._settings, self._calls = system, settings, calls
        self._found: list[Finding] = []
        self._is_through = False

    def run(self) -> None:
        self._calls.take_part()
        try:
            self._ask()
        except MlcError as error:
            self._found.append(refused(self._system, "answers", error))
        except Exception as error:  # an answer of another system, say: the others are asked all the same
            self._found.append(_strange(self._system, error))
        self._is_through = True

    def _ask(self) -> None:
        if lacking := unset(self._system):
            self._found.append(lacking)
            return
        for finding in ASKED[self._system](self._settings):
            self._found.append(finding)

    def result(self, within: float) -> list[Finding]:
        """What was found by now."""
        found = list(self._found)
        if self._is_through:
            return found
        cure = f"Give it longer (mlc ping --within 60), or check the address in mlc.yaml: {self._system}.base_url."
        return [*found, wrong(self._system, "answers", f"not all that was asked came within {within:g} s", cure)]


def _strange(system: str, error: Exception) -> Finding:
    fault = f"an answer is not understood ({type(error).__name__}: {str(error)[:100]})"
    cure = f"Check {system}.base_url in mlc.yaml. Where it is right, please report this line."
    return wrong(system, "answers", fault, cure)
