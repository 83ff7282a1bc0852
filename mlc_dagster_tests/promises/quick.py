"""What the promises share: clients over real HTTP whose waits take no time unless a test wants them, rows, records."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.vocabulary import Record, Scope, Window, fingerprint, key_text
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.pipeline import Loaded, load
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.ifs.api import SURFACE
from mlc_dagster.sandbox.ifs.tokens import PATH as TOKEN
from mlc_dagster.systems.cin7.flows import FLOWS as CIN7_FLOWS
from mlc_dagster.systems.hubspot.flows import FLOWS as HUBSPOT_FLOWS
from mlc_dagster.systems.hubspot.mapping import company_from_supplier
from mlc_dagster.systems.ifs.client import IfsClient, classify
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.sign_in import ClientCredentials
from mlc_dagster_tests.systems.cin7 import samples as cin7
from mlc_dagster_tests.systems.hubspot import samples as hubspot
from mlc_dagster_tests.systems.loopback import FakeTime

PLENTY = Limits(
    cin7_calls_per_minute=100_000,
    ifs_requests_per_minute=100_000,
    hubspot_calls_per_10_seconds=100_000,
    airbase_requests_per_minute=100_000,
)
DAY = date(2026, 11, 5)
TEN = datetime(2026, 11, 5, 10, tzinfo=UTC)
COMPANIES: Flow = next(flow for flow in HUBSPOT_FLOWS if flow.name == "hubspot/supplier_companies")


def scope(day: date = DAY) -> Scope:
    return Scope(day.isoformat(), Window.day(day))


def ifs_api(box: Sandbox, **options: Any) -> ApiClient:
    """Signed in as a tenant's client is; `options` are those of ApiClient."""
    auth = ClientCredentials(box.url + TOKEN, "sandbox", "sandbox-secret")
    quick: dict[str, Any] = {"sleep": lambda seconds: time.sleep(min(seconds, 0.002)), "timeout": 5.0}
    return ApiClient("ifs", box.url + SURFACE, auth=auth, classify=classify, **{**quick, **options})


def ifs_client(box: Sandbox, page_size: int = 50, in_flight: int = 8, **options: Any) -> IfsClient:
    return IfsClient(ifs_api(box, **options), page_size=page_size, in_flight=in_flight)


def in_fake_time(passing: FakeTime) -> dict[str, Any]:
    """Options of an ApiClient for which waiting only moves this clock."""
    return {"clock": passing.clock, "sleep": passing.sleep}


def suppliers(count: int, at: Callable[[int], datetime] | datetime = TEN) -> list[dict[str, Any]]:
    """Rows of the ERP, numbered."""
    when = at if callable(at) else lambda _: at
    return [{"SupplierId": f"S{n:05}", "Name": f"name {n}", "LastModified": when(n)} for n in range(count)]


def spread(count: int) -> list[dict[str, Any]]:
    """Suppliers of one day, a second apart."""
    return suppliers(count, lambda n: TEN + timedelta(seconds=n))


def numbered(count: int) -> list[str]:
    return [f"S{n:05}" for n in range(count)]


def companies(numbers: Iterable[int], *, at: datetime = TEN, **changes: Any) -> list[Ready]:
    """What is ready for HubSpot: companies of suppliers S0, S1...; `name=None` is refused there."""
    known = hubspot.facts()
    made = {n: company_from_supplier(hubspot.supplier(f"S{n}", name=f"Company {n}"), known) for n in numbers}
    changed = {n: msgspec.structs.replace(record, **changes) for n, record in made.items()}
    return [ready(f"S{n}", record, at) for n, record in changed.items()]


def ready(key: str, record: Record, at: datetime = TEN) -> Ready:
    return Ready(key, at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), fingerprint(record), record)


def deliver(ledger: Ledger, flow: Flow, records: Sequence[Ready], client: Any, run: str = "run") -> Loaded:
    """A load, of which the account holds."""
    loaded = load(flow, records, client, ledger, Run(run, DAY.isoformat()), lease_seconds=2.0, longest_request=0.5)
    ends = loaded.delivered + loaded.unchanged + loaded.superseded + loaded.held + loaded.discarded + loaded.paused
    assert ends == loaded.asked == len(records)
    return loaded


PURCHASES: Flow = next(flow for flow in CIN7_FLOWS if flow.name == "cin7/purchases")


def a_supplier(box: Sandbox) -> str:
    """A supplier in Cin7, for purchases; its id."""
    fields = {"Currency": "SEK", "PaymentTerm": "30 days", "TaxRule": "Tax Exempt", "AccountPayable": "800"}
    return box.cin7.add_supplier(Name="Nordic Bolts AB", **fields)


def purchases(numbers: Iterable[int], supplier: str, *, at: datetime = TEN, price: int = 0) -> list[Ready]:
    """What is ready for Cin7: orders P1, P2... of one line; order n is worth n, plus `price`."""
    known = cin7.facts(delivered={"cin7/suppliers": {"S100": supplier}})
    found = []
    for n in numbers:
        line = cin7.service_line("1", line_amount=Decimal(n + price), account="4010", tax_code=None)
        order = cin7.order(line, order_no=f"P{n}")
        found.append(ready(key_text(order.order_no), PURCHASES.mapping(order, known), at))
    return found


def purchased(box: Sandbox) -> dict[str, list[Decimal]]:
    """In Cin7: the ERP's key -> the totals of all purchases under it."""
    found: dict[str, list[Decimal]] = {}
    for each in box.cin7.purchases.values():
        key = str(each["AdditionalAttributes"]["AdditionalAttribute1"])
        found.setdefault(key, []).append(Decimal(str(each["Order"]["TotalBeforeTax"])))
    return found
