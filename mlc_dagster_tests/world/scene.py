"""A company between its systems: all six of them in this process, an empty ledger, and what a run does of a flow."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from mlc_dagster.core.arrow_columns import read_ready
from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.location import tenants_flows
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline import Loaded, load, source_looks
from mlc_dagster.pipeline.fresh import SecondRead
from mlc_dagster.pipeline.kept_back import Policy
from mlc_dagster.pipeline.reversing import Reversed, reverse
from mlc_dagster.pipeline.sweeping import EntitySweep, Limits, Swept
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.registry import choices_of
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ifs.records import catalogue_for
from mlc_dagster_tests.promises.journey import Journey, client_of, content_at, flow_of
from mlc_dagster_tests.promises.kinds import PLENTY, books
from mlc_dagster_tests.promises.later_life import World
from mlc_dagster_tests.promises.saas_life import CANCEL
from mlc_dagster_tests.promises.tenant_flows import TenantJourney
from mlc_dagster_tests.world.in_process import URL, Arrives, Free, in_process, nobody

LEASE, LONGEST = 5.0, 0.0
"""Seconds: a call in this process is over when it is answered."""
MEMORY = Path("/dev/shm")


@dataclass(frozen=True, kw_only=True)
class SceneJourney(TenantJourney):
    """A run as the assets make it: the policy of the looks, and the second read."""

    days: Sequence[str] = ()
    policy: Policy = "report"
    is_old: bool = False  # what was prepared was so long ago

    def account(self, system: str) -> Any:
        """Whose account it is, is the matter of C42: here people delete all that one is known by."""
        return lambda: None

    def partitions(self) -> list[str]:
        return sorted(self.settings.companies) if self.flow.source.partition == "company" else list(self.days)

    def load(self, day: str, fresh: SecondRead | None = None) -> Loaded:
        flow, stored = self.flow, self.store.read(prepared_key(self.flow), day, needed=True)
        ready = (one for batch in stored for one in read_ready(batch, flow.target.record))
        told: dict[str, Any] = {"account": self.account(flow.target.system), "also_unchanged": self.also_unchanged}
        told |= {"lease_seconds": LEASE, "longest_request": LONGEST, "policy": self.policy}
        again = fresh or self.second_read(day, is_old=self.is_old)
        client = self.client(flow.target.system)
        return load(flow, ready, client, self.ledger, Run(self.run_id, day), fresh=again, **told)


@dataclass
class Scene(World):
    """What `World` is, in one process; and the looks at the source."""

    content: dict[str, Any] = field(default_factory=dict)
    alone: bool = True
    asked_for: set[str] = field(default_factory=set)  # days that a sweep asks for again
    unsure: dict[str, int] = field(default_factory=dict)  # flow -> rows that the last sweep missed, and cannot place
    too_many: dict[str, bool] = field(default_factory=dict)  # flow -> it missed so many that it is one error
    began: date = field(default_factory=lambda: datetime.now(UTC).date())

    @property
    def days(self) -> list[str]:
        """Those of this world, one, but around midnight; and the older ones that are due."""
        today = datetime.now(UTC).date()
        own = [(self.began + timedelta(days=n)).isoformat() for n in range((today - self.began).days + 1)]
        return sorted({*own, *self.asked_for})

    def _journey(self, name: str, *, is_old: bool = False) -> SceneJourney:
        self.runs += 1
        flow, catalogue = self.flow(name)
        where = (flow, self.settings, self.ledger, self.store, f"run{self.runs}")
        more: dict[str, Any] = {"days": self.days, "policy": self.policy, "is_old": is_old, "alone": self.alone}
        return SceneJourney(*where, catalogue=catalogue, **more)

    def flow(self, name: str) -> tuple[Any, dict[str, EntitySet]]:
        """As the tenant has it, and his catalogue."""
        catalogue = dict(catalogue_for(configuration.erp_settings(self.settings)))
        (flow,) = tenants_flows((flow_of(name),), catalogue)
        return flow, catalogue

    def sweep(self, *names: str) -> Swept:
        """The night's look in the ERP, for flows that begin in one entity set."""
        mine = [self.flow(name)[0] for name in names]
        facts = {flow.name: self.settings.facts_for(flow.spoke) for flow in mine}
        client = client_of("ifs", self.settings, self.ledger.budget)
        run = Run("sweep")
        swept = EntitySweep(mine[0].source, mine, client, self.ledger, run, Limits(), facts, self._ask).make()
        self.unsure |= dict.fromkeys(names, swept.unsure)
        self.too_many |= dict.fromkeys(names, bool(swept.fault))
        return swept

    def _ask(self, flow: str, days: Iterable[str]) -> None:
        """As the work list has it: they are read again, by each run from now on."""
        self.asked_for.update(days)

    def source_look(self, name: str) -> Any:
        """The nightly look in a SaaS at all that was delivered from it."""
        journey = self._journey(name)
        asked = source_looks.of_the_night(journey.flow, self.ledger, 45, 30)
        return source_looks.look(journey.flow, journey.by_keys, journey.facts(), self.ledger, asked)

    def reverse(self, name: str) -> Reversed:
        journey = self._journey(name)
        run, client = Run(journey.run_id, self.days[-1]), journey.client("ifs")
        quick = {"lease_seconds": LEASE, "longest_request": LONGEST}
        return reverse(journey.flow, journey.by_keys, journey.facts, client, self.ledger, run, **quick)


@contextmanager
def scene(profiles: Sequence[str] = (), arrives: Arrives = nobody) -> Iterator[Scene]:
    """`profiles` of the tenant. `arrives` is told of each call, before and after the system acts."""
    box = Sandbox(seed="empty", limits=PLENTY, profiles=profiles)
    books(box)
    folder = tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None)
    with folder as name, in_process(lambda: box, arrives):
        ledger = _begun_anew()
        store, content = RowStore(f"{name}/rows", ledger.stored), content_of(profiles)
        yield Scene(box, ledger, store, configuration.parse(content, "mlc.yaml"), content=content)


def content_of(profiles: Sequence[str]) -> dict[str, Any]:
    """mlc.yaml of such a tenant: all five SaaS are on, and what may be entered in the ERP is entered."""
    content = content_at(URL)
    actions = {name: {"actions": {"Cancelled": action}} for name, action in CANCEL.items()}
    content["ifs"] = {**content["ifs"], "entity_sets": actions}
    for system, choice in choices_of(profiles).items():
        content[system] = {**content[system], **choice.settings}
        content["companies"] = {"0010": {**content["companies"]["0010"], **choice.company}}
    types = {"bill_payment": "payment", "bill": "bill"}
    paths = {**content["airbase"]["paths"], "purchase_requests": "/v1/accounting/purchase_requests/"}
    more = {"payments_into_ifs": "true", "types": types, "paths": paths, "ap_account": "2440"}
    content["airbase"] |= {**more, "accounts_by_purchase_type": {"Software": "4010"}}
    return content


def _begun_anew() -> Ledger:
    """An empty ledger: the same one for all worlds of this process, since each new one compiles its questions anew."""
    folder, ledger = _ledger()
    ledger._database.close()  # its connections: they come back with the first question
    for path in folder.glob("ledger.db*"):
        path.unlink()
    shutil.copy(folder / "empty", folder / "ledger.db")
    return ledger


@cache
def _ledger() -> tuple[Path, Ledger]:
    """Made once, and copied for each world."""
    folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    ledger = Ledger.open(f"sqlite:///{folder}/ledger.db")
    ledger._database.close()
    shutil.copy(folder / "ledger.db", folder / "empty")
    ledger.budget = Free  # type: ignore[method-assign,assignment]
    return folder, ledger


__all__ = ["Journey", "Scene", "SceneJourney", "scene"]
