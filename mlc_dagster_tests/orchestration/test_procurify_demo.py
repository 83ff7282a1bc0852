"""The demo's Procurify through Dagster: every bill is in the books once or held, to the cent, and for its own flaw."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import dagster as dg
import pytest

from mlc_dagster.demo.comparisons.procurify import differences
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.settings import Environment
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster.systems.procurify.mapping import BILLS_FLOW, PROPOSALS_FLOW, SUPPLIERS_FLOW
from mlc_dagster_tests.orchestration.conftest import SECRETS, World

pytestmark = pytest.mark.slow

FLAWS = {
    "procurify bill: credit": "credits_are_posted",
    "procurify bill: totals do not add up": "amounts_add_up",
    "procurify bill: allocated over two companies": "all_is_of_one_company",
    "procurify bill: line in another currency": "one_currency",
    "procurify bill: department without cost centre": "department_is_mapped",
    "procurify bill: allocation missing": "department_is_mapped",
    "procurify bill: account not in IFS": "gl_accounts_exist",
    "procurify bill: account blocked": "gl_accounts_exist",
    "procurify bill: account expired": "gl_accounts_exist",
    "procurify bill: vendor fits two suppliers": "supplier_exists",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The demo's ERP and Procurify after the thirty days."""
    folder = tmp_path_factory.mktemp("demo")
    environment = Environment(storage=str(folder / "storage"), database_url=f"sqlite:///{folder / 'ledger.db'}")
    plenty = Limits(ifs_requests_per_minute=100_000, procurify_requests_per_second=100_000)
    with pytest.MonkeyPatch.context() as patch, Sandbox(seed="demo", limits=plenty) as box:
        for name, value in {**SECRETS, "MLC_DATABASE_URL": environment.database_url}.items():
            patch.setenv(name, value)
        with dg.DagsterInstance.ephemeral() as instance:
            world = World(box, _settings(box), environment, instance)
            assert all(world.run("chart_of_accounts", code).success for code in world.settings.companies)
            _pass(world)
            yield world


def _settings(box: Sandbox) -> settings_file.Settings:
    content = demo_settings(box.url, box.today)
    content["ifs"]["requests_per_minute"] = content["procurify"]["requests_per_second"] = "100000"
    kept = {name: content[name] for name in ("partitions_start", "companies", "ifs", "procurify")}
    return settings_file.parse(kept, "mlc.yaml")


def _pass(world: World) -> None:
    first, last = world.box.today - timedelta(days=29), world.box.today
    lists = ("vendor_list", "purchase_order_list", "bill_list")
    flows = (SUPPLIERS_FLOW, PROPOSALS_FLOW, BILLS_FLOW)
    only = [*(f"procurify/{name}" for name in lists), *(each for f in flows for each in (f, f"{f}_prepared"))]
    assert world.run("procurify", first.isoformat(), last.isoformat(), only=only).success


def held(world: World, flow: str) -> dict[str, set[str]]:
    with world.ledger as ledger:
        return {hold.key: {problem.rule for problem in hold.problems} for hold in ledger.open_holds(flow)}


def test_the_books_and_procurify_agree_to_the_cent(demo: World) -> None:
    assert demo.settings.procurify is not None
    on_hold = {flow: set(held(demo, flow)) for flow in (BILLS_FLOW, PROPOSALS_FLOW)}
    documents = demo.box.ifs.state()["documents"]
    assert list(differences(demo.box.procurify.state(), documents, on_hold, demo.settings.procurify)) == []
    assert len(documents["SupplierInvoiceSet"]) > 45 and len(on_hold[BILLS_FLOW]) < 20


@pytest.mark.parametrize("flaw, rule", FLAWS.items(), ids=list(FLAWS))
def test_a_flawed_bill_is_held_for_its_flaw(demo: World, flaw: str, rule: str) -> None:
    (key,) = demo.box.flaws[flaw]
    assert rule in held(demo, BILLS_FLOW)[key]


def test_a_difference_of_a_cent_a_double_and_a_missing_bill_are_seen(demo: World) -> None:
    section = demo.settings.procurify
    assert section is not None
    on_hold = {flow: set(held(demo, flow)) for flow in (BILLS_FLOW, PROPOSALS_FLOW)}
    state, documents = demo.box.procurify.state(), demo.box.ifs.state()["documents"]
    first, *others = documents["SupplierInvoiceSet"]
    off = {**first, "GrossAmount": Decimal(first["GrossAmount"]) + Decimal("0.01")}
    for rows in ([off, *others], [first, first, *others], others):
        assert list(differences(state, {**documents, "SupplierInvoiceSet": rows}, on_hold, section))


def test_the_second_pass_writes_nothing_anywhere(demo: World) -> None:
    demo.box.forget_calls()
    _pass(demo)
    assert demo.box.journal("ifs") == [] and demo.box.journal("procurify") == []
