"""A small world after delivery: a sandbox, a ledger, and looks at what became of it in the target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from mlc_dagster.core.arrow_columns import read_ready
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.differences import Difference
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.assets.delivered import sent_last
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline import Loaded, load
from mlc_dagster.pipeline.extras import look_for_extras
from mlc_dagster.pipeline.kept_back import Policy
from mlc_dagster.pipeline.sending_again import send_again
from mlc_dagster.pipeline.verify import Asked, Verified, verify
from mlc_dagster.pipeline.ways_back import Said, WaysBack
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.settings import Settings
from mlc_dagster_tests.promises.journey import Journey, client_of, flow_of, settings_at
from mlc_dagster_tests.promises.kinds import PLENTY, books


@dataclass(frozen=True, kw_only=True)
class _Journey(Journey):
    """One whose loads know the policy of the looks."""

    policy: Policy = "report"

    def load(self, day: str) -> Loaded:
        flow, stored = self.flow, self.store.read(prepared_key(self.flow), day, needed=True)
        ready = (one for batch in stored for one in read_ready(batch, flow.target.record))
        client = self.client(flow.target.system)
        return load(flow, ready, client, self.ledger, Run(self.run_id, day), policy=self.policy)


@dataclass
class World:
    """Both sides, and the ledger between them."""

    box: Sandbox
    ledger: Ledger
    store: RowStore
    settings: Settings
    policy: Policy = "report"
    runs: int = 0
    clients: dict[str, Any] = field(default_factory=dict)

    def go(self, *names: str) -> dict[str, Loaded]:
        """Read, prepare and load each flow, with new clients, as a run has them."""
        return {name: self._journey(name).make() for name in names}

    def _journey(self, name: str) -> Journey:
        self.runs += 1
        run = f"run{self.runs}"
        return _Journey(flow_of(name), self.settings, self.ledger, self.store, run, policy=self.policy)

    def asked(self, name: str, *, restores: bool = False) -> Asked:
        flow = flow_of(name)
        client = self.clients[name] = client_of(flow.target.system, self.settings, self.ledger.budget)
        sent = partial(sent_last, flow, self.store, self.ledger)
        return Asked(flow, client, self.ledger, sent, self._put_back(name) if restores else None)

    def _put_back(self, name: str) -> Any:
        def put_back(ready: Sequence[Ready]) -> list[Loaded]:
            self.runs += 1
            return send_again(flow_of(name), ready, self.clients[name], self.ledger, Run(f"run{self.runs}"))

        return put_back

    def look(self, name: str, *, restores: bool = False) -> Verified:
        """What the next verify says of all that the flow delivered."""
        asked = self.asked(name, restores=restores)
        account = verify(asked, self.ledger.looks.keys(name))
        look_for_extras(asked, None, account)
        return account

    def way(self, name: str, who: str = "kari", reason: str = "agreed on the phone") -> WaysBack:
        """A person's ways back, as the commands have them."""
        asked = self.asked(name)

        def send(ready: Sequence[Ready], anew: frozenset[str]) -> list[Loaded]:
            return send_again(asked.flow, ready, asked.client, self.ledger, Run("cli"), anew, by_person=True)

        return WaysBack(asked, send, Said(who, reason), Run("cli"))

    def events(self, name: str, key: str) -> list[str]:
        return [each.event.value for each in self.ledger.trail(name, key)]

    def open(self, name: str) -> list[Difference]:
        return self.ledger.differences.open(name)

    def said(self, name: str) -> list[tuple[str, str, str, str | None, str | None]]:
        """(key, kind, field, ours, theirs) of what is open."""
        return [(one.key, one.kind, one.field, one.ours, one.theirs) for one in self.open(name)]

    def writes(self, system: str) -> int:
        """That took effect."""
        return len(self.box.journal(system))


@contextmanager
def world(ledger_url: str, folder: Path) -> Iterator[World]:
    with Sandbox(seed="empty", limits=PLENTY) as box, Ledger.open(ledger_url) as ledger:
        books(box)
        yield World(box, ledger, RowStore(f"{folder}/rows", ledger.stored), settings_at(box.url))
