"""A small world for C42: one ledger, and the accounts that its connections may lead to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.tables import accounts
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline import Loaded
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.settings import Settings
from mlc_dagster_tests.promises.journey import Journey, flow_of, settings_at
from mlc_dagster_tests.promises.kinds import KINDS, RECORDS, Kind, books

IDS = {"hubspot": "147000099", "monday": "9000099", "ifs": "acme2", "cin7": "other-account"}
"""Of another account, of the systems that tell theirs."""


def kind_of(flow: str) -> Kind:
    return next(kind for kind in KINDS if kind.flow == flow)


WRITTEN = tuple(
    map(
        kind_of,
        (
            "hubspot/supplier_companies",
            "cin7/suppliers",
            "cin7/purchases",
            "monday/invoices",
            "airbase/vendors",
            "procurify/vendors",
            "ifs/vouchers_from_airbase_payments",
            "ifs/suppliers_from_procurify",
        ),
    )
)
"""A kind for each system that is written to, and each way to look a record up."""


@dataclass
class Company:
    """Its ledger, and the sandbox that its mlc.yaml names now."""

    box: Sandbox
    ledger: Ledger
    folder: Path
    runs: int = 0
    named: Callable[[str], str] = lambda url: url  # how mlc.yaml writes the sandbox's address

    @property
    def settings(self) -> Settings:
        return settings_at(self.named(self.box.url))

    def go(self, flow: str) -> Loaded:
        """Read, prepare, load, with clients of their own: a run."""
        self.runs += 1
        store = RowStore(f"{self.folder}/rows", self.ledger.stored)
        return Journey(flow_of(flow), self.settings, self.ledger, store, f"run {self.runs}").make()

    def deliver(self, kind: Kind) -> None:
        """All that the kind needs, then its own records."""
        for flow in (*kind.first, kind.flow):
            loaded = self.go(flow)
            assert loaded.held == 0 and loaded.delivered == RECORDS, (flow, loaded)
        self.box.forget_calls()

    def writes(self) -> int:
        return sum(len(self.box.journal(system)) for system in self.box.systems)

    def calls(self, system: str) -> dict[str, int]:
        """Path -> how often it was called."""
        found: dict[str, int] = {}
        for (_, path), times in self.box.calls(system).items():
            found[path] = found.get(path, 0) + times
        return found

    def forget_accounts(self) -> None:
        """As the release before left it: deliveries, and no account."""
        with self.ledger._database.writing() as connection:
            connection.execute(delete(accounts))


def filled(box: Sandbox, kind: Kind) -> None:
    books(box)
    kind.fill(box)


def becomes_another(box: Sandbox, system: str) -> None:
    """The same records under the same ids, in another account: what a look at ids alone cannot tell."""
    box.serve({system: IDS[system]})


def content_of(settings: Settings) -> Any:
    return settings.model_dump(mode="json", exclude_none=True)
