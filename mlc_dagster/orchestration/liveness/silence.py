"""For how long nothing was heard of a run."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any


class Silence:
    """`seconds`: from when on it counts. `clock` is one that nobody can set; `kept` is what another one has heard."""

    def __init__(
        self, seconds: float, clock: Callable[[], float] = time.monotonic, kept: Mapping[str, Any] | None = None
    ) -> None:
        self.seconds, self._clock = seconds, clock
        self._heard: dict[str, tuple[int | None, float]] = {
            run: (heard, at) for run, (heard, at) in (kept or {}).items()
        }

    def of(self, run_id: str, latest: int | None) -> float:
        """Seconds since a look first found `latest`, the run's last event: 0.0 at that look."""
        now = self._clock()
        heard, since = self._heard.get(run_id, (None, now))
        if heard != latest:
            since = now
        self._heard[run_id] = latest, since
        return now - since

    def forget(self, run_id: str) -> None:
        """Somebody has answered for it, or nobody could be asked."""
        self._heard.pop(run_id, None)

    def keep(self, run_ids: Iterable[str]) -> None:
        """Of others nothing more will be heard."""
        wanted = set(run_ids)
        self._heard = {run: heard for run, heard in self._heard.items() if run in wanted}

    def kept(self) -> dict[str, tuple[int | None, float]]:
        return dict(self._heard)
