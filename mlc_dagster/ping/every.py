"""All connections at once, and none of them for longer than a person waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from mlc_dagster.ping.airbase import ask_airbase
from mlc_dagster.ping.cin7 import ask_cin7
from mlc_dagster.ping.finding import Finding, wrong
from mlc_dagster.ping.hubspot import ask_hubspot
from mlc_dagster.ping.ifs import ask_ifs
from mlc_dagster.ping.monday import ask_monday
from mlc_dagster.ping.procurify import ask_procurify
from mlc_dagster.settings import Settings
from mlc_dagster.settings.section import Section

WITHIN = 3.0  # seconds that a system may take for all its answers: with the start, a person waits less than five

SomeSection = TypeVar("SomeSection", bound=Section)
ASKED: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "ifs": ask_ifs,
    "cin7": ask_cin7,
    "airbase": ask_airbase,
    "monday": ask_monday,
    "hubspot": ask_hubspot,
    "procurify": ask_procurify,
}


def ping_all(settings: Settings, within: float = WITHIN) -> list[Finding]:
    """Every connection that is on, at once; after `within` seconds, what was found by then, and who was too slow.

    Writes nothing. Raises Misconfigured where mlc.yaml names an entity set or field that no record has.
    """
    hasty = _hasty(settings, within)
    talks = [_Talk(system, ask, hasty) for system, ask in ASKED.items() if getattr(settings, system) is not None]
    deadline = time.monotonic() + within
    for talk in talks:
        talk.start()
    for talk in talks:
        talk.join(max(0.0, deadline - time.monotonic()))
    return [finding for talk in talks for finding in talk.result(within)]


def _hasty(settings: Settings, within: float) -> Settings:
    """The same with shorter timeouts, for two tries: the process can end when the ping does."""
    sections = {system: section for system in ASKED if (section := getattr(settings, system)) is not None}
    return settings.model_copy(update={system: _within(section, within) for system, section in sections.items()})


def _within(section: SomeSection, seconds: float) -> SomeSection:
    allowed: float = getattr(section, "timeout_seconds")  # noqa: B009 - each system's section has it
    return section.model_copy(update={"timeout_seconds": min(allowed, seconds / 2)})


class _Talk(threading.Thread):
    """The questions to one system. A daemon: who hangs does not keep the process."""

    def __init__(self, system: str, ask: Callable[[Settings], Iterator[Finding]], settings: Settings) -> None:
        super().__init__(name=f"ping-{system}", daemon=True)
        self._system, self._ask, self._settings = system, ask, settings
        self._found: list[Finding] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            for finding in self._ask(self._settings):
                self._found.append(finding)
        except BaseException as error:  # raised where the ping is waited for
            self._error = error

    def result(self, within: float) -> list[Finding]:
        if self._error:
            raise self._error
        if not self.is_alive():
            return self._found
        cure = f"Give it longer (mlc ping --within 60), or check the address in mlc.yaml: {self._system}.base_url."
        late = wrong(self._system, "answers", f"not all that was asked came within {within:g} s", cure)
        return [*self._found, late]
