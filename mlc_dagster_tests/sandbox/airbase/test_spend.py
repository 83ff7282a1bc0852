"""Purchase requests and ledger entries of the sandboxed Airbase: its queue, its acknowledgements, its silences."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.airbase.events import event_for

TOKEN = {"Authorization": "Token sandbox-airbase-token"}


@pytest.fixture
def airbase(box: Sandbox) -> Iterator[httpx.Client]:
    box.airbase.add_subsidiary("0010", "Plant 1", "SEK")
    box.airbase.add_account("4010", "Material")
    with httpx.Client(base_url=f"{box.url}/airbase/v1/accounting", headers=TOKEN) as client:
        yield client


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200
    return [row["airbase_id"] for row in answer.json()["data"]]


# --- what is read ---------------------------------------------------------------------------------------------------


def test_without_a_status_only_entries_that_wait_are_listed(airbase: httpx.Client, box: Sandbox) -> None:
    waiting, done = box.airbase.add_entry(), box.airbase.add_entry(status="sync_complete")
    assert ids(airbase.get("/ledger_entries/")) == [waiting]
    assert ids(airbase.get("/ledger_entries/", params={"status": "sync_complete"})) == [done]


def test_requests_come_by_status_and_without_one_all_of_them(airbase: httpx.Client, box: Sandbox) -> None:
    approved, pending = box.airbase.add_request(), box.airbase.add_request(status="pending")
    assert ids(airbase.get("/purchase_requests/", params={"status": "approved"})) == [approved]
    assert ids(airbase.get("/purchase_requests/")) == [approved, pending]


@pytest.mark.parametrize("kind", ["ledger_entries", "purchase_requests"])
def test_a_status_that_there_is_not_is_refused(airbase: httpx.Client, kind: str) -> None:
    answer = airbase.get(f"/{kind}/", params={"status": "aproved"})
    assert answer.status_code == 400 and "aproved" in answer.json()["status"][0]


def test_a_tenant_that_heeds_no_filter_answers_with_everything(airbase: httpx.Client, box: Sandbox) -> None:
    box.airbase.heeds_filters = False
    everything = [box.airbase.add_request(status=status) for status in ("approved", "rejected")]
    entries = [box.airbase.add_entry(status=status) for status in ("sync_ready", "sync_complete")]
    assert ids(airbase.get("/purchase_requests/", params={"status": "approved"})) == everything
    assert ids(airbase.get("/ledger_entries/", params={"status": "aproved"})) == entries


def test_entries_come_page_by_page(airbase: httpx.Client, box: Sandbox) -> None:
    made = [box.airbase.add_entry() for _ in range(3)]
    pages = [airbase.get("/ledger_entries/", params={"page": page, "page_size": 2}) for page in (1, 2, 3)]
    assert [ids(page) for page in pages] == [made[:2], made[2:], []]
    assert [page.json()["pagination"]["next"] for page in pages] == [2, None, None]


def test_an_entry_has_the_fields_that_were_seen(airbase: httpx.Client, box: Sandbox) -> None:
    entry = airbase.get(f"/ledger_entries/{box.airbase.add_entry(type='bill', total_amount='12.50')}/").json()
    assert set(entry) == set(SEEN)
    assert (entry["total_amount"], entry["entry_date"]) == ("12.50", "2026-11-05T00:00:00")
    assert set(entry["expense_list"][0]) == SEEN_LINE
    assert (entry["bank_account"], entry["applied_to"], entry["payment_entry_date"]) == (None, None, None)
    assert entry["amounts"]["subsidiary_amount"]["amount"] == "12.50"


SEEN = """
    id airbase_id erp_reference_id erp_url url airbase_url type status error_message spend_owner subsidiary
    credit_mode vendor employee invoice_number bank_account ap_account applied_to receipt_link entry_date
    payment_entry_date currency total_amount transaction_tags notes is_amortized amortization_account
    amortization_start_date amortization_end_date expense_list amounts
""".split()  # noqa: SIM905 - thirty names in quotes are harder to read
SEEN_LINE = {"line_number", "receipt_link", "account", "amount", "tags", "description"} | {
    "amortization_start_date",
    "amortization_end_date",
}


def test_a_payment_names_what_it_pays_and_from_which_bank(airbase: httpx.Client, box: Sandbox) -> None:
    entry = airbase.get(f"/ledger_entries/{box.airbase.add_entry(bank_account='1940')}/").json()
    assert entry["type"] == "bill_payment" and entry["payment_entry_date"] == entry["entry_date"]
    assert [paid["transaction_type"] for paid in entry["applied_to"]] == ["bill"]
    assert (entry["bank_account"]["erp_reference_id"], entry["ap_account"]["erp_reference_id"]) == ("1940", "2440")


def test_a_foreign_entry_has_its_amount_in_the_subsidiarys_currency(airbase: httpx.Client, box: Sandbox) -> None:
    known = box.airbase.add_entry(currency="EUR", total_amount="100.00", subsidiary_amount="1142.35")
    amounts = airbase.get(f"/ledger_entries/{known}/").json()["amounts"]
    assert amounts["amount"] == {"amount": "100.00", "currency": {"iso_code": "EUR", "erp_reference_id": "EUR"}}
    assert amounts["subsidiary_amount"]["currency"]["iso_code"] == "SEK"
    assert amounts["subsidiary_amount"]["amount"] == "1142.35"
    with pytest.raises(ValueError, match="EUR needs subsidiary_amount, its amount in SEK"):
        box.airbase.add_entry(currency="EUR")


def test_a_request_has_lines_with_departments_and_their_total(airbase: httpx.Client, box: Sandbox) -> None:
    lines = [{"amount": "10.50", "department": "CC100"}, {"amount": "2.00", "department": None, "account": "4010"}]
    request = airbase.get(f"/purchase_requests/{box.airbase.add_request(line_items=lines)}/").json()
    first, second = request["line_items"]
    assert request["total_amount"] == "12.50"
    assert first["account"] is None and second["account"] == {"erp_reference_id": "4010"}
    assert [(tag["type_label"], tag["erp_reference_id"]) for tag in first["tags"]] == [("Department", "CC100")]
    assert second["tags"] == [] and [first["line_number"], second["line_number"]] == [1, 2]


def test_a_vendor_within_has_the_key_that_it_has_now(airbase: httpx.Client, box: Sandbox) -> None:
    vendor = box.airbase.add_vendor(name="New Ones AB")
    request, entry = box.airbase.add_request(vendor=vendor), box.airbase.add_entry(vendor=vendor)
    airbase.patch(f"/vendors/{vendor}/", json={"erp_reference_id": "10001"})
    for path in (f"/purchase_requests/{request}/", f"/ledger_entries/{entry}/"):
        assert airbase.get(path).json()["vendor"]["erp_reference_id"] == "10001"


# --- what is written ------------------------------------------------------------------------------------------------


def test_an_acknowledged_entry_leaves_the_queue(airbase: httpx.Client, box: Sandbox) -> None:
    known = box.airbase.add_entry()
    body = {"status": "sync_complete", "erp_reference_id": "0010/U/1", "erp_url": None}
    answer = airbase.patch(f"/ledger_entries/{known}/", json=body)
    assert answer.status_code == 200 and answer.json()["erp_reference_id"] == "0010/U/1"
    assert ids(airbase.get("/ledger_entries/")) == []
    assert [(each["method"], each["id"], each["body"]) for each in box.journal("airbase")] == [("PATCH", known, body)]


def test_a_failed_entry_keeps_the_reason(airbase: httpx.Client, box: Sandbox) -> None:
    known = box.airbase.add_entry()
    airbase.patch(f"/ledger_entries/{known}/", json={"status": "sync_failed", "error_message": "period closed"})
    entry = box.airbase.ledger_entries[known]
    assert (entry["status"], entry["error_message"]) == ("sync_failed", "period closed")


def test_a_request_takes_its_status_and_its_voucher(airbase: httpx.Client, box: Sandbox) -> None:
    known = box.airbase.add_request()
    airbase.patch(f"/purchase_requests/{known}/", json={"status": "sync_complete", "erp_reference_id": "V1"})
    request = box.airbase.purchase_requests[known]
    assert (request["status"], request["erp_reference_id"]) == ("sync_complete", "V1")


@pytest.mark.parametrize(
    "kind, body, said",
    [
        ("ledger_entries", {"total_amount": "1.00"}, "total_amount"),
        ("ledger_entries", {"status": "posted"}, "status"),
        ("ledger_entries", {"status": None}, "status"),
        ("ledger_entries", {"error_message": 7}, "error_message"),
        ("ledger_entries", {"error_message": "x" * 2001}, "error_message"),
        ("ledger_entries", {"erp_reference_id": 17}, "erp_reference_id"),
        ("purchase_requests", {"erp_url": "https://erp.example.test"}, "erp_url"),
        ("purchase_requests", {"status": "sync_ready"}, "status"),
        ("purchase_requests", {"erp_reference_id": "x" * 256}, "erp_reference_id"),
    ],
)
def test_what_is_no_acknowledgement_is_refused_and_changes_nothing(
    airbase: httpx.Client, box: Sandbox, kind: str, body: dict[str, Any], said: str
) -> None:
    known = box.airbase.add_entry() if kind == "ledger_entries" else box.airbase.add_request()
    before = airbase.get(f"/{kind}/{known}/").json()
    answer = airbase.patch(f"/{kind}/{known}/", json={"erp_reference_id": "V1", **body})
    assert answer.status_code == 400 and list(answer.json()) == [said]
    assert airbase.get(f"/{kind}/{known}/").json() == before and box.journal("airbase") == []


@pytest.mark.parametrize("kind", ["ledger_entries", "purchase_requests"])
def test_spend_is_entered_by_people_alone(airbase: httpx.Client, box: Sandbox, kind: str) -> None:
    assert [
        airbase.post(f"/{kind}/", json={}).status_code,
        airbase.post(f"/{kind}/bulk_upsert/", json={"entities": [{}]}).status_code,
        airbase.patch(f"/{kind}/", json={}).status_code,
        airbase.delete(f"/{kind}/x/").status_code,
    ] == [405] * 4
    assert [airbase.request(method, f"/{kind}/x/", json={}).status_code for method in ("GET", "PATCH")] == [404, 404]


# --- people ---------------------------------------------------------------------------------------------------------


def test_people_change_a_request_and_its_only_line_follows(box: Sandbox) -> None:
    known = box.airbase.add_request(total_amount="10.00", department="CC200")
    box.airbase.change("purchase_requests", known, total_amount="12.00", status="rejected")
    request = box.airbase.purchase_requests[known]
    assert (request["total_amount"], request["status"]) == ("12.00", "rejected")
    assert request["line_items"][0]["amount"] == "12.00"
    assert request["line_items"][0]["tags"][0]["erp_reference_id"] == "CC200"


def test_people_change_an_entry_with_its_amounts(airbase: httpx.Client, box: Sandbox) -> None:
    known = box.airbase.add_entry(total_amount="10.00")
    box.airbase.change("ledger_entries", known, notes="paid late")
    assert box.airbase.ledger_entries[known]["amounts"]["amount"]["amount"] == "10.00"
    box.airbase.change("ledger_entries", known, currency="EUR", subsidiary_amount="114.00")
    amounts = box.airbase.ledger_entries[known]["amounts"]
    assert (amounts["amount"]["currency"]["iso_code"], amounts["subsidiary_amount"]["amount"]) == ("EUR", "114.00")


def test_a_total_that_is_given_stands_though_the_lines_do_not_make_it(box: Sandbox) -> None:
    known = box.airbase.add_request(total_amount="11.00", line_items=[{"amount": "5.00"}, {"amount": "5.00"}])
    request = box.airbase.purchase_requests[known]
    assert request["total_amount"] == "11.00" and [line["amount"] for line in request["line_items"]] == ["5.00"] * 2


@pytest.mark.parametrize(
    "fields", [{"totl_amount": "1"}, {"line_items": [{"amont": "1"}]}, {"subsidiary_amount": "1"}, {"vendor": "nobody"}]
)
def test_a_slip_in_what_is_entered_is_an_error(box: Sandbox, fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"has no|no vendor"):
        box.airbase.add_request(**fields)
    assert box.airbase.purchase_requests == {}


def test_two_of_one_id_are_an_error(box: Sandbox) -> None:
    known = box.airbase.add_entry(notes="first")
    with pytest.raises(ValueError, match="already"):
        box.airbase.add_entry(airbase_id=known)
    assert box.airbase.ledger_entries[known]["notes"] == "first"


# --- payment terms of vendors ---------------------------------------------------------------------------------------


def test_payment_terms_are_dropped_without_a_word_where_there_are_none(airbase: httpx.Client, box: Sandbox) -> None:
    made = airbase.post("/vendors/", json={"name": "A", "erp_reference_id": "1", "payment_terms": "Net 30"})
    assert made.status_code == 201 and "payment_terms" not in made.json()
    box.airbase.has_payment_terms = True
    assert airbase.get("/vendors/").json()["data"][0]["payment_terms"] is None


def test_payment_terms_are_kept_where_there_are_some(airbase: httpx.Client, box: Sandbox) -> None:
    box.airbase.has_payment_terms = True
    known = box.airbase.add_vendor(name="A", erp_reference_id="1", payment_terms="Net 30")
    assert airbase.get("/vendors/").json()["data"][0]["payment_terms"] == "Net 30"
    entities = [{"erp_reference_id": "1", "payment_terms": "Net 45"}]
    row = airbase.post("/vendors/bulk_upsert/", json={"entities": entities}).json()["updated"][0]
    assert (row["payment_terms"], row["name"]) == ("Net 45", "A")
    assert airbase.patch(f"/vendors/{known}/", json={"payment_terms": None}).json()["payment_terms"] is None


def test_people_change_a_vendor_but_not_its_key(box: Sandbox) -> None:
    box.airbase.has_payment_terms = True
    known = box.airbase.add_vendor(name="A", erp_reference_id="1")
    box.airbase.change_vendor(known, name="B", email="b@example.test", is_active=False, payment_terms="Net 60")
    vendor = box.airbase.vendors[known]
    assert (vendor["name"], vendor["is_active"], vendor["payment_terms"]) == ("B", False, "Net 60")
    with pytest.raises(ValueError, match="erp_reference_id"):
        box.airbase.change_vendor(known, erp_reference_id="2")
    with pytest.raises(KeyError):
        box.airbase.change_vendor("nobody", name="C")


# --- beside the API -------------------------------------------------------------------------------------------------


def test_another_process_enters_requests_and_entries(airbase: httpx.Client, box: Sandbox) -> None:
    control = httpx.Client(base_url=f"{box.url}/_sandbox/airbase")
    request = control.post("/requests", json={"purchase_type": "Travel", "total_amount": "10.50"}).json()["id"]
    entry = control.post("/entries", json={"type": "card_transaction"}).json()["id"]
    assert box.airbase.purchase_requests[request]["total_amount"] == "10.50"
    assert box.airbase.ledger_entries[entry]["type"] == "card_transaction"
    refused = [
        control.post("/requests", json=body) for body in ({"tpye": "x"}, ["x"], {"line_items": [{"amount": ""}]})
    ]
    assert [answer.status_code for answer in refused] == [400] * 3 and "tpye" in refused[0].json()["error"]


def test_spend_outlives_a_restart(box: Sandbox) -> None:
    box.airbase.add_request()
    box.airbase.add_entry(status="sync_complete")
    other = Sandbox(seed="empty")
    other.airbase.recall(box.airbase.remembered())
    assert other.airbase.state() == box.airbase.state()


def test_an_old_memory_has_no_spend_and_begins_with_none(box: Sandbox) -> None:
    kept = {name: rows for name, rows in box.airbase.remembered().items() if name in ("vendors", "accounts")}
    box.airbase.recall(kept)
    answer = httpx.get(f"{box.url}/airbase/v1/accounting/ledger_entries/", headers=TOKEN)
    assert ids(answer) == []


def test_an_event_names_its_request_in_the_envelope_of_all_events(box: Sandbox) -> None:
    known = box.airbase.add_request(request_number="PR-7")
    request = box.airbase.purchase_requests[known]
    event = event_for(request, "evt_1", datetime(2026, 11, 5, 12, tzinfo=UTC))
    assert set(event) == {"id", "object", "type", "created_date", "data"}
    assert (event["id"], event["object"], event["type"]) == ("evt_1", "event", "purchase_request_approved")
    assert event["created_date"] == "2026-11-05T12:00:00Z"
    assert (event["data"]["id"], event["data"]["request_number"]) == (request["id"], "PR-7")
