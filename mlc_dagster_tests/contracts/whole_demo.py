"""A whole demo in this process: every flow, forth and back, twice, and a ping of each system."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from rich.console import Console

from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.demo.orders_alive import bring_to_life
from mlc_dagster.demo.place import SECRETS, raise_limits, raised_limits
from mlc_dagster.demo.runs import Runs
from mlc_dagster.orchestration.location import build
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.settings import Environment, Settings
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ping import ping_all
from mlc_dagster_tests.contracts.recorder import Exchange, recorded

PLENTY = Limits(**{f"{system}_{limit}": calls for system, limit, calls in raised_limits()})
ON_BY_CHOICE = {"hubspot": {"deals": "true"}, "procurify": {"vendor_writeback": "true"}}
"""What is off by default is asked for too: a contract is held for every operation that we may use."""


class InProcess(Runs):
    """The demo's runs, of settings that stand in no file."""

    def __init__(self, settings: Settings, place: Environment, instance: dg.DagsterInstance, days: list[str]) -> None:
        self.settings = settings
        self.defs, self.instance, self.days = build(settings, place), instance, (days[0], days[-1])
        self.out = Console(quiet=True)  # type: ignore[assignment]
        self.companies = (min(settings.companies), max(settings.companies))
        known = configuration.flows(settings)
        off = {flow for name in settings.targets for flow in configuration.switched_off(settings, name)}
        self.flows = tuple(flow for name in settings.targets for flow in known[name] if flow.name not in off)


FEW = 3  # records of a kind that people change in a day


def go_on(box: Sandbox) -> None:
    """What happens in a day: documents lose lines, addresses and terms change, in the ERP and beside it."""
    later = {"WantedReceiptDate": box.today.isoformat(), "Notes": "changed"}
    elsewhere = {"SupplierId": box.ifs.rows("PostingProposalHeadSet")[-1]["SupplierId"]}
    for name, lines, total, amount, moved in (
        ("PurchaseOrderSet", "PurchaseOrderLines", ("TotalAmount",), "LineAmount", later),
        ("PostingProposalHeadSet", "PostingProposalLines", ("NetAmount", "GrossAmount"), "Amount", elsewhere),
    ):
        shortened = [row for row in box.ifs.rows(name) if len(row[lines]) > 1 and row[lines][-1]["TaxCode"] == "V0"]
        for row in shortened[:FEW]:
            dropped = row[lines].pop()
            totals = {each: row[each] - dropped[amount] for each in total}
            box.ifs.put(name, {**row, **totals, **moved}, modified=_now())
    for name in ("SupplierSet", "CustomerSet", "CustomerOrderSet", "VoucherSet"):
        told = "Text" if name == "VoucherSet" else "Notes"
        for row in box.ifs.rows(name)[:FEW]:
            box.ifs.put(name, {**row, told: "changed"}, modified=_now())
    for which in list(box.cin7.suppliers)[:FEW]:
        box.cin7.change_supplier(which, contact={"Email": "new@supplier.example"})
    for which in list(box.airbase.vendors)[:FEW]:
        box.airbase.change_vendor(which, email="new@supplier.example")
    for number in list(box.procurify.vendors)[:FEW]:
        box.procurify.touch_vendor(number, email=["new@supplier.example"])


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def demo(folder: Path, days: int, box: Sandbox, also: Mapping[str, Mapping[str, str]]) -> Iterator[InProcess]:
    """The runs of a demo of so many days with a sandbox that was not started yet. `also`: system -> settings beside."""
    place = Environment(storage=str(folder / "storage"), database_url=f"sqlite:///{folder / 'ledger.db'}")
    with pytest.MonkeyPatch.context() as patch, box, dg.DagsterInstance.ephemeral() as instance:
        for name, value in {**SECRETS, "MLC_DATABASE_URL": place.database_url}.items():
            patch.setenv(name, value)
        settings = _settings(box, days, also)
        first = settings.partitions_start.isoformat()
        yield InProcess(settings, place, instance, [first, box.today.isoformat()])


def play(folder: Path, days: int, profiles: Sequence[str]) -> list[Exchange]:
    """Every exchange of a demo of so many days on these profiles, played three times, in order."""
    box = Sandbox(seed="demo", limits=PLENTY, days=days, profiles=profiles)
    recorder = recorded(box)
    with demo(folder, days, box, ON_BY_CHOICE) as runs:
        findings = ping_all(runs.settings, lambda name: os.environ[name], within=60)
        assert {finding.system for finding in findings} == {ERP, *runs.settings.targets}
        for title, before in (("first", None), ("moved on", go_on), ("the same again", None)):
            if before:
                before(box)
            moved = runs.everything(title)
            assert all(flow.accounted for flow in moved.values())
    return recorder.exchanges


def _settings(box: Sandbox, days: int, also: Mapping[str, Mapping[str, str]]) -> Settings:
    content = demo_settings(box.url, box.today, days, box.profiles)
    bring_to_life(content)
    raise_limits(content)
    for system, wanted in also.items():
        content[system].update(wanted)
    return configuration.parse(content, "mlc.yaml")
