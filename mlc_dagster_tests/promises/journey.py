"""A flow's whole journey in one function that a victim can run: read, prepare, load, as the assets do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from mlc_dagster import pipeline
from mlc_dagster.core.arrow_columns import read_ready, ready_batch, ready_schema, records_of, source_schema
from mlc_dagster.core.facts import Facts, LedgerAccount
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP, EntitySet, Pull, Scope, Window, record_key
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline import Loaded, Verdict
from mlc_dagster.pipeline.fresh import SecondRead
from mlc_dagster.pipeline.identity import AccountCheck
from mlc_dagster.pipeline.older_documents import OlderDocuments
from mlc_dagster.pipeline.prepare import AsRead
from mlc_dagster.sandbox.airbase.seed import DEMO_AIRBASE
from mlc_dagster.sandbox.ifs.tokens import PATH as TOKEN
from mlc_dagster.sandbox.monday.seed import DEMO_MONDAY
from mlc_dagster.settings import Settings
from mlc_dagster.systems import accounts
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster.systems.airbase.connect import airbase_client
from mlc_dagster.systems.cin7.connect import cin7_client
from mlc_dagster.systems.configuration import flows as all_flows
from mlc_dagster.systems.hubspot.connect import hubspot_client
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.chart_facts import code_parts
from mlc_dagster.systems.ifs.connect import ifs_client
from mlc_dagster.systems.monday.connect import monday_client
from mlc_dagster.systems.procurify.connect import procurify_client
from mlc_dagster.systems.shared.connections import Budgets

BATCH = 3
"""Records in flight: few, so that a load has several batches."""
LEASE_SECONDS = 0.8
"""How long a killed writer is in the way."""
LONGEST_REQUEST = 0.5
"""How long the sandbox is at work on what a killed writer sent, at the most."""
PLENTY = "100000"
SIGN_INS: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "ifs": (ifs_client, ("sandbox", "sandbox-secret")),
    "cin7": (cin7_client, ("sandbox-account", "sandbox-key-1")),
    "airbase": (airbase_client, ("sandbox-airbase-token",)),
    "hubspot": (hubspot_client, ("pat-na1-sandbox",)),
    "monday": (monday_client, ("sandbox-monday-token",)),
    "procurify": (procurify_client, ("sandbox-procurify", "sandbox-procurify-secret")),
}


def settings_at(url: str, timeout: float = 20.0) -> Settings:
    """All five SaaS are on, with limits that nobody reaches."""
    return settings_file.parse(content_at(url, timeout), "mlc.yaml")


def content_at(url: str, timeout: float = 20.0) -> dict[str, Any]:
    """The same, before it is parsed."""
    slow = {"timeout_seconds": str(timeout)}
    airbase: dict[str, Any] = {"base_url": f"{url}/airbase", "requests_per_minute": PLENTY, "accrual_account": "2990"}
    airbase |= {"types": {"bill_payment": "payment"}, "bills_elsewhere": "true", "create_suppliers_in_ifs": "true"}
    airbase["paths"] = {
        name: path for name, path in DEMO_AIRBASE["paths"].items() if name.startswith("purchase_orders")
    }
    acknowledge = {"payments": {"status": "sync_complete", "erp_reference_id": "{voucher}"}}
    many = {"calls_per_minute": PLENTY, "calls_per_day": PLENTY, "points_per_minute": "100000000"}
    return {
        "companies": {"0010": {"currency": "SEK"}},
        "ifs": {"base_url": f"{url}/ifs", "token_url": f"{url}{TOKEN}", "requests_per_minute": PLENTY, **slow},
        "cin7": {
            "base_url": f"{url}/cin7/ExternalApi/v2",
            "calls_per_minute": PLENTY,
            "payment_terms": {"30": "30 days"},
            "tax_rules": {"V0": "Tax Exempt"},
            **slow,
        },
        "airbase": {**airbase, "acknowledge": acknowledge, **slow},
        "hubspot": {"base_url": f"{url}/hubspot", "calls_per_10_seconds": PLENTY, "deals": "true", **slow},
        "monday": {**DEMO_MONDAY, "base_url": f"{url}/monday", **many, **slow},
        "procurify": {
            "base_url": f"{url}/procurify",
            "requests_per_second": PLENTY,
            "payment_terms": {"30": "Net 30"},
            "vendor_writeback": "true",
            "create_vendors": "true",
            **slow,
        },
    }


def flow_of(name: str) -> Flow:
    flow = next(flow for flows in all_flows().values() for flow in flows if flow.name == name)
    return replace(flow, target=replace(flow.target, batch=BATCH))


def client_of(system: str, settings: Settings, budgets: Budgets) -> Any:
    make, secrets = SIGN_INS[system]
    return make(getattr(settings, system), *secrets, budgets)


def days() -> list[str]:
    """Yesterday and today, so that midnight changes nothing."""
    today = datetime.now(UTC).date()
    return [(today - timedelta(days=1)).isoformat(), today.isoformat()]


@dataclass(frozen=True)
class Journey:
    """One run of one flow: clients, ledger and store of its own, as a run in Dagster has."""

    flow: Flow
    settings: Settings
    ledger: Ledger
    store: RowStore
    run_id: str
    alone: bool = True  # others that run at the same time may replace the partition between our prepare and our load
    also_unchanged: bool = False  # what is stale is sent, too
    clients: dict[str, Any] = field(default_factory=dict)
    checks: dict[str, AccountCheck] = field(default_factory=dict)

    def client(self, system: str) -> Any:
        """A run has one client for each system."""
        if system not in self.clients:
            self.clients[system] = client_of(system, self.settings, self.ledger.budget)
        return self.clients[system]

    def account(self, system: str) -> AccountCheck:
        """As a connection has it: asked once in a run."""
        if system not in self.checks:
            asked = accounts.asked(system, dict(self.settings.systems), self.client(system))
            self.checks[system] = AccountCheck(asked, self.ledger, self.run_id)
        return self.checks[system]

    def make(self) -> Loaded:
        """Read, prepare, load; the account of both days. What was read ends in exactly one state."""
        total = Loaded()
        for day in self.partitions():
            self.read(day)
        facts = self.facts()
        for day in self.partitions():
            verdict = self.prepare(day, facts)
            loaded = self.load(day)
            _sums(verdict, loaded)
            assert loaded.asked == verdict.ready or not self.alone, (verdict, loaded)
            for name in _COUNTED:
                setattr(total, name, getattr(total, name) + getattr(loaded, name))
            total.held += verdict.held
            total.stale_keys += loaded.stale_keys
        return total

    def partitions(self) -> list[str]:
        return sorted(self.settings.companies) if self.flow.source.partition == "company" else days()

    def read(self, day: str) -> None:
        entity, client = self.flow.source, self.client(self.flow.source.system)
        self.account(entity.system)()
        name, schema = "/".join(entity.key), source_schema(entity.record)
        pull = Pull(name, day, read_number=self.ledger.reads.begin(name, day, self.run_id))
        is_company = entity.partition == "company"
        scope = Scope(day, company=day) if is_company else Scope(day, Window.day(datetime.fromisoformat(day).date()))
        rows = client.read(entity, scope, pull, self.ledger.sightings)
        number = pull.read_number
        self.store.write(entity.key, day, schema, rows, stale=lambda: pull.stale, read_number=number)
        self.ledger.record_pull(pull, run=Run(self.run_id, day))

    def prepare(self, day: str, facts: Facts) -> Verdict:
        flow, verdict = self.flow, Verdict(day)
        rows = (records_of(batch, flow.source.record) for batch in self.store.read(flow.source.key, day, needed=True))
        look = partial(self.client(flow.target.system).known, flow.target) if flow.looks_up else None
        there = self._records_by_key if flow.document else None
        older = OlderDocuments(flow, self.client(flow.target.system), self.ledger, look) if flow.cut_over else None
        ready = pipeline.prepare(flow, rows, facts, self.ledger, Run(self.run_id, day), verdict, look, there, older)
        batches = (ready_batch(chunk, flow.target.record) for chunk in ready)
        self.store.write(prepared_key(flow), day, ready_schema(flow.target.record), batches)
        return verdict

    def _records_by_key(self, keys: Sequence[str]) -> dict[str, Any]:
        source = self.flow.source
        batches = self.client(source.system).by_keys(source, keys)
        found = (record for batch in batches for record, _, _ in records_of(batch, source.record))
        return {record_key(record, source.keys): record for record in found if record is not None}

    def load(self, day: str, fresh: SecondRead | None = None) -> Loaded:
        flow, stored = self.flow, self.store.read(prepared_key(self.flow), day, needed=True)
        ready = (one for batch in stored for one in read_ready(batch, flow.target.record))
        client = self.client(flow.target.system)
        run, times = Run(self.run_id, day), {"lease_seconds": LEASE_SECONDS, "longest_request": LONGEST_REQUEST}
        told: dict[str, Any] = {"account": self.account(flow.target.system), "also_unchanged": self.also_unchanged}
        return pipeline.load(flow, ready, client, self.ledger, run, fresh=fresh, **told, **times)

    def second_read(self, day: str, *, is_old: bool = True) -> SecondRead:
        """As the load asset makes it, of rows that were read long ago, or just now in another run."""

        def ask() -> tuple[Facts, Any]:
            flow = self.flow
            return self.facts(), partial(self.client(flow.target.system).known, flow.target) if flow.looks_up else None

        return SecondRead(self.flow, self.ledger, Run(self.run_id, day), self.by_keys, ask, lambda: is_old)

    def by_keys(self, keys: Sequence[str], since: datetime | None) -> Iterator[AsRead]:
        for batch in self.client(self.flow.source.system).by_keys(self.flow.source, keys, since):
            yield from records_of(batch, self.flow.source.record)

    def facts(self) -> Facts:
        """As the assets have them: the charts of the ERP, the books of the target."""
        facts = replace(self.settings.facts_for(self.flow.spoke), books=self.client(self.flow.target.system).books())
        if not self.flow.checks_accounts:
            return facts
        accounts = {
            (a.company, a.account): LedgerAccount(
                a.company, a.account, a.description or "", a.valid_from, a.valid_until, bool(a.blocked)
            )
            for a in self._snapshot(ifs.ACCOUNTS)
        }
        parts = code_parts(self._snapshot(ifs.CODE_PART_VALUES))
        return replace(facts, accounts=accounts, code_parts=parts)

    def _snapshot(self, entity: EntitySet) -> Iterator[Any]:
        for company in self.settings.companies:
            scope, pull = Scope(company, company=company), Pull("/".join(entity.key), company)
            for batch in self.client(ERP).read(entity, scope, pull, self.ledger.sightings):
                yield from (found for found, _, _ in records_of(batch, entity.record) if found is not None)


_COUNTED = ("asked", "created", "updated", "adopted", "unchanged", "stale", "superseded", "held", "discarded", "paused")
_COUNTED = (*_COUNTED, "gone")


def _sums(verdict: Verdict, loaded: Loaded) -> None:
    """Every record that was read ends in exactly one state."""
    left = verdict.held + verdict.superseded + verdict.discarded + verdict.out_of_scope.total()
    assert verdict.read == verdict.ready + left, verdict
    ends = (
        loaded.delivered
        + loaded.unchanged
        + loaded.stale
        + loaded.superseded
        + loaded.held
        + loaded.discarded
        + loaded.paused
    )
    ends += loaded.gone + loaded.out_of_scope
    assert loaded.asked == ends, loaded


# --- what a victim runs ---------------------------------------------------------------------------------------------


def travel(
    url: str, database: str, storage: str, flow: str, run_id: str = "run", timeout: float = 20.0, alone: bool = True
) -> Any:
    """One run of a flow against the sandbox at `url`; its account."""
    with Ledger.open(database) as ledger:
        journey = Journey(
            flow_of(flow), settings_at(url, timeout), ledger, RowStore(storage, ledger.stored), run_id, alone
        )
        return {name: value for name, value in asdict(journey.make()).items() if name in _COUNTED}


def open_ledger(database: str) -> None:
    """An empty one."""
    Ledger.open(database).close()


def travel_together(at_once: int, *words: Any) -> list[Any]:
    """The same run in so many threads at once; their accounts."""
    with ThreadPoolExecutor(at_once) as threads:
        *where, run_id, timeout, alone = words
        started = [threads.submit(travel, *where, f"{run_id}.{n}", timeout, alone) for n in range(at_once)]
        return [each.result() for each in started]
