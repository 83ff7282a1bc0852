"""What is due, by the cause that keeps it from being loaded: one thing to tell, and one to do, for all its days."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from mlc_dagster.ledger import Task
from mlc_dagster.ledger.coordination.work_entries import REFUSED, UNREACHABLE, cause_of


@dataclass(frozen=True)
class DueCause:
    """Flows and partitions that wait for one remedy."""

    cause: str  # cin7:refused
    why: str
    needs_person: bool
    since: datetime | None
    until: datetime  # tried again then
    flows: tuple[str, ...]  # and "read ifs/supplier_set" of what is to be read
    partitions: tuple[str, ...]  # the newest first
    loads: int

    @property
    def command(self) -> str:
        """What lets it go on."""
        return f"mlc retry {self.cause}"

    @property
    def mark(self) -> str:
        """By what people are told of it: once when it begins, and once more when it needs them."""
        return f"{self.cause}{' needs a person' if self.needs_person else ''}"

    def says(self) -> str:
        """In one line, with what to do."""
        many = self.loads > 1
        counted = f"{self.cause}: {self.loads} load{'s' if many else ''}"
        if self.needs_person:
            return f"{counted} need{'' if many else 's'} a person: {self.why} Then: `{self.command}`"
        return f"{counted} wait{'' if many else 's'} until {self.until:%Y-%m-%d %H:%M} UTC: {self.why}"

    def follows(self, system: str) -> str:
        """For a message: what becomes of it by itself, and what does not."""
        if self.needs_person:
            back = f" It goes on by itself when {system} answers again." if self.goes_on(system) else ""
            return f"{self.loads} of its loads need a person. When it is mended: {self.command}.{back}"
        return f"{self.loads} of its loads are tried again from {self.until:%H:%M} UTC on, by themselves."

    def goes_on(self, system: str) -> bool:
        """Whether the system's answer is all that is waited for."""
        return self.cause in (cause_of(system, REFUSED), cause_of(system, UNREACHABLE))


def by_cause(tasks: Iterable[Task]) -> list[DueCause]:
    """Of what failed and is not asked for now; what needs a person first."""
    found: dict[str, list[Task]] = {}
    for task in tasks:
        if task.failed and task.state != "due":
            found.setdefault(task.cause, []).append(task)
    causes = [_of(cause, tasks) for cause, tasks in found.items()]
    return sorted(causes, key=lambda each: (not each.needs_person, each.cause))


def _of(cause: str, tasks: Sequence[Task]) -> DueCause:
    return DueCause(
        cause,
        tasks[0].why,
        any(task.state == "needs_person" for task in tasks),
        min((task.since for task in tasks if task.since), default=None),
        min(task.due_at for task in tasks),
        tuple(sorted({task.flow for task in tasks})),
        tuple(sorted({task.partition for task in tasks}, reverse=True)),
        len(tasks),
    )
