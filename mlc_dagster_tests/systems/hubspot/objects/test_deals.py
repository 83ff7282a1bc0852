"""Deals over HTTP against the sandbox: in the right stage, on company and invoice; those that are there are tied."""

from __future__ import annotations

import pytest

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Saved
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.hubspot.api import HubspotApi
from mlc_dagster.systems.hubspot.client import HubspotClient
from mlc_dagster.systems.hubspot.mapping import deal_from_proposal
from mlc_dagster.systems.hubspot.objects.associations import Associations
from mlc_dagster.systems.hubspot.records import DEALS, INVOICES, Deal
from mlc_dagster.systems.hubspot.settings import HubspotSettings
from mlc_dagster_tests.systems.hubspot.samples import (
    EVER,
    api_on,
    client_on,
    delivered_company,
    facts,
    invoice,
    proposal,
    save,
)


@pytest.fixture
def client(box: Sandbox) -> HubspotClient:
    return client_on(box)


@pytest.fixture
def company_id(client: HubspotClient) -> str:
    return delivered_company(client)


@pytest.fixture
def invoice_id(client: HubspotClient, company_id: str) -> str:
    (outcome,) = save(client, INVOICES, Draft("0010/7", invoice(company_id), look_since=EVER))
    assert isinstance(outcome, Saved)
    return outcome.remote_id


def deal(company_id: str, invoice_id: str, **changes: str) -> Deal:
    delivered = {"hubspot/supplier_companies": {"S100": company_id}, "hubspot/invoices": {"0010/7": invoice_id}}
    options = {"deal_key_field": "po_reference", "invoice_status": "open"}
    return deal_from_proposal(proposal(po_reference="PO-1", **changes), facts(delivered=delivered, options=options))


def by_hand(box: Sandbox, **values: str) -> str:
    """A deal of the sales team, with a property of its own; its id."""
    names = box.hubspot.objects.properties["deals"]
    names["po_number"] = {**names["dealname"], "name": "po_number"}
    values = {"pipeline": "default", "dealstage": "contractsent", **values}
    return str(box.hubspot.objects.write("deals", values, None)["id"])


def tied(box: Sandbox, record: Deal) -> Outcome:
    (outcome,) = save(client_on(box, {"deal_key": "po_number"}), DEALS, Draft("0010/7", record, look_since=EVER))
    return outcome


def test_a_deal_is_closed_won_in_the_stage_of_the_portal_and_tied_to_company_and_invoice(
    box: Sandbox, client: HubspotClient, company_id: str, invoice_id: str
) -> None:
    record = deal(company_id, invoice_id)
    outcomes = [save(client, DEALS, Draft("0010/7", record, look_since=EVER))[0] for _ in range(2)]
    assert [outcome.action for outcome in outcomes if isinstance(outcome, Saved)] == ["created", "adopted"]
    ((remote_id, row),) = box.hubspot.live("deals").items()
    values = row["properties"]
    assert (values["pipeline"], values["dealstage"], values["amount"]) == ("default", "98765432", "156.25")
    assert values["closedate"] == "2026-11-01T00:00:00Z"
    assert box.hubspot.of("deals", "companies", remote_id) == [company_id]
    assert box.hubspot.of("deals", "invoices", remote_id) == [invoice_id]


def test_a_pipeline_that_is_not_there_stops_the_run_and_names_those_that_are(box: Sandbox) -> None:
    record = deal_from_proposal(proposal(), facts())
    with pytest.raises(Misconfigured, match=r"no deal pipeline 'Nope' \(it has: Sales pipeline \(default\)\)"):
        save(client_on(box, {"deal_pipeline": "Nope"}), DEALS, Draft("0010/7", record, look_since=EVER))


def test_a_deal_of_the_sales_team_is_tied_by_the_property_of_choice_and_keeps_what_it_says(
    box: Sandbox, company_id: str, invoice_id: str
) -> None:
    client_on(box).portal.prepare("deals")
    theirs = by_hand(box, dealname="Bolts for Malmö", amount="100", po_number="po-1")
    outcome = tied(box, deal(company_id, invoice_id))
    assert isinstance(outcome, Saved) and (outcome.remote_id, outcome.action) == (theirs, "adopted")
    values = box.hubspot.live("deals")[theirs]["properties"]
    assert (values["dealname"], values["amount"], values["dealstage"]) == ("Bolts for Malmö", "100", "contractsent")
    assert (values["ifs_external_key"], values["deal_currency_code"]) == ("DEAL/0010/7", "SEK")
    told = {each.field: (each.ours, each.theirs) for each in outcome.disagreements}
    assert told["amount"] == ("156.25", "100") and "dealstage" in told
    assert box.hubspot.of("deals", "invoices", theirs) == [invoice_id]
    assert box.hubspot.of("deals", "companies", theirs) == [company_id]
    assert len(box.hubspot.live("deals")) == 1


def test_several_deals_of_one_value_are_held_with_each_of_them(box: Sandbox, company_id: str, invoice_id: str) -> None:
    client_on(box).portal.prepare("deals")
    ids = [by_hand(box, dealname=name, po_number="PO-1") for name in ("One", "Two")]
    outcome = tied(box, deal(company_id, invoice_id))
    assert isinstance(outcome, Refused) and outcome.rule == "may_be_this_deal"
    assert all(each in outcome.reason for each in ids) and len(box.hubspot.live("deals")) == 2


def test_a_deal_that_nobody_has_is_made(box: Sandbox, company_id: str, invoice_id: str) -> None:
    client_on(box).portal.prepare("deals")
    by_hand(box, dealname="Other", po_number="PO-2")
    outcome = tied(box, deal(company_id, invoice_id))
    assert isinstance(outcome, Saved) and outcome.action == "created"


def test_a_deal_property_that_the_portal_does_not_have_stops_the_run_by_name(box: Sandbox) -> None:
    with pytest.raises(Misconfigured, match=r"po_nr of hubspot\.deal_key is not there"):
        record = deal_from_proposal(proposal(), facts())
        save(client_on(box, {"deal_key": "po_nr"}), DEALS, Draft("0010/7", record, look_since=EVER))


# --- under another name -----------------------------------------------------------------------------------------------

PROPOSES = HubspotSettings(propose_deals=True).options()


def theirs(box: Sandbox, company_id: str, **values: str) -> str:
    """A deal that the sales team made on a company, without a property that tells the order."""
    made = by_hand(box, **{"dealname": "Bolts for Malmö", "amount": "156.25", **values})
    Associations(HubspotApi(api_on(box.url)), "deals", "companies").make({"1": (made, company_id)})
    return made


def proposed(box: Sandbox, record: Deal, options: dict[str, str] = PROPOSES) -> Outcome:
    (outcome,) = save(client_on(box, options), DEALS, Draft("0010/7", record, look_since=EVER))
    return outcome


def test_a_deal_that_exists_under_another_name_is_held_with_its_link_and_tied_by_a_person_s_word(
    box: Sandbox, company_id: str, invoice_id: str
) -> None:
    client_on(box).portal.prepare("deals")
    there, record = theirs(box, company_id), deal(company_id, invoice_id)
    held = proposed(box, record)
    assert isinstance(held, Refused) and held.rule == "may_be_this_deal"
    assert there in held.reason and "156.25 SEK" in held.reason and len(box.hubspot.live("deals")) == 1

    box.hubspot.live("deals")[there]["properties"]["ifs_external_key"] = record.key
    tied_now = proposed(box, record)
    assert isinstance(tied_now, Saved) and (tied_now.remote_id, tied_now.action) == (there, "adopted")
    assert box.hubspot.live("deals")[there]["properties"]["dealname"] == "Bolts for Malmö"
    assert box.hubspot.of("deals", "companies", there) == [company_id]
    assert box.hubspot.of("deals", "invoices", there) == [invoice_id]


@pytest.mark.parametrize(
    "values, options",
    [
        ({"amount": "156.26"}, PROPOSES),
        ({"deal_currency_code": "EUR"}, PROPOSES),
        ({}, HubspotSettings(propose_deals=True, other_deals=("DEAL/0010/7",)).options()),
        ({}, HubspotSettings().options()),
    ],
)
def test_a_deal_of_another_amount_or_currency_or_of_which_a_person_said_so_stays_apart(
    values: dict[str, str], options: dict[str, str], box: Sandbox, company_id: str, invoice_id: str
) -> None:
    client_on(box).portal.prepare("deals")
    theirs(box, company_id, **values)
    outcome = proposed(box, deal(company_id, invoice_id), options)
    assert isinstance(outcome, Saved) and outcome.action == "created" and len(box.hubspot.live("deals")) == 2


def test_a_deal_of_the_same_amount_on_another_company_is_no_candidate(
    box: Sandbox, client: HubspotClient, company_id: str, invoice_id: str
) -> None:
    client.portal.prepare("deals")
    theirs(box, delivered_company(client, "S200"))
    assert isinstance(proposed(box, deal(company_id, invoice_id)), Saved)
