"""Refusals that no record can cause, write after write: the run is stopped, and nothing is held for them."""

from __future__ import annotations

import threading

from mlc_dagster.core.errors import Misconfigured, MlcError, OutcomeUnknown, TransientError

ENOUGH = 20
"""Suspicion that stops a run: five writes in a row that a wrong address explains, or twenty without an answer."""


class SystematicRefusal:
    """What the target answered to the writes of one load, in all threads."""

    def __init__(self, system: str) -> None:
        self._system = system
        self._lock = threading.Lock()
        self._calls = self._suspicion = 0

    def answered(self, call: str, error: Exception | None, suspicion: int) -> None:
        """Raises Misconfigured or TransientError after a few that no record can have caused."""
        with self._lock:
            if error is None or not suspicion:
                self._calls = self._suspicion = 0
                return
            self._calls += 1
            self._suspicion += suspicion
            if self._suspicion < ENOUGH:
                return
        raise self._stop(call, error)

    @property
    def is_suspected(self) -> bool:
        """The last answer spoke against the address or the rights: what it says of a record may be untrue."""
        return self._suspicion > 0

    def _stop(self, call: str, error: Exception) -> MlcError:
        said = error.message if isinstance(error, MlcError) else str(error)
        if isinstance(error, OutcomeUnknown):
            return TransientError(
                f"{self._system}: {self._calls} writes in a row got no answer that can be trusted, the last: {said}",
                cure="The run was stopped. What was sent is looked for first by the next run; nothing is held for it.",
            )
        return Misconfigured(
            f"{self._system}: {self._calls} writes in a row were refused in a way that no record can cause: {said}",
            cure=f"The run was stopped, and nothing is held for it. Is {call} the right address, and may these "
            f"credentials write there? Ask `mlc ping`, look at the section {self._system} of mlc.yaml, then run again.",
        )
