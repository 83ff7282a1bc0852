"""An invoice's total and status over HTTP: what HubSpot computes, refuses or takes back, and what people did there."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Saved
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.hubspot.records import INVOICES, Invoice
from mlc_dagster_tests.systems.hubspot.samples import EVER, client_on, delivered_company, invoice, line, save

UPDATE = ("POST", "/hubspot/crm/objects/2026-09/invoices/batch/update")


@pytest.fixture
def company_id(box: Sandbox) -> str:
    return delivered_company(client_on(box))


def send(box: Sandbox, record: Invoice, remote_id: str | None = None, options: dict[str, str] | None = None) -> Outcome:
    draft = Draft("0010/7", record, remote_id, None if remote_id else EVER, was_delivered=remote_id is not None)
    (outcome,) = save(client_on(box, options), INVOICES, draft)
    return outcome


def sent(*args: Any, **more: Any) -> Saved:
    outcome = send(*args, **more)
    assert isinstance(outcome, Saved), outcome
    return outcome


def there(box: Sandbox, remote_id: str) -> dict[str, Any]:
    values: dict[str, Any] = box.hubspot.live("invoices")[remote_id]["properties"]
    return values


def told(outcome: Saved) -> list[tuple[str, str | None, str | None]]:
    return [(each.kind, each.ours, each.theirs) for each in outcome.disagreements]


# --- status ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_people", ["paid", "voided"])
def test_what_a_person_paid_or_voided_is_never_reset_and_is_told(box: Sandbox, company_id: str, by_people: str) -> None:
    remote_id = sent(box, invoice(company_id)).remote_id
    there(box, remote_id)["hs_invoice_status"] = by_people
    outcome = sent(box, invoice(company_id, line(1, "130.00")), remote_id)
    assert there(box, remote_id)["hs_invoice_status"] == by_people
    assert told(outcome) == [("other_status_in_the_target", "open", by_people)]
    (difference,) = outcome.disagreements
    assert (difference.amount, difference.currency) == ("161.25", "SEK")


def test_what_a_person_paid_is_not_voided_when_the_erp_cancels_it(box: Sandbox, company_id: str) -> None:
    remote_id = sent(box, invoice(company_id)).remote_id
    there(box, remote_id)["hs_invoice_status"] = "paid"
    outcome = sent(box, invoice(company_id, obj_state="Cancelled"), remote_id)
    assert there(box, remote_id)["hs_invoice_status"] == "paid"
    assert told(outcome) == [("other_status_in_the_target", "voided", "paid")]


def test_what_we_voided_stays_voided_when_the_erp_takes_it_up_again(box: Sandbox, company_id: str) -> None:
    remote_id = sent(box, invoice(company_id)).remote_id
    sent(box, invoice(company_id, obj_state="Cancelled"), remote_id)
    assert there(box, remote_id)["ifs_status_sent"] == "voided"
    outcome = sent(box, invoice(company_id), remote_id)
    assert there(box, remote_id)["hs_invoice_status"] == "voided"
    assert told(outcome) == [("other_status_in_the_target", "open", "voided")]


def test_an_invoice_of_an_earlier_release_is_still_voided(box: Sandbox, company_id: str) -> None:
    """It noted no status that it sent, and sent what mlc.yaml says."""
    remote_id = sent(box, invoice(company_id)).remote_id
    there(box, remote_id)["ifs_status_sent"] = None
    sent(box, invoice(company_id, obj_state="Cancelled"), remote_id)
    assert there(box, remote_id)["hs_invoice_status"] == "voided"


def test_a_status_that_is_hubspots_own_matter_is_given_once(box: Sandbox, company_id: str) -> None:
    options = {"status_owner": "hubspot"}
    remote_id = sent(box, invoice(company_id), options=options).remote_id
    assert there(box, remote_id)["hs_invoice_status"] == "open"
    outcome = sent(box, invoice(company_id, obj_state="Cancelled"), remote_id, options)
    assert there(box, remote_id)["hs_invoice_status"] == "open" and not outcome.disagreements


# --- total ----------------------------------------------------------------------------------------------------------


def test_total_and_status_have_calls_of_their_own_in_this_order(box: Sandbox, company_id: str) -> None:
    box.forget_calls()
    sent(box, invoice(company_id))
    rows = [
        each["body"]["inputs"][0]["properties"]
        for each in box.journal("hubspot")
        if "invoices/batch/update" in each["path"]
    ]
    assert [sorted(row) for row in rows] == [["hs_amount_billed", "hs_tax"], ["hs_invoice_status", "ifs_status_sent"]]
    assert not any("hs_balance_due" in row for row in rows)


@pytest.mark.parametrize("tells", [True, False])
def test_a_total_that_is_read_only_is_left_to_hubspot(box: Sandbox, company_id: str, tells: bool) -> None:
    box.hubspot.becomes(amount_billed="read_only", tells_read_only=tells)
    remote_id = sent(box, invoice(company_id, line(1), line(2, "75.50"))).remote_id
    found = there(box, remote_id)
    assert (found["hs_amount_billed"], found["hs_tax"]) == ("231.75", "31.25")
    assert found["hs_invoice_status"] == "open"


def test_where_hubspot_adds_up_the_first_line_alone_the_written_total_is_right(box: Sandbox, company_id: str) -> None:
    box.hubspot.becomes(amount_billed="writable", total_of="first_line")
    remote_id = sent(box, invoice(company_id, line(1), line(2, "75.50"))).remote_id
    assert there(box, remote_id)["hs_amount_billed"] == "231.75"


def test_a_total_that_stays_wrong_holds_the_invoice_as_a_draft_with_both_figures(box: Sandbox, company_id: str) -> None:
    box.hubspot.becomes(amount_billed="read_only", total_of="first_line")
    outcome = send(box, invoice(company_id, line(1), line(2, "75.50")))
    assert isinstance(outcome, Refused)
    assert "total is 125.00, and the gross amount of IFS is 231.75. It stays a draft" in outcome.reason
    (row,) = box.hubspot.live("invoices").values()
    assert row["properties"]["hs_invoice_status"] == "draft"


def test_a_wrong_total_is_told_and_the_invoice_opened_where_mlc_yaml_says_so(box: Sandbox, company_id: str) -> None:
    box.hubspot.becomes(amount_billed="read_only", total_of="first_line")
    outcome = sent(box, invoice(company_id, line(1), line(2, "75.50")), options={"total_check": "warn"})
    assert told(outcome) == [("other_total_in_the_target", "231.75", "125.00")]
    assert there(box, outcome.remote_id)["hs_invoice_status"] == "open"


def test_a_total_that_lags_is_waited_for(box: Sandbox, company_id: str) -> None:
    box.hubspot.becomes(total_lags=1)
    assert there(box, sent(box, invoice(company_id)).remote_id)["hs_invoice_status"] == "open"


def test_a_line_that_people_added_is_told_though_the_written_total_hides_it(box: Sandbox, company_id: str) -> None:
    box.hubspot.becomes(amount_billed="writable")
    remote_id = sent(box, invoice(company_id)).remote_id
    extra = box.hubspot.objects.write("line_items", {"name": "By hand", "price": "5"}, None)["id"]
    box.hubspot.objects.associate("invoices", remote_id, "line_items", extra)
    outcome = sent(box, invoice(company_id, line(1, "130.00")), remote_id)
    assert told(outcome) == [("added_in_the_target", None, extra)] and extra in box.hubspot.live("line_items")


# --- number, due date -----------------------------------------------------------------------------------------------


def test_a_number_that_another_suppliers_invoice_has_gets_the_supplier_behind_it(box: Sandbox, company_id: str) -> None:
    box.hubspot.becomes(numbers_are_unique=True)
    box.hubspot.objects.write("invoices", {"hs_currency": "SEK", "hs_number": "F-2026-17"}, None)
    outcome = sent(box, invoice(company_id))
    assert there(box, outcome.remote_id)["hs_number"] == "F-2026-17 (S100)"
    assert told(outcome) == [("other_number_in_the_target", "F-2026-17", "F-2026-17 (S100)")]


def test_the_supplier_stands_behind_each_number_where_mlc_yaml_says_so(box: Sandbox, company_id: str) -> None:
    outcome = sent(box, invoice(company_id), options={"number": "with_supplier"})
    assert there(box, outcome.remote_id)["hs_number"] == "F-2026-17 (S100)" and not outcome.disagreements


def test_a_due_date_that_has_passed_is_taken_since_ours_are_not_billable(box: Sandbox, company_id: str) -> None:
    outcome = sent(box, invoice(company_id, due_date=date(2020, 1, 31)))
    assert there(box, outcome.remote_id)["hs_due_date"] == "2020-01-31T00:00:00Z"


def test_a_due_date_that_hubspot_refuses_stands_in_a_property_of_ours_and_the_invoice_is_held(
    box: Sandbox, company_id: str
) -> None:
    box.hubspot.becomes(past_due_refused="always")
    outcome = send(box, invoice(company_id, due_date=date(2020, 1, 31)))
    assert isinstance(outcome, Refused) and "2020-01-31: The due date must be in the future" in outcome.reason
    (row,) = box.hubspot.live("invoices").values()
    values = row["properties"]
    assert (values["ifs_due_date"], values["hs_invoice_status"]) == ("2020-01-31", "draft")
    assert values["hs_amount_billed"] == "156.25", "all but the date is there"


# --- merged and deleted ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["new", "old"])
@pytest.mark.parametrize("keeps_key", [True, False])
def test_an_invoice_keeps_its_association_when_its_company_is_merged(
    box: Sandbox, company_id: str, name: Any, keeps_key: bool
) -> None:
    remote_id = sent(box, invoice(company_id)).remote_id
    people = box.hubspot.objects.write("companies", {"name": "Of people"}, None)["id"]
    survivor = box.hubspot.merge("companies", people, company_id)
    if not keeps_key:
        box.hubspot.live("companies")[survivor]["properties"]["ifs_external_key"] = None
    box.hubspot.becomes(associations_name=name)
    box.forget_calls()
    sent(box, invoice(company_id, line(1, "130.00")), remote_id)
    assert box.hubspot.of("invoices", "companies", remote_id) == [survivor]
    changed = [
        each["path"] for each in box.journal("hubspot") if "associations/2026-09/invoices/companies" in each["path"]
    ]
    assert not changed, "what is there already is neither made nor removed"
    sent(box, invoice(company_id, proposal_id=8))
    assert len(box.hubspot.of("companies", "invoices", survivor)) == 2


def test_an_invoice_of_a_deleted_company_is_held_by_name_and_nothing_of_it_is_written(
    box: Sandbox, company_id: str
) -> None:
    box.hubspot.objects.archive("companies", [company_id])
    outcome = send(box, invoice(company_id))
    assert isinstance(outcome, Refused) and outcome.rule == "company_is_in_the_target"
    assert f"company {company_id} of SUPPLIER/S100 lies in the recycle bin" in outcome.reason
    assert not box.hubspot.live("invoices")


def test_an_invoice_finds_the_company_that_was_made_anew_under_its_key(box: Sandbox, company_id: str) -> None:
    box.hubspot.objects.archive("companies", [company_id])
    again = delivered_company(client_on(box))
    outcome = sent(box, invoice(company_id))
    assert box.hubspot.of("invoices", "companies", outcome.remote_id) == [again]


def test_a_deleted_invoice_is_made_anew_whole_and_told_or_held(box: Sandbox, company_id: str) -> None:
    remote_id = sent(box, invoice(company_id)).remote_id
    box.hubspot.objects.archive("invoices", [remote_id])
    held = send(box, invoice(company_id), remote_id)
    assert isinstance(held, Refused) and held.rule == "deleted_in_the_target"
    outcome = sent(box, invoice(company_id), remote_id, {"on_deleted": "recreate"})
    assert told(outcome) == [("deleted_in_the_target", remote_id, f"archived as {remote_id}")]
    assert there(box, outcome.remote_id)["hs_amount_billed"] == "156.25"


def test_defaults_of_invoices_and_line_items_are_given_once(box: Sandbox, company_id: str) -> None:
    box.hubspot.objects.required.update(invoices=["hs_title"], line_items=["hs_sku"])
    options = {"default.invoices.hs_title": "From IFS", "default.line_items.hs_sku": "NONE"}
    outcome = sent(box, invoice(company_id), options=options)
    assert there(box, outcome.remote_id)["hs_title"] == "From IFS"
    assert {row["properties"]["hs_sku"] for row in box.hubspot.live("line_items").values()} == {"NONE"}


def test_an_association_over_a_limit_is_held_with_hubspots_reason_and_no_neighbour(
    box: Sandbox, company_id: str
) -> None:
    box.hubspot.becomes(association_limit=1)
    drafts = [Draft(f"0010/{n}", invoice(company_id, proposal_id=n), look_since=EVER) for n in (7, 8)]
    outcomes = save(client_on(box), INVOICES, *drafts)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Refused", "Saved"]
    (held,) = (outcome for outcome in outcomes if isinstance(outcome, Refused))
    assert held.reason == f"companies {company_id} has reached its limit of 1 invoices"
