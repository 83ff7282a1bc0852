"""What a ping says of a portal's limits, over HTTP: quotas, required properties, read-only totals, the version."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.settings import Settings
from mlc_dagster.systems import configuration
from mlc_dagster.systems.hubspot.api import HubspotApi
from mlc_dagster.systems.hubspot.ping_limits import limits, version_window
from mlc_dagster.systems.hubspot.portal import Portal
from mlc_dagster.systems.hubspot.records import COMPANIES
from mlc_dagster.systems.hubspot.settings import HubspotSettings
from mlc_dagster.systems.shared.findings import Finding
from mlc_dagster_tests.promises.journey import settings_at
from mlc_dagster_tests.systems.hubspot.samples import api_on, client_on, companies, save

KINDS = ["companies", "invoices", "line_items", "deals"]


def parsed(box: Sandbox, **section: Any) -> Settings:
    content: dict[str, Any] = settings_at(box.url).model_dump(mode="json")
    content["hubspot"] |= section
    return configuration.parse(content, "mlc.yaml")


def found(box: Sandbox, **section: Any) -> dict[str, Finding]:
    settings = parsed(box, **section).section("hubspot")
    assert isinstance(settings, HubspotSettings)
    api = HubspotApi(api_on(box.url))
    portal = Portal(api, settings.options())
    return {each.what: each for each in limits(api, portal, KINDS, settings)}


def test_a_portal_with_room_says_how_much(box: Sandbox) -> None:
    told = found(box)
    assert all(each.ok for each in told.values()), told
    assert told["property quota"].answer.startswith("room for 10000 more, the first load makes ")
    assert told["association limits"].answer == "none is near"


def test_a_quota_that_the_first_load_would_pass_is_said_before_it(box: Sandbox) -> None:
    box.hubspot.property_limit = 5
    quota = found(box)["property quota"]
    assert not quota.ok and "companies have room for 5 custom properties, and the first load makes 17" in quota.answer
    with pytest.raises(Misconfigured, match="The limit of 5 custom properties of companies is reached"):
        save(client_on(box), COMPANIES, *companies(1))


def test_a_tenth_unique_property_leaves_no_room_for_our_key(box: Sandbox) -> None:
    names = box.hubspot.objects.properties["companies"]
    for n in range(10):
        names[f"own_{n}"] = {**names["phone"], "name": f"own_{n}", "hasUniqueValue": True}
    quota = found(box)["property quota"]
    assert not quota.ok and "companies have 10 properties of unique values already" in quota.answer


def test_records_at_an_association_limit_are_named(box: Sandbox) -> None:
    box.hubspot.near_association_limits["companies"] = True
    told = found(box)["association limits"]
    assert not told.ok and "records are at the limit: companies" in told.answer


def test_what_a_token_may_not_ask_is_unknown_and_no_fault(box: Sandbox) -> None:
    box.hubspot.becomes(may_read_limits=False)
    told = found(box)
    assert all(each.ok for each in told.values()), told
    assert {each.answer.split(":")[0] for what, each in told.items() if what != "company match"} == {"unknown"}


def test_required_properties_that_nothing_gives_are_named_with_the_setting(box: Sandbox) -> None:
    box.hubspot.objects.required.update(companies=["name", "domain", "city"], deals=["dealname"])
    told = found(box, defaults={"companies": {"city": "unknown"}})
    companies_, deals = told["required properties of companies"], told["required properties of deals"]
    assert not companies_.ok and companies_.answer.startswith("nothing gives domain\n")
    assert "hubspot.defaults.companies" in companies_.answer and deals.ok


def test_a_total_that_hubspot_computes_is_said(box: Sandbox) -> None:
    assert "invoice totals" not in found(box)
    box.hubspot.becomes(amount_billed="read_only")
    assert "compared, not written" in found(box)["invoice totals"].answer


def test_half_a_year_before_its_end_the_version_is_told() -> None:
    assert not list(version_window(date(2027, 9, 1)))
    (told,) = version_window(date(2027, 10, 15))
    assert not told.ok and "2026-09 is served until March 2028" in told.answer


def test_a_default_that_the_portal_has_no_property_for_stops_the_load_by_name(box: Sandbox) -> None:
    options = {"given.companies": "sector", "default.companies.sector": "Steel"}
    with pytest.raises(Misconfigured, match=r"sector of hubspot\.defaults\.companies is not there"):
        save(client_on(box, options), COMPANIES, *companies(1))
    assert not box.journal("hubspot")


@pytest.mark.parametrize(
    "section, words",
    [
        ({"defaults": {"companies": {"city": {"field": "town"}}}}, "companies.city names the field town; there is: "),
        ({"defaults": {"line_items": {"hs_sku": {"field": "text"}}}}, "none: write a constant"),
        ({"defaults": {"companies": {"ifs_number": "7"}}}, "companies.ifs_number is written from the record's own"),
        ({"companies": {"SUPPLIER/S1": "maybe"}}, "the number of a company in HubSpot, or new"),
        ({"deal_key": {"po_number": "order"}}, "invoices have no field order"),
    ],
)
def test_a_mistake_in_mlc_yaml_is_said_with_what_was_expected(box: Sandbox, section: Any, words: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        parsed(box, **section)
    assert words in str(caught.value)


def test_constants_and_fields_of_the_erp_reach_client_and_mappings(box: Sandbox) -> None:
    defaults = {"companies": {"city": "unknown", "description": {"field": "notes"}}}
    section = parsed(box, defaults=defaults, deal_key={"po_number": "po_reference"}).section("hubspot")
    assert isinstance(section, HubspotSettings)
    options = section.options()
    assert options["default.companies.city"] == "unknown" and options["given.companies"] == "city,description"
    assert (options["deal_key"], options["deal_key_field"]) == ("po_number", "po_reference")
    assert section.tables() == {"default_fields.companies": {"description": "notes"}}
