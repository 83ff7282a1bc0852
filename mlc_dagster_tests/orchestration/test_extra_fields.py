"""A custom field of the tenant reaches HubSpot and monday.com by mlc.yaml alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.orchestration.location import build
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster.systems.ifs.records import catalogue
from mlc_dagster_tests.orchestration.conftest import World


def content(world: World, **target: Any) -> dict[str, Any]:
    found = world.settings.model_dump(mode="json", exclude={"cin7", "airbase", "hubspot", "monday"}, exclude_none=True)
    found["ifs"]["entity_sets"] = {"supplier_set": {"extra_fields": {"cf_segment": "Cf_Segment"}}}
    return {**found, **target}


def hubspot(world: World, added: dict[str, str]) -> dict[str, Any]:
    return {"base_url": f"{world.box.url}/hubspot", "extra_fields": {"supplier_companies": added}}


def test_a_custom_field_becomes_a_company_property_by_three_lines_of_mlc_yaml(world: World) -> None:
    supplier = {"SupplierId": "S1", "Name": "Supplier S1", "CurrencyCode": "SEK", "Cf_Segment": "0042"}
    world.box.ifs.put("SupplierSet", supplier, modified=datetime(2026, 11, 5, 8, tzinfo=UTC))
    world.settings = settings_file.parse(content(world, hubspot=hubspot(world, {"cf_segment": "segment"})), "mlc.yaml")
    world.chart()
    assert world.run("hubspot").success
    (company,) = world.box.hubspot.live("companies").values()
    assert company["properties"]["segment"] == "0042", "a code stays text"

    supplier["Cf_Segment"] = "0043"
    world.box.ifs.put("SupplierSet", supplier, modified=datetime(2026, 11, 5, 9, tzinfo=UTC))
    assert world.run("hubspot").success
    (company,) = world.box.hubspot.live("companies").values()
    assert company["properties"]["segment"] == "0043"


def test_a_field_that_the_source_does_not_have_is_named_with_its_cure(world: World) -> None:
    wrong = settings_file.parse(content(world, hubspot=hubspot(world, {"cf_other": "other"})), "mlc.yaml")
    with pytest.raises(Misconfigured, match=r"ifs\.entity_sets\.supplier_set\.extra_fields\.cf_other"):
        build(wrong, world.environment)


def test_an_added_field_must_not_hide_one_of_the_record(world: World) -> None:
    found = content(world)
    found["ifs"]["entity_sets"]["supplier_set"]["extra_fields"] = {"name": "Cf_Name"}
    settings = settings_file.parse(found, "mlc.yaml")
    with pytest.raises(Misconfigured, match=r"extra_fields\.name"):
        catalogue(settings.ifs.entity_sets)


def test_an_added_field_must_not_take_the_place_of_one_of_ours(world: World) -> None:
    with pytest.raises(Misconfigured, match="ifs_gl_account is written from the record's own fields"):
        settings_file.parse(content(world, hubspot=hubspot(world, {"cf_segment": "ifs_gl_account"})), "mlc.yaml")
    boards = {"suppliers": {"board": "1234567890"}}
    monday = {"boards": boards, "extra_fields": {"suppliers": {"country": "Land"}}}
    with pytest.raises(Misconfigured, match=r"boards\.suppliers\.columns"):
        settings_file.parse(content(world, monday=monday), "mlc.yaml")


def test_a_custom_field_becomes_a_cell_on_a_board(world: World) -> None:
    from mlc_dagster.systems.monday.flows import FLOWS

    boards = {"suppliers": {"board": "1234567890", "columns": {"supplier_no": "Supplier no"}}}
    monday = {"boards": boards, "extra_fields": {"suppliers": {"cf_segment": "Segment"}}}
    settings = settings_file.parse(content(world, monday=monday), "mlc.yaml")
    record = catalogue(settings.ifs.entity_sets)["supplier_set"].record
    flow = next(flow for flow in FLOWS if flow.name == "monday/suppliers")
    item: Any = flow.mapping(record(supplier_id="S1", name="Supplier", cf_segment="0042"), settings.facts_for("monday"))
    assert {cell.column: cell.values for cell in item.cells} == {"Supplier no": ("S1",), "Segment": ("0042",)}
