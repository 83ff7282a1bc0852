"""Rounds between the ERP and a SaaS without Dagster: read, prepare, load, there and then back, on a real ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from mlc_dagster import pipeline
from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.vocabulary import ERP, Pull, Scope, Window
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.pipeline import Loaded, Verdict
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster.systems.airbase.connect import airbase_client
from mlc_dagster.systems.cin7.connect import cin7_client
from mlc_dagster.systems.configuration import flows as all_flows
from mlc_dagster.systems.ifs.connect import ifs_client


class Free:
    """A budget without a limit."""

    def take(self, longest: float = 0.0) -> float:
        return 0.0

    def free_in(self) -> float:
        return 0.0

    def left(self, late: float) -> None:
        pass

    def pause(self, seconds: float) -> None:
        pass


def free(name: str, calls: int, seconds: float) -> Free:
    return Free()


@dataclass
class Rounds:
    """The two flows of one pair. Each load has clients of its own, as each run in Dagster has."""

    box: Sandbox
    ledger: Ledger
    spoke: str
    section: dict[str, Any] = field(default_factory=dict)
    loads: int = 0

    @property
    def there(self) -> Flow:
        return next(flow for flow in all_flows()[self.spoke] if flow.pair and flow.source.system == ERP)

    @property
    def back(self) -> Flow:
        return next(
            flow for flow in all_flows()[self.spoke] if flow.pair == self.there.pair and flow.target.system == ERP
        )

    def once(self) -> tuple[Loaded, Loaded]:
        """There, then back."""
        return self.load(self.there, self.prepared(self.there)), self.load(self.back, self.prepared(self.back))

    def prepared(self, flow: Flow) -> list[Ready]:
        """Read and judged; the rows of yesterday and today, so that midnight changes nothing."""
        return list(self._prepared(flow))

    def _prepared(self, flow: Flow) -> Iterator[Ready]:
        client, target = self.client(flow.source.system), self.client(flow.target.system)
        facts = replace(self.settings.facts_for(self.spoke), books=target.books())
        for day in (datetime.now(UTC).date() - timedelta(days=1), datetime.now(UTC).date()):
            name, scope = day.isoformat(), Scope(day.isoformat(), Window.day(day))
            batches = client.read(flow.source, scope, Pull("", name), self.ledger.sightings)
            rows = [list(records_of(batch, flow.source.record)) for batch in batches]
            run, verdict = Run("read", name), Verdict(name)
            for ready in pipeline.prepare(flow, rows, facts, self.ledger, run, verdict):
                yield from ready

    def load(self, flow: Flow, ready: list[Ready]) -> Loaded:
        self.loads += 1
        run = Run(f"load {self.loads}", datetime.now(UTC).date().isoformat())
        return pipeline.load(flow, ready, self.client(flow.target.system), self.ledger, run)

    @property
    def settings(self) -> settings_file.Settings:
        url, plenty = self.box.url, "100000"
        token_url = f"{url}/ifs/auth/realms/sandbox/protocol/openid-connect/token"
        sections: dict[str, Any] = {
            "cin7": {"base_url": f"{url}/cin7/ExternalApi/v2", "calls_per_minute": plenty},
            "airbase": {
                "base_url": f"{url}/airbase",
                "requests_per_minute": plenty,
                "create_suppliers_in_ifs": "true",
            },
        }
        content = {
            "companies": {"0010": {"currency": "SEK"}},
            "ifs": {"base_url": f"{url}/ifs", "token_url": token_url, "requests_per_minute": plenty, **self.erp()},
            self.spoke: {
                **sections[self.spoke],
                "payment_terms": {"30": "30 days", "45": "45 days"},
                "tax_rules": {"V0": "Tax Exempt"},
                **self.section,
            },
        }
        return settings_file.parse(content, "mlc.yaml")

    def erp(self) -> dict[str, Any]:
        """What mlc.yaml says of the ERP beside its address."""
        return {}

    def client(self, system: str) -> Any:
        """A client of its own, whose budget has no limit. It tries a call as often as in a run."""
        settings = self.settings
        if system == ERP:
            return ifs_client(settings.ifs, "sandbox", "sandbox-secret", free)
        if system == "cin7":
            assert settings.cin7
            return cin7_client(settings.cin7, "sandbox-account", "sandbox-key-1", free)
        assert settings.airbase
        return airbase_client(settings.airbase, "sandbox-airbase-token", free)

    # --- what people do -----------------------------------------------------------------------------------------------

    def put(self, number: str = "S1", *, ago: float = 0, **fields: Any) -> None:
        """A supplier in the ERP, or a change of one, so many seconds ago: its clock counts whole ones."""
        row = {
            "SupplierId": number,
            "Name": f"Supplier {number}",
            "Country": "SE",
            "CurrencyCode": "SEK",
            "PaymentTerms": "30",
            "Email": f"{number}@example.test",
            "VatNo": f"SE{number}",
        }
        known = {
            name: value for name, value in self.supplier(number).items() if name not in ("@odata.etag", "LastModified")
        }
        self.box.ifs.put("SupplierSet", {**row, **known, **fields}, modified=datetime.now(UTC) - timedelta(seconds=ago))

    def supplier(self, number: str = "S1") -> dict[str, Any]:
        """As IFS has it; empty where it has none."""
        return next((row for row in self.box.ifs.rows("SupplierSet") if row["SupplierId"] == number), {})

    def writes(self) -> int:
        return len(self.box.journal("ifs")) + len(self.box.journal(self.spoke))

    def holds(self) -> dict[tuple[str, str], str]:
        """(flow, key) -> the rules that hold it, with their reasons."""
        return {
            (hold.flow, hold.key): "; ".join(f"{p.rule}: {p.reason}" for p in hold.problems)
            for hold in self.ledger.open_holds()
        }
