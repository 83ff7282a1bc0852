"""What the sandbox asks of each system that it serves."""

from __future__ import annotations

from typing import Any, Protocol

from mlc_dagster.sandbox.limits import RollingCounts
from mlc_dagster.sandbox.wire import Answer, Call


class System(Protocol):
    """One remote system in small: it keeps what it is sent, and refuses what the real one refuses."""

    counts: RollingCounts

    @property
    def skew_seconds(self) -> float:
        """Its clock minus ours, in the Date header."""

    def answer(self, call: Call) -> Answer:
        """The answer to a request below `/<name>`. Called under the sandbox's lock."""

    def state(self) -> dict[str, Any]:
        """What it holds, plain JSON, for comparing with what was sent."""

    def remembered(self) -> dict[str, Any]:
        """All that `recall` needs to go on after a restart, plain JSON."""

    def recall(self, kept: dict[str, Any]) -> None: ...
