"""Companies that people keep in HubSpot already: tied, proposed, or left alone; over HTTP against the sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mlc_dagster.core.errors import TransientError
from mlc_dagster.core.outcomes import Draft, Outcome, Ready, Refused, Saved
from mlc_dagster.core.vocabulary import fingerprint
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.pipeline import load
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.hubspot.flows import FLOWS
from mlc_dagster.systems.hubspot.mapping import company_from_customer, company_from_supplier
from mlc_dagster.systems.hubspot.objects.company_match import MAY_BE
from mlc_dagster.systems.hubspot.records import COMPANIES, Company
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster_tests.systems.hubspot.samples import EVER, calls, client_on, company, facts, save, supplier

SUPPLIERS = next(flow for flow in FLOWS if flow.name == "hubspot/supplier_companies")
VAT = "SE556677889901"
SEARCH = ("POST", "crm/objects/2026-09/companies/search")


@pytest.fixture
def portal(box: Sandbox) -> Sandbox:
    """One that has been written to: our properties are there, and one of its own for VAT numbers."""
    save(client_on(box), COMPANIES, Draft("S0", company(number="S0", name="First of all", vat_no=""), look_since=EVER))
    names = box.hubspot.objects.properties["companies"]
    names["vat_number"] = {**names["phone"], "name": "vat_number", "label": "VAT number"}
    return box


def by_hand(box: Sandbox, **values: str) -> str:
    """A company that somebody entered; its id."""
    return str(box.hubspot.objects.write("companies", values, None)["id"])


def sent(box: Sandbox, record: Company, options: dict[str, str] | None = None, remote_id: str | None = None) -> Outcome:
    look = None if remote_id else EVER
    draft = Draft(record.number, record, remote_id, look, was_delivered=remote_id is not None)
    (outcome,) = save(client_on(box, options), COMPANIES, draft)
    return outcome


def saved(*args: Any, **more: Any) -> Saved:
    outcome = sent(*args, **more)
    assert isinstance(outcome, Saved), outcome
    return outcome


def there(box: Sandbox, remote_id: str) -> dict[str, Any]:
    values: dict[str, Any] = box.hubspot.live("companies")[remote_id]["properties"]
    return values


def test_the_same_vat_number_ties_and_what_people_filled_in_stays(portal: Sandbox) -> None:
    theirs = by_hand(portal, name="Nordic Bolts (sales)", vat_number=VAT, phone="08-1")
    outcome = saved(portal, company(vat_no="SE 556677-8899 01"), {"vat_properties": "vat_number"})
    assert (outcome.remote_id, outcome.action) == (theirs, "adopted")
    found = there(portal, theirs)
    assert (found["name"], found["phone"]) == ("Nordic Bolts (sales)", "08-1")
    assert (found["ifs_external_key"], found["ifs_gl_account"]) == ("SUPPLIER/S100", "4010")
    assert found["ifs_matched_by"] == "vat_no"
    (told,) = outcome.disagreements
    assert (told.kind, told.field, told.ours, told.theirs) == (
        "kept_in_the_target",
        "name",
        "Nordic Bolts AB",
        "Nordic Bolts (sales)",
    )
    assert len(portal.hubspot.live("companies")) == 2, "nothing was created"


def test_a_tied_company_keeps_its_name_when_the_supplier_changes_later(portal: Sandbox) -> None:
    theirs = by_hand(portal, name="Nordic Bolts (sales)", vat_number=VAT)
    options = {"vat_properties": "vat_number"}
    saved(portal, company(vat_no=VAT), options)
    outcome = saved(portal, company(vat_no=VAT, name="Nordic Bolts AB", cost_center="CC200"), options, theirs)
    found = there(portal, theirs)
    assert (found["name"], found["ifs_cost_center"]) == ("Nordic Bolts (sales)", "CC200")
    assert outcome.disagreements, "it is still told"


def test_an_empty_property_of_a_tied_company_is_filled(portal: Sandbox) -> None:
    theirs = by_hand(portal, domain="bolts.example", vat_number=VAT)
    outcome = saved(portal, company(vat_no=VAT), {"vat_properties": "vat_number"})
    assert there(portal, theirs)["name"] == "Nordic Bolts AB" and not outcome.disagreements


def test_a_company_of_the_same_name_is_held_with_a_link_and_nothing_is_created(portal: Sandbox) -> None:
    theirs = by_hand(portal, name="NORDIC BOLTS ab")
    outcome = sent(portal, company())
    assert isinstance(outcome, Refused) and outcome.rule == MAY_BE
    assert f"/record/0-2/{theirs}" in outcome.reason and "enter SUPPLIER/S100 there" in outcome.reason
    assert len(portal.hubspot.live("companies")) == 2


def test_a_key_that_a_person_entered_ties_and_the_name_stays(portal: Sandbox) -> None:
    theirs = by_hand(portal, name="Bolts", ifs_external_key="SUPPLIER/S100")
    outcome = saved(portal, company())
    assert outcome.remote_id == theirs and there(portal, theirs)["name"] == "Bolts"
    assert there(portal, theirs)["ifs_matched_by"] == "key"


def test_mlc_yaml_says_which_company_it_is_or_that_it_is_new(portal: Sandbox) -> None:
    theirs = by_hand(portal, name="Nordic Bolts AB")
    assert saved(portal, company(), {"company.SUPPLIER/S100": theirs}).remote_id == theirs
    other = by_hand(portal, name="Acme")
    outcome = saved(portal, company(number="S7", name="Acme"), {"company.SUPPLIER/S7": "new"})
    assert outcome.action == "created" and outcome.remote_id != other


def test_the_domain_of_a_suppliers_mail_proposes_and_free_mail_does_not(portal: Sandbox) -> None:
    theirs = by_hand(portal, name="Bolts Holding", domain="bolts.example")
    by_hand(portal, name="Somebody", domain="gmail.com")
    known = facts(options={"domain_field": "email"})
    record = company_from_supplier(supplier(email="sales@bolts.example"), known)
    outcome = sent(portal, record)
    assert isinstance(outcome, Refused) and theirs in outcome.reason and "web domain" in outcome.reason
    free = company_from_supplier(supplier("S8", name="Small shop", email="shop@gmail.com"), known)
    outcome = saved(portal, free)
    assert outcome.action == "created" and "domain" not in there(portal, outcome.remote_id)


def test_several_companies_of_one_vat_number_are_held(portal: Sandbox) -> None:
    ids = [by_hand(portal, name=name, vat_number=VAT) for name in ("One", "Two")]
    outcome = sent(portal, company(vat_no=VAT), {"vat_properties": "vat_number"})
    assert isinstance(outcome, Refused) and all(each in outcome.reason for each in ids)


def test_a_vat_number_that_is_none_ties_nothing(portal: Sandbox) -> None:
    by_hand(portal, name="Other", vat_number="N/A")
    options = {"vat_properties": "vat_number"}
    assert saved(portal, company(vat_no="N/A"), options).action == "created"


def test_a_customer_of_the_name_of_a_supplier_is_a_company_of_its_own(portal: Sandbox) -> None:
    saved(portal, company())
    customer = ifs.Customer(customer_id="C1", name="Nordic Bolts AB")
    outcome = saved(portal, company_from_customer(customer, facts()))
    assert outcome.action == "created" and len(portal.hubspot.live("companies")) == 3


def test_two_suppliers_of_one_vat_number_never_share_a_company_though_the_index_lags(portal: Sandbox) -> None:
    theirs = by_hand(portal, name="Bolts", vat_number=VAT)
    portal.hubspot.becomes(search_lags=True)
    portal.hubspot.reindex()
    client = client_on(portal, {"vat_properties": "vat_number"})
    records = [company(number=number, name=number, vat_no=VAT) for number in ("S1", "S2")]
    outcomes = [save(client, COMPANIES, Draft(each.number, each, look_since=EVER))[0] for each in records]
    assert [outcome.action for outcome in outcomes if isinstance(outcome, Saved)] == ["adopted", "created"]
    assert there(portal, theirs)["ifs_external_key"] == "SUPPLIER/S1"


def test_where_all_companies_are_ours_one_search_is_made_and_no_more(portal: Sandbox) -> None:
    portal.forget_calls()
    records = [company(number=f"S{n}", name=f"Name {n}") for n in range(1, 251)]
    outcomes = save(client_on(portal), COMPANIES, *(Draft(each.number, each, look_since=EVER) for each in records))
    assert all(isinstance(outcome, Saved) for outcome in outcomes)
    assert calls(portal)[SEARCH] == 1


def test_a_hundred_new_names_are_searched_within_the_length_of_a_body(portal: Sandbox) -> None:
    theirs = by_hand(portal, name="Company with a long name, number 77 of a hundred")
    records = [
        company(number=f"S{n}", name=f"Company with a long name, number {n} of a hundred") for n in range(1, 101)
    ]
    portal.forget_calls()
    outcomes = save(client_on(portal), COMPANIES, *(Draft(each.number, each, look_since=EVER) for each in records))
    assert [outcome.draft.key for outcome in outcomes if isinstance(outcome, Refused)] == ["S77"]
    assert theirs in next(outcome.reason for outcome in outcomes if isinstance(outcome, Refused))
    assert calls(portal)[SEARCH] <= 8


def test_a_property_that_was_just_made_may_be_searched_a_moment_later(portal: Sandbox) -> None:
    error = '{"status": "error", "message": "property ifs_external_key does not exist", "category": "VALIDATION_ERROR"}'
    portal.faults.add(system="hubspot", path="companies/search", times=2, status=400, body=error)
    assert saved(portal, company()).action == "created"


def test_where_hubspot_does_not_tell_what_is_there_nothing_is_made(portal: Sandbox) -> None:
    error = {"status": "error", "category": "INTERNAL", "message": "no", "context": {"ids": ["1"]}, "errors": []}
    body = {"status": "COMPLETE", "results": [], "numErrors": 1, "errors": [error]}
    portal.faults.add(system="hubspot", path="companies/batch/read", times=None, status=207, body=json.dumps(body))
    with pytest.raises(TransientError, match="does not tell whether companies are there"):
        saved(portal, company())
    assert len(portal.hubspot.live("companies")) == 1


# --- merged and deleted ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leads_on", [True, False])
def test_a_company_merged_into_somebody_elses_is_found_under_its_new_id(portal: Sandbox, leads_on: bool) -> None:
    portal.hubspot.becomes(merged_ids_lead_on=leads_on)
    ours = saved(portal, company()).remote_id
    survivor = portal.hubspot.merge("companies", by_hand(portal, name="Bolts of people"), ours)
    outcome = saved(portal, company(cost_center="CC200"), remote_id=ours)
    assert (outcome.remote_id, outcome.action) == (survivor, "updated")
    found = there(portal, survivor)
    assert (found["name"], found["ifs_cost_center"]) == ("Bolts of people", "CC200")
    assert len(portal.hubspot.live("companies")) == 2


@pytest.mark.parametrize("leads_on", [True, False])
def test_a_key_lost_in_a_merge_is_written_back_and_nothing_is_created(portal: Sandbox, leads_on: bool) -> None:
    portal.hubspot.becomes(merged_ids_lead_on=leads_on)
    ours = saved(portal, company()).remote_id
    survivor = portal.hubspot.merge("companies", by_hand(portal, name="Bolts of people"), ours)
    there(portal, survivor)["ifs_external_key"] = None
    outcome = saved(portal, company(cost_center="CC200"), remote_id=ours)
    assert outcome.remote_id == survivor
    assert there(portal, survivor)["ifs_external_key"] == "SUPPLIER/S100"
    assert len(portal.hubspot.live("companies")) == 2


def test_of_two_of_ours_that_were_merged_one_writes_and_the_other_is_told(
    portal: Sandbox, sqlite_ledger: Ledger
) -> None:
    one, other = (saved(portal, company(number=n, name=n)).remote_id for n in ("S1", "S2"))
    survivor = portal.hubspot.merge("companies", one, other)
    second = saved(portal, company(number="S2", name="S2", cost_center="CC9"), remote_id=other)
    assert second.remote_id == survivor and there(portal, survivor)["ifs_external_key"] == "SUPPLIER/S1"
    assert [(each.kind, each.ours, each.theirs) for each in second.disagreements] == [
        ("merged_in_the_target", "SUPPLIER/S2", "SUPPLIER/S1")
    ]
    assert there(portal, survivor)["ifs_cost_center"] == "CC100"


def test_of_two_of_ours_whose_keys_were_both_lost_in_a_merge_one_writes(portal: Sandbox) -> None:
    ids = [saved(portal, company(number=n, name=n)).remote_id for n in ("S1", "S2")]
    survivor = portal.hubspot.merge("companies", *ids)
    there(portal, survivor)["ifs_external_key"] = None
    drafts = [
        Draft(number, company(number=number, cost_center="CC9"), each, None, was_delivered=True)
        for number, each in zip(("S1", "S2"), ids, strict=True)
    ]
    outcomes = save(client_on(portal), COMPANIES, *drafts)
    assert [outcome.remote_id for outcome in outcomes if isinstance(outcome, Saved)] == [survivor, survivor]
    assert there(portal, survivor)["ifs_external_key"] == "SUPPLIER/S1"
    second = outcomes[1]
    assert isinstance(second, Saved) and [each.kind for each in second.disagreements][-1] == "merged_in_the_target"


def test_what_was_deleted_in_hubspot_is_made_anew_and_told_in_the_ledger(
    portal: Sandbox, sqlite_ledger: Ledger
) -> None:
    def loads(record: Company, version: str) -> None:
        ready = [Ready(record.number, version, fingerprint(record), record)]
        client = client_on(portal, {"on_deleted": "recreate"})
        load(SUPPLIERS, ready, client, sqlite_ledger, Run(version, "2026-11-05"))

    loads(company(), "2026-11-05T09:00:00.000000Z")
    (first,) = (
        each for each, row in portal.hubspot.live("companies").items() if row["properties"]["ifs_number"] == "S100"
    )
    portal.hubspot.objects.archive("companies", [first])
    loads(company(cost_center="CC2"), "2026-11-06T09:00:00.000000Z")
    (told,) = sqlite_ledger.differences.open(SUPPLIERS.name)
    assert (told.kind, told.ours, told.theirs) == ("deleted_in_the_target", first, f"archived as {first}")
    loads(company(cost_center="CC3"), "2026-11-07T09:00:00.000000Z")
    assert not sqlite_ledger.differences.open(SUPPLIERS.name), "a later look found both sides alike"
    assert len(portal.hubspot.live("companies")) == 2


def test_what_was_deleted_in_hubspot_is_held_where_mlc_yaml_says_so(portal: Sandbox) -> None:
    ours = saved(portal, company()).remote_id
    portal.hubspot.objects.archive("companies", [ours])
    outcome = sent(portal, company(cost_center="CC2"), {"on_deleted": "hold"}, ours)
    assert isinstance(outcome, Refused) and outcome.rule == "deleted_in_the_target"
    assert "restore it there" in outcome.reason and len(portal.hubspot.live("companies")) == 1


def test_a_key_that_the_recycle_bin_keeps_is_held_with_what_to_do(portal: Sandbox) -> None:
    ours = saved(portal, company()).remote_id
    portal.hubspot.objects.archive("companies", [ours])
    portal.hubspot.becomes(archived_keys_stay_taken=True)
    outcome = sent(portal, company(cost_center="CC2"), {"on_deleted": "recreate"}, ours)
    assert isinstance(outcome, Refused)
    assert f"{ours} already has that value" in outcome.reason and "restore it there" in outcome.reason


# --- required properties --------------------------------------------------------------------------------------------


def test_defaults_give_a_new_company_what_the_portal_requires_and_never_overwrite(portal: Sandbox) -> None:
    portal.hubspot.objects.required["companies"] = ["city", "description"]
    options = {"default.companies.city": "unknown", "company.SUPPLIER/S100": "new"}
    record = company_from_supplier(
        supplier(notes="Made of steel"), facts(tables={"default_fields.companies": {"description": "notes"}})
    )
    outcome = saved(portal, record, options)
    found = there(portal, outcome.remote_id)
    assert (found["city"], found["description"]) == ("unknown", "Made of steel")
    found["city"] = "Malmö"
    saved(portal, record, options, outcome.remote_id)
    assert there(portal, outcome.remote_id)["city"] == "Malmö"
