"""Calls and seconds to look at 10,000 HubSpot companies and 1,000 Cin7 purchases that were delivered.

`python -m benchmarks.verify [companies] [purchases]`. Against the sandbox over HTTP, within a rate: what counts is how
many calls a look takes, beside how many its lists and batches need, and seconds beside calls divided by the rate.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from benchmarks.deliver import company
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Draft, Ready, Saved
from mlc_dagster.core.vocabulary import fingerprint
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.pipeline import load
from mlc_dagster.pipeline.sent_records import sent_records
from mlc_dagster.pipeline.verify import Asked, verify
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.cin7.fields import now_text
from mlc_dagster.systems.cin7.connect import cin7_client
from mlc_dagster.systems.cin7.flows import FLOWS as CIN7
from mlc_dagster.systems.cin7.records import Charge, Purchase, Supplier
from mlc_dagster.systems.cin7.settings import Cin7Settings
from mlc_dagster.systems.hubspot.connect import hubspot_client
from mlc_dagster.systems.hubspot.flows import FLOWS as HUBSPOT
from mlc_dagster.systems.hubspot.objects.properties import of_company
from mlc_dagster.systems.hubspot.records import Company
from mlc_dagster.systems.hubspot.settings import HubspotSettings
from mlc_dagster.transport.client import LocalBudget

COMPANIES, PURCHASES = 10_000, 1_000
UNPACED = 100_000
HUBSPOT_RATE = 5  # calls a second, so that the rate counts and not the sandbox: HubSpot allows 19
CIN7_RATE = 20  # a second: Cin7 allows one, and 1,000 reads would take a quarter of an hour
RUN = Run("run", "2026-11-05")
VERSION = "2026-11-05T10:00:00.000000Z"


class Figures(NamedTuple):
    """One look."""

    what: str
    records: int
    differ: int
    calls: int
    needed: int  # by lists and batches, and by id what they show as touched
    seconds: float
    paced: float  # calls divided by the rate

    def __str__(self) -> str:
        ratio = self.seconds / self.paced if self.paced else 0
        return (
            f"{self.what:44} {self.records:6} {self.differ:6} {self.calls:6} {self.needed:6} {self.seconds:8.1f} "
            f"{self.paced:8.1f} {ratio:6.2f}"
        )


HEAD = f"{'':44} {'count':>6} {'differ':>6} {'calls':>6} {'needed':>6} {'seconds':>8} {'paced':>8} {'ratio':>6}"


def run(companies: int = COMPANIES, purchases: int = PURCHASES) -> list[Figures]:
    """The figures of each look, at the sandbox."""
    limits = Limits(cin7_calls_per_minute=UNPACED, hubspot_calls_per_10_seconds=UNPACED)
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox(seed="empty", limits=limits) as box,
        Ledger.open(f"sqlite:///{folder}/ledger.db") as ledger,
    ):
        return [*of_hubspot(box, ledger, companies), *of_cin7(box, ledger, purchases)]


def of_hubspot(box: Sandbox, ledger: Ledger, number: int) -> list[Figures]:
    flow = next(flow for flow in HUBSPOT if flow.name == "hubspot/supplier_companies")
    section = HubspotSettings(base_url=f"{box.url}/hubspot")
    client = partial(hubspot_client, section, "pat-na1-sandbox")
    fill(flow, [company(each) for each in range(number)], box, ledger)
    look = partial(_look, flow, client(_budgets(HUBSPOT_RATE)), ledger, rate=HUBSPOT_RATE)
    batches = -(-number // 100)
    first, again = look("HubSpot companies, first look", batches), look("HubSpot companies, nothing changed", batches)
    with box.lock:
        for row in list(box.hubspot.objects.rows["companies"].values())[:: max(1, number // 100)]:
            row["properties"]["name"] = "Edited"
    return [first, again, look("HubSpot companies, a hundred edited", batches)]


def of_cin7(box: Sandbox, ledger: Ledger, number: int) -> list[Figures]:
    flow = next(flow for flow in CIN7 if flow.name == "cin7/purchases")
    suppliers = next(flow for flow in CIN7 if flow.name == "cin7/suppliers")
    section = Cin7Settings(base_url=f"{box.url}/cin7/ExternalApi/v2")
    client = partial(cin7_client, section, "sandbox-account", "sandbox-key-1")
    unpaced = client(_budgets(UNPACED))
    supplier = Supplier(
        key="S1", slot="", attribute_set="", name="Supplier", currency="SEK", payment_term="30 days",
        tax_rule="Tax Exempt", payable_account="800",
    )  # fmt: skip
    deliver(suppliers, [supplier], unpaced, ledger)
    [supplier_id] = ledger.remote_ids(suppliers.name).values()
    deliver(flow, [purchase(each, supplier_id) for each in range(number)], unpaced, ledger)
    look = partial(_look, flow, rate=CIN7_RATE, ledger=ledger)
    first = look(client(_budgets(CIN7_RATE)), what="Cin7 purchases, first look: each by its id", needed=number)
    pages = -(-number // 1000)
    again = look(client(_budgets(CIN7_RATE)), what="Cin7 purchases, nothing changed", needed=pages)
    kept = list(box.cin7._purchases.by_id.values())[:: max(1, number // 10)]
    with box.lock:
        for row in kept:
            row["Order"]["AdditionalCharges"][0]["Price"] = Decimal(999)
            row["LastUpdatedDate"] = now_text()
    edited = look(client(_budgets(CIN7_RATE)), what="Cin7 purchases, ten edited", needed=pages + len(kept))
    return [first, again, edited]


def purchase(number: int, supplier_id: str) -> Purchase:
    charge = Charge(
        where="line 1", quantity=Decimal(2), price=Decimal("10.50"), stated=Decimal("21.00"), tax_rule="Tax Exempt",
        comment=f"IFS 0010/P{number}/1/1 account 4010", description="Service",
    )  # fmt: skip
    return Purchase(
        company="0010", marker=f"0010/P{number}", slot="AdditionalAttribute1", supplier_no="S1",
        supplier_id=supplier_id, currency="SEK", location="Main Warehouse", charges=(charge,),
    )  # fmt: skip


def deliver(flow: Flow, records: Sequence[Any], client: Any, ledger: Ledger) -> None:
    ready = [Ready(f"K{place}", VERSION, fingerprint(record), record) for place, record in enumerate(records)]
    loaded = load(replace(flow, pair=""), ready, client, ledger, RUN)
    assert loaded.created == len(records), (loaded, list(loaded.reasons.values())[:1])


def fill(flow: Flow, records: Sequence[Company], box: Sandbox, ledger: Ledger) -> None:
    """As delivered, on both sides: the sandbox looks through all of its records for each that is new."""
    ready = [Ready(f"K{place}", VERSION, fingerprint(record), record) for place, record in enumerate(records)]
    rows = box.hubspot.objects.rows["companies"]
    for place, record in enumerate(records):
        made = {"id": f"9{place:08}", "createdAt": VERSION, "updatedAt": VERSION, "archived": False}
        rows[made["id"]] = {**made, "properties": of_company(record)}
    for start in range(0, len(ready), 1000):
        some = ready[start : start + 1000]
        ledger.begin(flow.name, [(one, None) for one in some], run=RUN)
        saved = [(one, Saved(Draft(one.key, one.record), f"9{int(one.key[1:]):08}", "created")) for one in some]
        ledger.finish(flow.name, saved, run=RUN)


def _budgets(rate: int) -> Any:
    """A second's worth of calls at once, whatever the section says."""
    return lambda name, calls, seconds: LocalBudget(rate, 1.0)


def _look(flow: Flow, client: Any, ledger: Ledger, what: str, needed: int, rate: int) -> Figures:
    asked = Asked(flow, client, ledger, partial(sent_records, flow, ledger))
    keys = ledger.looks.keys(flow.name)
    before, began = client.traffic.requests, time.monotonic()
    account = verify(asked, keys)
    seconds, calls = time.monotonic() - began, client.traffic.requests - before
    assert account.checked == len(keys), account
    return Figures(what, account.checked, account.different, calls, needed, seconds, calls / rate)


if __name__ == "__main__":
    print(HEAD)
    for figures in run(*(int(word) for word in sys.argv[1:])):
        print(figures)
