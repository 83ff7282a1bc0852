"""HubSpot in the code location: what is on, and a day through real Dagster runs."""

from __future__ import annotations

from typing import Any

from mlc_dagster.orchestration.location import flows_of
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster.systems.ifs.records import catalogue
from mlc_dagster_tests.orchestration.conftest import World, check, metadata


def with_hubspot(world: World, **section: str) -> World:
    """The same world, with HubSpot in place of Cin7."""
    url = world.box.url
    content: dict[str, Any] = {
        **world.settings.model_dump(mode="json", exclude={"cin7", "hubspot"}),
        "hubspot": {"base_url": f"{url}/hubspot", **section},
    }
    world.settings = settings_file.parse(content, "mlc.yaml")
    return world


def test_deals_are_off_unless_mlc_yaml_turns_them_on(world: World) -> None:
    def names(**section: str) -> set[str]:
        settings = with_hubspot(world, **section).settings
        return {flow.name for flow in flows_of(settings, catalogue({}))["hubspot"]}

    assert names(deals="true") - names() == {"hubspot/deals"}


def test_suppliers_become_companies_and_a_second_run_only_reads(world: World) -> None:
    with_hubspot(world).chart()
    first = world.run("hubspot")
    assert first.success and metadata(first, "hubspot/supplier_companies")["created"] == 1
    assert check(first, "hubspot/supplier_companies_prepared", "gl_accounts_exist").passed, "HubSpot has no chart"
    (company,) = world.box.hubspot.live("companies").values()
    assert company["properties"]["ifs_external_key"] == "SUPPLIER/S1"
    writes = len(world.box.journal("hubspot"))
    second = world.run("hubspot")
    assert second.success and metadata(second, "hubspot/supplier_companies")["unchanged"] == 1
    assert len(world.box.journal("hubspot")) == writes


def test_a_daily_limit_fails_the_load_with_words_and_the_next_run_goes_on(world: World) -> None:
    with_hubspot(world).chart()
    world.box.hubspot.daily = 0
    failed = world.run("hubspot")
    assert not failed.success
    words = [e.step_failure_data.user_failure_data for e in failed.all_events if e.is_step_failure]
    assert any(each and "daily limit" in (each.description or "") for each in words)
    world.box.hubspot.daily = 1000
    assert world.run("hubspot").success and len(world.box.hubspot.live("companies")) == 1
