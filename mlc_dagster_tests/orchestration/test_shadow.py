"""`mode: shadow`: everything is read, prepared and told, and nothing is written, whoever would."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from mlc_dagster.cli.app import app
from mlc_dagster.core.outcomes import Draft
from mlc_dagster.ledger.tables import TABLES
from mlc_dagster.systems.cin7.connect import cin7_client
from mlc_dagster.systems.cin7.flows import FLOWS
from mlc_dagster.systems.cin7.records import SUPPLIERS
from mlc_dagster.systems.hubspot.connect import only_asks as hubspot_asks
from mlc_dagster.systems.monday.connect import only_asks as monday_asks
from mlc_dagster.transport.rate_limits import LocalBudget
from mlc_dagster.transport.shadow import WriteInShadow, allowed
from mlc_dagster_tests.orchestration.conftest import DAY, World, metadata
from mlc_dagster_tests.orchestration.test_healing import carry_out, tick
from mlc_dagster_tests.systems.cin7 import samples as cin7

pytestmark = pytest.mark.slow  # whole Dagster runs, or whole processes: a minute of them and more

PURCHASES = "cin7/purchases"


def in_shadow(world: World, **mode: str) -> World:
    """The same world, whose mlc.yaml says so of these connections."""
    sections = {name: getattr(world.settings, name).model_copy(update={"mode": each}) for name, each in mode.items()}
    return replace(world, settings=world.settings.model_copy(update=sections))


def deliveries(world: World) -> list[Any]:
    """What the ledger says of deliveries and attempts; not of reads, nor of who started a run."""
    attempts = TABLES.tables["attempts"]
    mine = select(attempts).where(attempts.c.event.not_in(("read", "started")))
    with world.ledger as ledger, ledger._database.reading() as connection:
        flows = TABLES.tables["flows"]
        tables = [select(TABLES.tables[name]) for name in ("deliveries", "agreed")]
        return [connection.execute(each).all() for each in (*tables, select(flows.c.flow, flows.c.began_at), mine)]


def told(world: World) -> list[tuple[str, str]]:
    return [(each.key, each.does) for each in world.ledger.shadow.read(PURCHASES)]


@pytest.fixture
def delivered(world: World) -> World:
    """P1 was delivered; since then cin7 is in shadow."""
    world.chart()
    world.put_order("P1")
    assert world.run("cin7").success
    return in_shadow(world, cin7="shadow")


def test_a_change_in_shadow_is_told_field_by_field_once_and_nothing_is_written(delivered: World) -> None:
    world, before, writes = delivered, deliveries(delivered), len(delivered.box.journal("cin7"))
    world.put_order("P1", price="12.00", at=datetime(2026, 11, 5, 10, tzinfo=UTC))
    world.put_order("P2")

    first, second = world.run("cin7"), world.run("cin7")

    assert first.success and second.success
    assert len(world.box.journal("cin7")) == writes and deliveries(world) == before
    shown, again = metadata(first, PURCHASES), metadata(second, PURCHASES)
    assert [shown[name] for name in ("mode", "would_change", "would_create", "differences_told")] == ["shadow", 1, 1, 2]
    assert (again["would_change"], again["differences_told"]) == (1, 0) and "told_now" not in again
    fields = {row.data["record"]: row.data["fields"] for row in shown["told_now"].records}
    assert "10.5" in fields["P1"] and "-> 12" in fields["P1"] and "marker" not in fields["P1"]
    assert sorted(told(world)) == [("P1", "change"), ("P2", "create")]


def test_each_content_is_told_once_also_when_it_comes_back(delivered: World) -> None:
    for hour, price in ((10, "12.00"), (11, "13.00"), (12, "12.00"), (13, "10.50")):
        delivered.put_order("P1", price=price, at=datetime(2026, 11, 5, hour, tzinfo=UTC))
        assert delivered.run("cin7").success
    assert told(delivered) == [("P1", "change")] * 2, "12, then 13; 10.50 is what was delivered"


def test_going_live_delivers_what_was_told(delivered: World) -> None:
    delivered.put_order("P2")
    assert delivered.run("cin7").success
    live = in_shadow(delivered, cin7="live")
    result = live.run("cin7")
    assert result.success and metadata(result, PURCHASES)["created"] == 1
    assert live.order_markers() == ["0010/P1", "0010/P2"]


def test_the_asset_says_that_it_is_in_shadow_and_the_status_too(delivered: World) -> None:
    assets = delivered.defs.resolve_asset_graph()
    node = assets.get(dg.AssetKey(PURCHASES.split("/")))
    assert "In shadow" in (node.description or "") and node.tags["mlc/mode"] == "shadow"
    assert "mlc/mode" not in assets.get(dg.AssetKey(["ifs", "suppliers_from_cin7"])).tags, "the ERP is live"


def test_what_would_heal_in_shadow_is_asked_for_once(delivered: World) -> None:
    delivered.put_order("P3", account="4711")
    assert delivered.run("cin7").success
    delivered.put_account("4711")
    delivered.chart()
    delivered.box.cin7.add_account("4711", "Services")
    (request,) = tick(delivered).run_requests
    assert carry_out(delivered, request).success
    assert ("P3", "create") in told(delivered) and delivered.order_markers() == ["0010/P1"]
    assert [each.run_key for each in tick(delivered).run_requests] == [request.run_key], "the daemon knows the key"


def test_what_people_change_in_a_saas_stays_out_of_an_erp_in_shadow(world: World) -> None:
    world.chart()
    assert world.run("cin7").success
    world = in_shadow(world, ifs="shadow")
    (theirs,) = world.box.cin7.suppliers.values()
    world.box.cin7.change_supplier(theirs["ID"], contact={"Email": "new@example.test"})
    today = datetime.now(UTC).date().isoformat()
    result = world.run("cin7", today)
    assert result.success and world.box.journal("ifs") == []
    (difference,) = world.ledger.shadow.read("ifs/suppliers_from_cin7")
    assert difference.key == theirs["ID"] and ("new@example.test" in str(difference.changes))


def test_the_command_shows_what_was_told(delivered: World, monkeypatch: pytest.MonkeyPatch) -> None:
    delivered.put_order("P1", price="12.00", at=datetime(2026, 11, 5, 10, tzinfo=UTC))
    monkeypatch.setenv("COLUMNS", "200")
    assert "Nothing was told in shadow." in CliRunner().invoke(app, ["shadow"]).output
    assert delivered.run("cin7").success
    shown = CliRunner().invoke(app, ["shadow", "--flow", PURCHASES]).output
    assert "P1" in shown and "change" in shown and f"{PURCHASES}: 1 change. Nothing was written." in shown
    (found,) = json.loads(CliRunner().invoke(app, ["shadow", "--key", "P1", "--json"]).stdout)
    assert (found["flow"], found["does"], found["partition"]) == (PURCHASES, "change", DAY)


# --- whoever would write --------------------------------------------------------------------------------------------


def test_a_client_in_shadow_reads_and_refuses_every_write_before_it_leaves(world: World) -> None:
    section = world.settings.cin7.model_copy(update={"mode": "shadow"})  # type: ignore[union-attr]
    client = cin7_client(section, "sandbox-account", "sandbox-key-1", lambda *_: LocalBudget(1000, 1.0))
    assert client.books().accounts
    with pytest.raises(WriteInShadow, match=r"cin7: POST /supplier would write, and cin7\.mode is shadow"):
        list(client.save(SUPPLIERS, [Draft("S1", FLOWS[0].mapping(cin7.supplier(), cin7.facts()))]))
    assert world.box.journal("cin7") == [] and ("POST", "/cin7/ExternalApi/v2/supplier") not in world.box.calls("cin7")


def test_questions_by_post_pass_and_writes_do_not() -> None:
    hubspot, monday = allowed("hubspot", "shadow", hubspot_asks), allowed("monday", "shadow", monday_asks)
    for path in ("/crm/v3/objects/companies/search", "/crm/objects/2026-03/deals/batch/read?archived=false"):
        hubspot("POST", path, {})
    monday("POST", "/v2", {"query": "query ($ids: [ID!]) { boards(ids: $ids) { id } }"})
    hubspot("GET", "/crm/v3/objects/companies", None)
    for path in ("/crm/v3/objects/companies/batch/upsert", "/crm/v3/properties/companies/batch/create"):
        with pytest.raises(WriteInShadow):
            hubspot("POST", path, {})
    for document in ("mutation { create_column }", "query { me { id } } mutation { x }", ""):
        with pytest.raises(WriteInShadow):
            monday("POST", "/v2", {"query": document})
    with pytest.raises(WriteInShadow):
        allowed("ifs", "shadow")("POST", "/projection/$batch", None)
    allowed("ifs", "live")("POST", "/projection/$batch", None)
