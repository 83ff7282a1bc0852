"""One request for what is due of a partition and a SaaS."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dagster as dg

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP, EntitySet
from mlc_dagster.ledger import SLICE, THROTTLED, Ledger, Task
from mlc_dagster.ledger.coordination.work_entries import cause_of
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.storage.row_store import RowStore

RESUMED = "mlc/resumed"
BACKFILL = "dagster/backfill"
PRIORITY = {"dagster/priority": "-1"}
"""Of what gave way: a first load of days never stands before today's orders."""


@dataclass
class Wanted:
    """What one run is to read, prepare and load."""

    partition: str
    system: str  # the SaaS; or, of what is read alone, where it is read from
    reads: dict[tuple[str, ...], None] = field(default_factory=dict)
    makes: dict[tuple[str, ...], None] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)

    def load(self, flow: Flow, task: Task, unread: Task | None, store: RowStore | None) -> None:
        """With its source, where that is due too, comes from a SaaS, or was stored with less of it."""
        lacks = store is not None and store.lacks(flow.source.key, self.partition, flow.source.record)
        if unread is not None or flow.source.system != ERP or lacks:
            self.reads[flow.source.key] = None
        self.makes |= {prepared_key(flow): None, flow.key: None}
        self.tasks += [task, *([unread] if unread else [])]

    def read(self, entity: EntitySet, task: Task) -> None:
        """Nothing waits to be made of it."""
        self.reads[entity.key] = None
        self.tasks.append(task)

    @property
    def keys(self) -> list[tuple[str, ...]]:
        return list(self.reads | self.makes)

    def request(self, ledger: Ledger, instance: dg.DagsterInstance | None) -> dg.RunRequest:
        """Each state of the list has one request; after an hour another one, should that have come to nothing."""
        number, hour = ledger.pauses.latest(self.system), f"{datetime.now(UTC):%Y-%m-%dT%H}"
        marks = sorted(f"{t.flow} {t.asked_at} {t.due_at} {t.attempts} {t.run_id}" for t in self.tasks)
        digest = hashlib.blake2b("\n".join(marks).encode(), digest_size=8).hexdigest()
        behind = PRIORITY if any(task.cause == cause_of(task.connection, SLICE) for task in self.tasks) else {}
        return dg.RunRequest(
            run_key=f"{self.system} {self.partition} due {number} {digest} {hour}",
            partition_key=self.partition,
            asset_selection=[dg.AssetKey(key) for key in self.keys],
            tags={RESUMED: self.system, **behind, **_backfill(self.tasks, instance)},
        )


def _backfill(tasks: Iterable[Task], instance: dg.DagsterInstance | None) -> dict[str, str]:
    """Dagster counts what a backfill materialized by this tag; without it one that gave way would not end."""
    words = (SLICE, THROTTLED)
    turns = {task.run_id for task in tasks if task.cause in [cause_of(task.connection, word) for word in words]}
    for run_id in sorted(turns):
        run = instance.get_run_by_id(run_id) if instance else None
        if run and BACKFILL in run.tags:
            return {BACKFILL: run.tags[BACKFILL]}
    return {}
