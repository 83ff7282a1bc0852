"""One rule for all: a posting proposal on an account that the ERP does not have is held before every target alike."""

from __future__ import annotations

from mlc_dagster.systems.hubspot.settings import HubspotSettings
from mlc_dagster_tests.orchestration.conftest import World, check
from mlc_dagster_tests.orchestration.test_monday import monday as monday
from mlc_dagster_tests.orchestration.test_monday import put_proposal

FLOWS = {"cin7": "cin7/purchase_invoices", "hubspot": "hubspot/invoices", "monday": "monday/invoices"}


def test_an_unknown_account_is_held_before_cin7_hubspot_and_monday_by_the_same_rule(monday: World) -> None:
    world = monday
    section = HubspotSettings(base_url=f"{world.box.url}/hubspot")
    world.settings = world.settings.model_copy(update={"hubspot": section})
    put_proposal(world, 2, account="7777")
    world.chart()
    reasons = {}
    for job, flow in FLOWS.items():
        found = check(world.run(job), f"{flow}_prepared", "gl_accounts_exist")
        (held,) = found.metadata["held_records"].records
        reasons[flow] = (held.data["record"], held.data["about"], held.data["reason"])
    assert len(set(reasons.values())) == 1, reasons
    assert reasons["cin7/purchase_invoices"][:2] == ("0010/2", "7777")
    assert {hold.flow for hold in world.ledger.open_holds(rule="gl_accounts_exist")} == set(FLOWS.values())
    keys = {row["properties"]["ifs_external_key"] for row in world.box.hubspot.live("invoices").values()}
    assert "INVOICE/0010/2" not in keys
