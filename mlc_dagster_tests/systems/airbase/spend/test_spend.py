"""Purchase requests and ledger entries over HTTP: read page by page, once for many days, and acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.errors import AccessDenied, Misconfigured
from mlc_dagster.core.outcomes import Draft, Refused, Saved
from mlc_dagster.core.vocabulary import EntitySet, Pull, Scope, Window
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.airbase.client import AirbaseClient
from mlc_dagster.systems.airbase.spend.records import (
    ACKNOWLEDGEMENTS,
    PAYMENTS,
    PURCHASE_REQUESTS,
    Acknowledgement,
    AcknowledgementField,
    Tag,
)
from mlc_dagster.systems.configuration import parse
from mlc_dagster_tests.systems.airbase.samples import client_on, save
from mlc_dagster_tests.systems.ifs.conftest import Memory

REQUESTS_PATH = "/v1/accounting/purchase_requests/"
TODAY = datetime.now(UTC).date()


def read(
    client: AirbaseClient, entity: EntitySet, day: date = TODAY, memory: Memory | None = None
) -> tuple[list[Any], Pull]:
    pull = Pull("/".join(entity.key), day.isoformat())
    scope = Scope(day.isoformat(), Window.day(day))
    batches = list(client.read(entity, scope, pull, memory))
    return [each for batch in batches for each in records_of(batch, entity.record)], pull


def test_a_request_is_read_with_its_lines_and_tags(box: Sandbox) -> None:
    lines = [{"amount": "12.50", "department": "CC100", "description": "Seats"}, {"amount": "1.00", "account": "4010"}]
    made = box.airbase.add_request(line_items=lines, request_number="PR-9")
    box.airbase.add_request(status="pending")
    rows, pull = read(client_on(box, purchase_requests=REQUESTS_PATH), PURCHASE_REQUESTS)
    ((request, _, _),) = rows
    assert (request.id, request.number, request.total_amount) == (made, "PR-9", Decimal("13.50"))
    assert (request.subsidiary, request.currency, request.approved_date) == ("0010", "SEK", date(2026, 11, 5))
    first, second = request.lines
    assert first.tags == (Tag(group="Department", code="CC100", name="Department CC100"),) and first.account is None
    assert (second.amount, second.account) == (Decimal("1"), "4010")
    assert (pull.rows, pull.requests, pull.filter) == (1, 1, "status=approved")


def test_a_payment_is_read_with_its_bank_and_its_amount_in_the_subsidiarys_currency(box: Sandbox) -> None:
    box.airbase.add_entry(total_amount="10.00", currency="EUR", subsidiary_amount="113.20")
    (((entry, _, _),), _) = read(client_on(box), PAYMENTS)
    assert (entry.subsidiary_amount, entry.subsidiary_currency) == (Decimal("113.2"), "SEK")
    assert (entry.bank_account, entry.ap_account, len(entry.applied_to)) == ("1930", "2440", 1)


def test_every_page_is_read_and_one_reading_serves_all_the_days_of_a_run(box: Sandbox) -> None:
    for _ in range(23):
        box.airbase.add_entry()
    client, memory = client_on(box, page_size=5), Memory()
    rows, first = read(client, PAYMENTS, TODAY, memory)
    others, second = read(client, PAYMENTS, TODAY - timedelta(days=1), memory)
    assert (len(rows), first.requests) == (23, 5)
    assert (others, second.requests) == ([], 0)


def test_a_row_is_placed_on_the_day_on_which_its_present_state_was_seen(box: Sandbox) -> None:
    entry, memory = box.airbase.add_entry(), Memory()
    yesterday = TODAY - timedelta(days=1)
    read(client_on(box), PAYMENTS, TODAY, memory)
    memory.kept["airbase/payment_list"] = {entry: (memory.kept["airbase/payment_list"][entry][0], yesterday)}
    assert read(client_on(box), PAYMENTS, TODAY, memory)[0] == []
    box.airbase.change("ledger_entries", entry, notes="changed")
    assert len(read(client_on(box), PAYMENTS, TODAY, memory)[0]) == 1


def test_a_row_that_does_not_fit_is_kept_with_its_reason(box: Sandbox) -> None:
    made = box.airbase.add_entry(total_amount="12,50")
    (((record, _, problem),), pull) = read(client_on(box), PAYMENTS)
    assert record is None and made in problem and "total_amount" in problem and pull.unreadable == 1


def test_a_tenants_own_paths_are_followed(box: Sandbox) -> None:
    box.airbase.add_request(request_number="PR-9", notes="Travel")
    paths = {"purchase_type": "notes", "number": "airbase_id"}
    client = client_on(box, purchase_requests=REQUESTS_PATH, request_fields=paths)
    (((request, _, _),), _) = read(client, PURCHASE_REQUESTS)
    assert (request.purchase_type, request.number) == ("Travel", request.id)


def test_without_a_path_the_list_is_not_read(box: Sandbox) -> None:
    with pytest.raises(Misconfigured, match="purchase_request_list"):
        read(client_on(box), PURCHASE_REQUESTS)


# --- acknowledgements -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Desk:
    box: Sandbox
    client: AirbaseClient

    def tell(self, key: str, voucher: str = "0010/M/2026/7", **changes: Any) -> Any:
        fields = tuple(
            AcknowledgementField(name=n, text=t)
            for n, t in {"status": "sync_complete", "erp_reference_id": voucher}.items()
        )
        record = Acknowledgement(key=key, of="ledger_entries", voucher=voucher, fields=fields)
        return save(self.client, ACKNOWLEDGEMENTS, Draft(key, record, **changes))[key]


@pytest.fixture
def desk(box: Sandbox) -> Desk:
    return Desk(box, client_on(box))


def test_an_entry_is_acknowledged_with_its_voucher(desk: Desk) -> None:
    entry = desk.box.airbase.add_entry()
    outcome = desk.tell(entry)
    assert isinstance(outcome, Saved) and (outcome.remote_id, outcome.action) == (entry, "created")
    row = desk.box.airbase.ledger_entries[entry]
    assert (row["status"], row["erp_reference_id"]) == ("sync_complete", "0010/M/2026/7")


def test_what_is_acknowledged_already_costs_no_write(desk: Desk) -> None:
    entry = desk.box.airbase.add_entry(status="sync_complete", erp_reference_id="0010/M/2026/7")
    assert desk.tell(entry).action == "adopted" and not desk.box.journal("airbase")


def test_another_voucher_is_never_written_over(desk: Desk) -> None:
    entry = desk.box.airbase.add_entry(status="sync_complete", erp_reference_id="0010/M/2026/6")
    outcome = desk.tell(entry)
    assert isinstance(outcome, Refused) and "0010/M/2026/6" in outcome.reason and "0010/M/2026/7" in outcome.reason
    assert not desk.box.journal("airbase")


def test_an_entry_that_is_gone_is_refused_alone(desk: Desk) -> None:
    outcome = desk.tell("no-such-entry")
    assert isinstance(outcome, Refused) and "404" in outcome.reason


def test_a_refused_acknowledgement_says_what_airbase_said(desk: Desk) -> None:
    entry = desk.box.airbase.add_entry()
    outcome = desk.tell(entry, "x" * 300)
    assert isinstance(outcome, Refused) and "255 characters" in outcome.reason


def test_an_acknowledgement_that_is_taken_and_not_kept_is_refused(desk: Desk) -> None:
    entry = desk.box.airbase.add_entry()
    desk.box.faults.add(system="airbase", method="PATCH", status=200, body="{}")
    outcome = desk.tell(entry)
    assert isinstance(outcome, Refused) and "did not keep it" in outcome.reason


def test_a_lost_answer_to_an_acknowledgement_is_made_up_for(desk: Desk) -> None:
    entry = desk.box.airbase.add_entry()
    desk.box.faults.add(system="airbase", method="PATCH", drop="after")
    assert isinstance(desk.tell(entry), Saved)
    assert desk.box.airbase.ledger_entries[entry]["status"] == "sync_complete"


def test_a_wrong_token_stops_the_run(desk: Desk) -> None:
    desk.box.faults.add(system="airbase", status=401, times=None)
    with pytest.raises(AccessDenied):
        desk.tell("any")


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "airbase, words",
    [
        ({"acknowledge": {"payments": {"ref": "{vaucher}"}}}, "{vaucher}"),
        ({"fields": {"requests": {"purchase_typ": "x"}}}, "purchase_typ"),
        ({"dimensions": {"Department": "Z"}}, "B to J"),
        ({"dimensions": {"Department": "B", "Team": "B"}}, "one code part"),
    ],
)
def test_a_mistake_in_the_settings_is_named(
    airbase: dict[str, Any], words: str, settings_of: Callable[..., Any]
) -> None:
    with pytest.raises(Misconfigured) as said:
        settings_of(airbase)
    assert words in str(said.value) and "airbase." in str(said.value)


@pytest.fixture
def settings_of() -> Callable[[dict[str, Any]], Any]:
    ifs = {"base_url": "https://ifs.test", "token_url": "https://ifs.test/token"}
    return lambda airbase: parse(
        {"companies": {"0010": {"currency": "SEK"}}, "ifs": ifs, "airbase": airbase}, "mlc.yaml"
    )


BOTH: dict[str, Any] = {
    "accrual_account": "2990",
    "payments_into_ifs": True,
    "paths": {"purchase_requests": "/r/"},
}


@pytest.mark.parametrize(
    "airbase, off",
    [
        (
            {},
            {
                "ifs/vouchers_from_airbase_requests",
                "ifs/vouchers_from_airbase_bills",
                "ifs/vouchers_from_airbase_payments",
                "airbase/requests_acknowledged",
                "airbase/payments_acknowledged",
            },
        ),
        (
            {"payments_into_ifs": "true"},
            {"ifs/vouchers_from_airbase_requests", "airbase/requests_acknowledged", "airbase/payments_acknowledged"},
        ),
        (
            {**BOTH, "acknowledge": {}},
            {"airbase/requests_acknowledged"},
        ),
        (
            {**BOTH, "acknowledge": {"payments": "none"}},
            {"airbase/requests_acknowledged", "airbase/payments_acknowledged"},
        ),
        (
            {"paths": {"ledger_entries": ""}, "payments_into_ifs": "true", "acknowledge": {}},
            {
                "ifs/vouchers_from_airbase_requests",
                "ifs/vouchers_from_airbase_bills",
                "ifs/vouchers_from_airbase_payments",
                "airbase/requests_acknowledged",
                "airbase/payments_acknowledged",
            },
        ),
    ],
)
def test_what_is_not_configured_is_off_and_says_why(
    airbase: Any, off: set[str], settings_of: Callable[..., Any]
) -> None:
    found = settings_of(airbase).airbase.switched_off
    until_given = {"airbase/purchase_orders", "airbase/failures_told", "airbase/supplier_invoices"}
    until_given |= {"airbase/order_invoices", "ifs/invoice_states_from_airbase_requests"}
    assert set(found) == off | until_given and all("airbase." in why for why in found.values())
