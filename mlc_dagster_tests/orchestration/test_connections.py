"""A system under several names: two HubSpot portals, two Cin7 accounts, on one ledger."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.facts import Facts
from mlc_dagster.ledger.credentials import sealed
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems import configuration
from mlc_dagster.systems.ping import ping_all
from mlc_dagster_tests.orchestration.conftest import DAY, PLENTY, SECRETS, World


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The other portal, and the other Cin7 account: another sandbox, with the same tokens under other names."""
    for name, value in SECRETS.items():
        for system in ("HUBSPOT", "CIN7", "AIRBASE", "PROCURIFY", "MONDAY"):
            if name.startswith(f"{system}_"):
                monkeypatch.setenv(f"{system}_US{name.removeprefix(system)}", value)
    with Sandbox(seed="empty", today=date(2026, 11, 20), limits=PLENTY) as box:
        box.cin7.add_account("4010", "Raw materials")
        yield box


def content(world: World, **sections: Any) -> dict[str, Any]:
    kept: dict[str, Any] = world.settings.model_dump(mode="json", exclude=set(world.settings.systems) - {"ifs"})
    return {**kept, **sections}


def hubspot(box: Sandbox, **more: str) -> dict[str, str]:
    return {"base_url": f"{box.url}/hubspot", **more}


def cin7(box: Sandbox, **more: Any) -> dict[str, Any]:
    section = {"base_url": f"{box.url}/cin7/ExternalApi/v2", "calls_per_minute": "100000"}
    tables = {"payment_terms": {"30": "30 days"}, "tax_rules": {"V25": "Tax on Purchases", "V0": "Tax Exempt"}}
    return {**section, **tables, **more}


def companies(box: Sandbox) -> dict[str, str]:
    """The ERP's key -> the id, of the companies in a portal."""
    found = box.hubspot.objects.live("companies").values()
    return {each["properties"]["ifs_external_key"].removeprefix("SUPPLIER/"): each["id"] for each in found}


def two_portals(world: World, other: Sandbox) -> World:
    sections = {"hubspot": hubspot(world.box), "hubspot_us": hubspot(other, system="hubspot")}
    world.settings = configuration.parse(content(world, **sections), "mlc.yaml")
    return world


def test_two_portals_on_one_ledger_each_get_their_own_and_nothing_crosses(world: World, other: Sandbox) -> None:
    two_portals(world, other).chart()
    assert world.run("hubspot").success and companies(world.box) and not companies(other)
    ours = companies(world.box)
    assert world.run("hubspot_us").success
    assert list(companies(other)) == list(ours), "the same keys, each in its own portal"
    assert companies(world.box) == ours
    with world.ledger as ledger:
        assert ledger.remote_ids("hubspot/supplier_companies") == ours
        assert ledger.remote_ids("hubspot_us/supplier_companies") == companies(other)
    before = len(other.journal("hubspot")), len(world.box.journal("hubspot"))
    world.put_supplier("S2")
    assert world.run("hubspot_us").success
    assert set(companies(other)) - set(companies(world.box)) == {"S2"}, "delivered to the one is not known of the other"
    assert len(other.journal("hubspot")) > before[0] and len(world.box.journal("hubspot")) == before[1]


def test_a_second_run_of_either_portal_writes_nothing(world: World, other: Sandbox) -> None:
    two_portals(world, other).chart()
    for job in ("hubspot", "hubspot_us"):
        assert world.run(job).success
    before = len(world.box.journal("hubspot")), len(other.journal("hubspot"))
    for job in ("hubspot", "hubspot_us"):
        assert world.run(job).success
    assert (len(world.box.journal("hubspot")), len(other.journal("hubspot"))) == before


def test_an_invoice_belongs_to_the_company_of_its_own_portal(world: World, other: Sandbox) -> None:
    two_portals(world, other).chart()
    put_proposal(world)
    for job, box in (("hubspot_us", other), ("hubspot", world.box)):
        assert world.run(job).success
        (invoice,) = box.hubspot.objects.live("invoices").values()
        assert box.hubspot.objects.links["invoices/companies"][invoice["id"]] == [companies(box)["S1"]]
    with world.ledger as ledger:
        assert list(ledger.remote_ids("hubspot/invoices")) == list(ledger.remote_ids("hubspot_us/invoices"))


def put_proposal(world: World) -> None:
    line = {"Company": "0010", "ProposalId": 77, "RowId": 1, "Amount": Decimal(100), "Account": "4010"}
    row = {
        "Company": "0010",
        "ProposalId": 77,
        "InvoiceNo": "F-1",
        "SupplierId": "S1",
        "InvoiceDate": "2026-11-04",
        "DueDate": "2026-12-04",
        "CurrencyCode": "SEK",
        "NetAmount": Decimal(100),
        "GrossAmount": Decimal(100),
        "ObjState": "Open",
        "PostingProposalLines": [line],
    }
    world.box.ifs.put("PostingProposalHeadSet", row, modified=datetime(2026, 11, 5, 9, tzinfo=UTC))


def test_orders_wait_for_the_supplier_of_their_own_cin7(world: World, other: Sandbox) -> None:
    sections = {"cin7": cin7(world.box), "cin7_us": cin7(other, system="cin7")}
    world.settings = configuration.parse(content(world, **sections), "mlc.yaml")
    world.chart()
    world.put_order()
    assert world.run("cin7_us").success
    assert [each["Name"] for each in other.cin7.suppliers.values()] == ["Supplier S1"]
    assert len(other.cin7.purchases) == 1 and not world.box.cin7.suppliers and not world.box.cin7.purchases
    with world.ledger as ledger:
        assert set(ledger.remote_ids("cin7_us/purchases")) == {"P1"} and not ledger.remote_ids("cin7/purchases")
        assert list(ledger.remote_ids("cin7_us/suppliers")) == ["S1"] and not ledger.remote_ids("cin7/suppliers")


def test_what_either_cin7_changes_of_a_supplier_comes_back_under_its_own_name(world: World, other: Sandbox) -> None:
    sections = {"cin7": cin7(world.box), "cin7_us": cin7(other, system="cin7")}
    world.settings = configuration.parse(content(world, **sections), "mlc.yaml")
    names = {key.to_user_string() for key in world.defs.resolve_asset_graph().get_all_asset_keys()}
    assert {"ifs/suppliers_from_cin7", "ifs/suppliers_from_cin7_us", "cin7_us/supplier_list"} <= names
    flows = configuration.known_flows(world.settings)
    back = flows["ifs/suppliers_from_cin7_us"]
    assert (back.pair, back.writer, back.source.key) == ("cin7_us/suppliers",) * 2 + (("cin7_us", "supplier_list"),)
    assert back.spoke == "cin7_us" and back.systems == ("cin7", "ifs")


def test_a_connection_under_its_systems_own_name_is_as_it_was(world: World, other: Sandbox) -> None:
    """Asset keys, jobs, schedules and sensors carry cursors and switches."""
    sections = {"hubspot": hubspot(world.box)}
    world.settings = configuration.parse(content(world, **sections), "mlc.yaml")
    alone = named(world)
    both = named(two_portals(world, other))
    assert alone < both and not {each for each in both - alone if "hubspot_us" not in each}


def named(world: World) -> set[str]:
    """The keys and names of all that Dagster keeps something under."""
    repository = world.defs.get_repository_def()
    keys = {key.to_user_string() for key in world.defs.resolve_asset_graph().get_all_asset_keys()}
    instigators = {each.name for each in [*repository.schedule_defs, *repository.sensor_defs]}
    return keys | {f"job {name}" for name in repository.job_names} | {f"by itself {name}" for name in instigators}


def test_two_connections_never_share_a_reference_in_the_erp() -> None:
    flows = configuration.known_flows(None)
    ours = flows["ifs/supplier_invoices_from_procurify"]
    theirs = ours.under("procurify_us")
    assert theirs.marks == f"{ours.marks}procurify_us-" and theirs.name == "ifs/supplier_invoices_from_procurify_us"
    assert Facts().reference(ours.marks, "8f1c") == "procurify-bill-8f1c"
    assert Facts(connection="procurify_us").reference(ours.marks, "8f1c") == f"{theirs.marks}8f1c"
    assert theirs.here("ifs/posting_proposals_from_procurify") == "ifs/posting_proposals_from_procurify_us"


def test_each_connection_has_secrets_of_its_own_and_ping_names_those_that_are_missing(
    world: World, other: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_portals(world, other)
    assert configuration.needed_secrets(world.settings)["hubspot_us"] == ("HUBSPOT_US_TOKEN",)
    monkeypatch.delenv("HUBSPOT_US_TOKEN")
    found = [each for each in ping_all(world.settings, sealed, 20) if each.system.startswith("hubspot")]
    assert [each.system for each in found if not each.ok] == ["hubspot_us"]
    (wrong,) = [each for each in found if not each.ok]
    assert "HUBSPOT_US_TOKEN is not set" in wrong.answer and "mlc credentials set HUBSPOT_US_TOKEN" in wrong.answer


@pytest.mark.parametrize(
    "section, said",
    [
        ({"hubspot_us": {"system": "hubspit"}}, "hubspot_us.system: found 'hubspit'; expected one of airbase, cin7"),
        ({"erp_us": {"system": "ifs"}}, "One mlc.yaml is one ERP"),
        ({"Hub Spot": {"system": "hubspot"}}, "cannot name a connection to hubspot; expected such as hubspot_us"),
        ({"ledger": {"system": "hubspot"}}, "ledger cannot name a connection to hubspot; expected such as hubspot_us"),
        ({"connections": {"system": "hubspot"}}, "connections cannot name a connection to hubspot"),
        ({"cin7": {"system": "hubspot"}}, "cin7 cannot name a connection to hubspot"),
        ({"hubspot_us": {"system": "hubspot", "portal": "1"}}, "hubspot_us.portal: no setting of this name; nearest"),
    ],
)
def test_a_connection_that_cannot_be_is_told_where_it_stands(world: World, section: Any, said: str) -> None:
    with pytest.raises(Misconfigured) as error:
        configuration.parse(content(world, **section), "mlc.yaml")
    assert said in str(error.value)


def test_a_day_of_one_portal_is_paused_without_the_other(world: World, other: Sandbox) -> None:
    two_portals(world, other).chart()
    with world.ledger as ledger:
        ledger.pauses.pause("hubspot_us", "somebody", "month end")
    assert not world.run("hubspot_us").success and world.run("hubspot").success
    assert companies(world.box) and not companies(other)
    with world.ledger as ledger:
        assert {task.connection for task in ledger.work.all()} == {"hubspot_us"}
        assert {task.partition for task in ledger.work.all()} == {DAY}
