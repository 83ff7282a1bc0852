"""What a load asks before each request leaves: does it still write alone, and does nobody want it to stop."""

from __future__ import annotations

from dataclasses import dataclass

from mlc_dagster.ledger import Lease, Ledger, boot_time
from mlc_dagster.pipeline import ending
from mlc_dagster.pipeline.systematic_refusals import SystematicRefusal


@dataclass
class LoadGuard:
    """Implements write_guard.Guard, for one load."""

    ledger: Ledger
    lease: Lease
    target: str
    futility: SystematicRefusal
    pause_seen_at: float | None = None  # by the boot clock: the pause's own time is of another clock

    def before_headers(self, call: str) -> None:
        """Nothing leaves any more where another one writes, or may, nor long after a pause."""
        if pause := self.ledger.ask_lease(self.lease, call, self.target):
            self.pause_seen_at = self.pause_seen_at or boot_time()
            pause.end_within(self.pause_seen_at + ending.GRACE_SECONDS - boot_time(), call)

    def before_body(self, call: str) -> None:
        self.lease.check(call)

    def answered(self, call: str, error: Exception | None, suspicion: int) -> None:
        self.futility.answered(call, error, suspicion)
