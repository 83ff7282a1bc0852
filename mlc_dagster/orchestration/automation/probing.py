"""Is a system there again? Asked with one question every two minutes, while work waits for that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.logs import logger
from mlc_dagster.ledger import Ledger, Task
from mlc_dagster.ledger.coordination.work_entries import REFUSED, UNREACHABLE, cause_of
from mlc_dagster.transport.threads import in_order

BETWEEN = timedelta(minutes=2)
FORGOTTEN = timedelta(hours=6)
log = logger("mlc_dagster.due")

Kept = dict[str, list[Any]]
"""Connection -> [when it was asked last, whether it failed then, whether it let something go on since it failed]."""


@dataclass(frozen=True)
class Probe:
    """What came of the last question."""

    at: datetime
    failed: bool = False
    freed: bool = False

    @property
    def may_free(self) -> bool:
        """It has come back. One that answered all the time while runs fail is no cure: it lets go on once."""
        return self.failed or not self.freed


def stopped(tasks: Iterable[Task]) -> set[str]:
    """The connections whose silence, or refusal, keeps something waiting."""
    found = ((task.connection, task.cause) for task in tasks if task.failed and task.state != "due")
    return {name for name, cause in found if cause in (cause_of(name, UNREACHABLE), cause_of(name, REFUSED))}


def probe(tasks: Sequence[Task], ledger: Ledger, resources: Any, kept: Kept) -> Kept:
    """Ask those that were not asked for a while; what waits for one that is back is due. What is to be kept of it."""
    now = datetime.now(UTC)
    known = {name: Probe(datetime.fromisoformat(at), *rest) for name, (at, *rest) in kept.items()}
    known = {name: each for name, each in known.items() if timedelta(0) <= now - each.at < FORGOTTEN}
    asked = [name for name in sorted(stopped(tasks)) if name not in known or now - known[name].at >= BETWEEN]
    for name, error in zip(asked, _answers(asked, resources), strict=True):
        known[name] = _after(name, error, known.get(name), ledger, now)
    return {name: [each.at.isoformat(), each.failed, each.freed] for name, each in known.items()}


def _answers(names: Sequence[str], resources: Any) -> Iterable[MlcError | None]:
    """At once: one that hangs keeps none of the others waiting."""
    return in_order(lambda name: getattr(resources, name).unanswered(), names, max(1, len(names)))


def _after(name: str, error: MlcError | None, last: Probe | None, ledger: Ledger, now: datetime) -> Probe:
    if error is not None:
        return Probe(now, failed=True)
    if last is not None and not last.may_free:
        return Probe(now, freed=True)
    log.info("%s answers again: %d that waited for it are due", name, ledger.work.answered(name))
    return Probe(now, freed=True)


def last_failed(kept: Mapping[str, Sequence[Any]]) -> list[str]:
    """Those that did not answer when they were asked last."""
    return sorted(name for name, (_, failed, _) in kept.items() if failed)
