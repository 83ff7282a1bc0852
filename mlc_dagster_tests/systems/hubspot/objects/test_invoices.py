"""Invoices and deals over real HTTP against the sandbox: lines, totals and associations follow the ERP."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.errors import TransientError
from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Saved
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.hubspot.client import HubspotClient
from mlc_dagster.systems.hubspot.records import INVOICES, Invoice
from mlc_dagster_tests.systems.hubspot.samples import (
    EVER,
    client_on,
    delivered_company,
    invoice,
    line,
    save,
)


def send(client: HubspotClient, record: Invoice, remote_id: str | None = None) -> Outcome:
    look = None if remote_id else EVER
    (outcome,) = save(client, INVOICES, Draft("0010/7", record, remote_id, look))
    return outcome


def sent(client: HubspotClient, record: Invoice, remote_id: str | None = None) -> Saved:
    outcome = send(client, record, remote_id)
    assert isinstance(outcome, Saved), outcome
    return outcome


def there(box: Sandbox, remote_id: str) -> dict[str, Any]:
    values: dict[str, Any] = box.hubspot.live("invoices")[remote_id]["properties"]
    return values


def lines_of(box: Sandbox, remote_id: str) -> dict[str, tuple[str, str]]:
    """Key -> name and price, of the lines on an invoice; and there are no others."""
    rows, ids = box.hubspot.live("line_items"), box.hubspot.of("invoices", "line_items", remote_id)
    assert set(rows) == set(ids), "every line item is on the invoice"
    values = [rows[each]["properties"] for each in ids]
    assert len({row["ifs_external_key"] for row in values}) == len(values), "nothing doubled"
    return {row["ifs_external_key"]: (row["name"], row["price"]) for row in values}


@pytest.fixture
def client(box: Sandbox) -> HubspotClient:
    return client_on(box)


@pytest.fixture
def company_id(client: HubspotClient) -> str:
    return delivered_company(client)


def test_an_invoice_arrives_with_lines_total_status_dates_and_company(
    box: Sandbox, client: HubspotClient, company_id: str
) -> None:
    saved = sent(client, invoice(company_id, line(1), line(2, "75.50")))
    found = there(box, saved.remote_id)
    wanted = {
        "hs_invoice_billable": "false",
        "hs_invoice_status": "open",
        "hs_amount_billed": "231.75",
        "hs_number": "F-2026-17",
        "hs_currency": "SEK",
        "hs_invoice_date": "2026-11-01T00:00:00Z",
        "hs_due_date": "2026-12-01T00:00:00Z",
        "ifs_gross_amount": "231.75",
        "ifs_external_key": "INVOICE/0010/7",
    }
    assert {name: found[name] for name in wanted} == wanted
    assert box.hubspot.of("invoices", "companies", saved.remote_id) == [company_id]
    assert lines_of(box, saved.remote_id) == {
        "LINE/0010/7/1": ("Bolts 1", "125.00"),
        "LINE/0010/7/2": ("Bolts 2", "75.50"),
        "LINE/0010/7/VAT": ("VAT", "31.25"),
    }


def test_an_invoice_changed_three_times_is_followed_and_nothing_is_doubled(
    box: Sandbox, client: HubspotClient, company_id: str
) -> None:
    first = sent(client, invoice(company_id, line(1), line(2, "75.50")))
    steps = {
        "one more": (line(1), line(2, "75.50"), line(3, "10.01")),
        "one changed": (line(1), line(2, "80.00", text="Nuts"), line(3, "10.01")),
        "one removed": (line(2, "80.00", text="Nuts"), line(3, "10.01")),
    }
    for rows in steps.values():
        again = sent(client, invoice(company_id, *rows), first.remote_id)
        assert (again.remote_id, again.action) == (first.remote_id, "updated")
        gross = sum((row.currency_amount or Decimal(0) for row in rows), Decimal("31.25"))
        assert Decimal(there(box, first.remote_id)["hs_amount_billed"]) == gross
        prices = {key: price for key, (_, price) in lines_of(box, first.remote_id).items()}
        assert prices == {
            **{f"LINE/0010/7/{row.row_id}": str(row.currency_amount) for row in rows},
            "LINE/0010/7/VAT": "31.25",
        }
        assert box.hubspot.of("invoices", "companies", first.remote_id) == [company_id]
    assert len(box.hubspot.live("invoices")) == 1


def test_another_supplier_moves_the_invoice_and_leaves_what_people_associated(
    box: Sandbox, client: HubspotClient, company_id: str
) -> None:
    first = sent(client, invoice(company_id))
    other = delivered_company(client, "S200")
    by_hand = box.hubspot.objects.write("companies", {"name": "By hand"}, None)["id"]
    box.hubspot.objects.associate("invoices", first.remote_id, "companies", by_hand)
    sent(client, invoice(other, supplier_id="S200"), first.remote_id)
    assert set(box.hubspot.of("invoices", "companies", first.remote_id)) == {other, by_hand}


def test_a_line_that_somebody_added_in_hubspot_is_left_and_the_invoice_is_held_for_its_total(
    box: Sandbox, client: HubspotClient, company_id: str
) -> None:
    first = sent(client, invoice(company_id))
    extra = box.hubspot.objects.write("line_items", {"name": "By hand", "price": "5"}, None)["id"]
    box.hubspot.objects.associate("invoices", first.remote_id, "line_items", extra)
    outcome = send(client, invoice(company_id, line(1, "130.00")), first.remote_id)
    assert isinstance(outcome, Refused)
    assert "HubSpot's total is 166.25, and the gross amount of IFS is 161.25" in outcome.reason
    assert extra in box.hubspot.live("line_items")


@pytest.mark.parametrize("path", ["invoices/batch/upsert", "line_items/batch/upsert", "associate", "batch/update"])
@pytest.mark.parametrize("drop", ["after", "before"])
def test_an_answer_lost_at_any_step_never_doubles(
    box: Sandbox, client: HubspotClient, company_id: str, path: str, drop: str
) -> None:
    box.faults.add(system="hubspot", path=path, times=1, drop=drop)
    saved = sent(client, invoice(company_id, line(1), line(2, "75.50")))
    assert there(box, saved.remote_id)["hs_amount_billed"] == "231.75"
    assert len(lines_of(box, saved.remote_id)) == 3 and len(box.hubspot.live("invoices")) == 1


@pytest.mark.parametrize("path", ["line_items/batch/upsert", "associate", "batch/update", "invoices/batch/read"])
def test_a_load_that_broke_off_at_any_step_is_completed_by_the_next(box: Sandbox, company_id: str, path: str) -> None:
    record = invoice(company_id, line(1), line(2, "75.50"))
    box.faults.add(system="hubspot", path=path, times=None, drop="after")
    with pytest.raises(TransientError):
        send(client_on(box, max_attempts=2), record)
    box.faults.clear()
    saved = sent(client_on(box), record)
    looked = path == "invoices/batch/read"  # for a voided one, before anything is written
    assert saved.action == ("created" if looked else "adopted")
    assert there(box, saved.remote_id)["hs_amount_billed"] == "231.75"
    assert len(lines_of(box, saved.remote_id)) == 3 and len(box.hubspot.live("invoices")) == 1
    assert box.hubspot.of("invoices", "companies", saved.remote_id) == [company_id]


def test_one_refused_line_holds_its_invoice_and_no_other(box: Sandbox, client: HubspotClient, company_id: str) -> None:
    bad = invoice(company_id, line(1), line(2, "-1.00"), proposal_id=8)
    drafts = [Draft("0010/7", invoice(company_id), look_since=EVER), Draft("0010/8", bad, look_since=EVER)]
    good, held = save(client, INVOICES, *drafts)
    assert isinstance(good, Saved) and isinstance(held, Refused)
    assert held.reason == "line 2: price cannot be negative"
    statuses = {row["properties"]["hs_invoice_status"] for row in box.hubspot.live("invoices").values()}
    assert statuses == {"open", "draft"}, "what is not whole stays a draft"


def test_a_cancelled_invoice_is_voided(box: Sandbox, client: HubspotClient, company_id: str) -> None:
    first = sent(client, invoice(company_id))
    sent(client, invoice(company_id, obj_state="Cancelled"), first.remote_id)
    assert there(box, first.remote_id)["hs_invoice_status"] == "voided"


def test_hundreds_of_invoices_take_few_calls(box: Sandbox, company_id: str) -> None:
    client = client_on(box, timeout=60.0)  # a call that a busy machine keeps waiting is no call more
    records = [invoice(company_id, line(1), line(2), proposal_id=n) for n in range(200)]
    box.forget_calls()
    outcomes = save(client, INVOICES, *(Draft(record.key, record, look_since=EVER) for record in records))
    assert all(isinstance(outcome, Saved) for outcome in outcomes)
    assert [outcome.draft.key for outcome in outcomes] == [record.key for record in records]
    assert sum(box.calls("hubspot").values()) <= 2 * 14 + 10  # ten to prepare the properties, 14 for each hundred
