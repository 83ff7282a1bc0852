"""What was approved in Airbase leads its invoice in IFS from one state to another: that one, once, or it is held."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mlc_dagster.systems.airbase.approvals.purchase_types import PurchaseType
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.ifs.client import IfsClient
from mlc_dagster.systems.ifs.state_records import NOT_PAYABLE
from mlc_dagster_tests.promises.journey import content_at
from mlc_dagster_tests.promises.kinds import now
from mlc_dagster_tests.promises.ledgered_room import Room, room_on, rules_of
from mlc_dagster_tests.promises.saas_life import Office

FLOW, VOUCHERS = "ifs/invoice_states_from_airbase_requests", "ifs/vouchers_from_airbase_requests"
TOLD = "airbase/requests_acknowledged"
PATHS = {"purchase_requests": "/v1/accounting/purchase_requests/"}
ACTIONS = {"PrelPosted": "SupplierInvoice_PrelPost", "PostedAuth": "SupplierInvoice_Authorise"}
SERVICES = {"into": "invoice_state", "from_state": "Preliminary", "to_state": "PrelPosted"}
TEXT = "Approved in Airbase by C. Okafor on 2026-11-05, request PR-1"


@pytest.fixture
def profiles() -> list[str]:
    return []


@pytest.fixture
def room(sqlite_url: str, tmp_path: Path, profiles: list[str]) -> Iterator[Room]:
    with room_on(sqlite_url, tmp_path, *profiles) as made:
        made.box.airbase.add_vendor(name="Supplier S1", erp_reference_id="S1")
        says(made, Services=SERVICES)
        yield made


def says(room: Room, **types: Any) -> None:
    room.says("airbase", paths=PATHS, purchase_types=types, accounts_by_purchase_type={"Services": "4010"})
    room.says("ifs", entity_sets={"supplier_invoice_set": {"actions": ACTIONS}})


def invoice(room: Room, number: int = 1, **more: Any) -> None:
    row: dict[str, Any] = {"Company": "0010", "InvoiceId": number, "InvoiceNo": "F-1", "SupplierId": "S1"}
    row |= {"InvoiceDate": "2026-11-04", "DueDate": "2026-12-04", "CurrencyCode": "SEK", "ObjState": "Preliminary"}
    row |= {"NetAmount": Decimal(100), "VatAmount": Decimal(25), "GrossAmount": Decimal(125), "Text": "Repair"}
    room.box.ifs.put("SupplierInvoiceSet", {**row, "SupplierInvoiceLines": [], **more}, modified=now())


def request(room: Room, which: str = "r-1", **more: Any) -> None:
    given: dict[str, Any] = {"purchase_type": "Services", "invoice_number": "F-1", "total_amount": "125.00"}
    given |= {"request_number": "PR-1", "vendor": next(iter(room.box.airbase.vendors)), "department": None}
    room.box.airbase.add_request(airbase_id=which, **{**given, **more})


def state(room: Room, number: int = 1, company: str = "0010") -> tuple[str, str]:
    rows = room.box.ifs.rows("SupplierInvoiceSet")
    (row,) = [row for row in rows if (row["Company"], row["InvoiceId"]) == (company, number)]
    return row["ObjState"], row["Text"]


def reason(room: Room) -> str:
    ((_, said),) = room.holds(FLOW)["r-1"]
    return said


def test_an_approval_leads_its_invoice_on_and_says_who_and_the_second_pass_writes_nothing(room: Room) -> None:
    invoice(room)
    request(room)
    assert room.go(FLOW)["updated"] == 1
    assert state(room) == ("PrelPosted", f"Repair; {TEXT}")
    assert room.ledger.remote_ids(FLOW) == {"r-1": "0010/1"}
    assert room.go(VOUCHERS).get("created", 0) == 0 and not room.holds(VOUCHERS), "in place of the voucher"

    writes = len(room.box.journal("ifs"))
    assert room.go(FLOW)["unchanged"] == 1 and len(room.box.journal("ifs")) == writes
    assert room.look(FLOW).there == 1 and not room.said(FLOW)


def test_beside_the_voucher_both_are_done_and_airbase_is_told_when_both_are(room: Room) -> None:
    says(room, Services={**SERVICES, "into": ["voucher", "invoice_state"]})
    room.says("airbase", acknowledge={"requests": {"status": "sync_complete", "erp_reference_id": "{voucher}"}})
    invoice(room, ObjState="Unbalanced")
    request(room)
    room.go(VOUCHERS, FLOW, TOLD)
    assert rules_of(room.holds(TOLD)) == {"r-1": ["voucher_is_in_the_ledger"]}, "the invoice is not led on yet"
    invoice(room)
    room.go(FLOW, TOLD)
    voucher = room.ledger.remote_ids(VOUCHERS)["r-1"]
    assert state(room)[0] == "PrelPosted"
    assert room.box.airbase.purchase_requests["r-1"]["erp_reference_id"] == voucher


def test_in_place_of_the_voucher_airbase_is_told_the_invoice(room: Room) -> None:
    room.says("airbase", acknowledge={"requests": {"status": "sync_complete", "erp_reference_id": "{voucher}"}})
    invoice(room)
    request(room)
    room.go(FLOW, TOLD)
    assert room.box.airbase.purchase_requests["r-1"]["erp_reference_id"] == "0010/1"


def test_an_invoice_is_never_made_payable_unless_mlc_yaml_says_that_we_may(room: Room) -> None:
    says(room, Services={**SERVICES, "to_state": "PostedAuth"})
    invoice(room)
    request(room)
    room.go(FLOW)
    assert rules_of(room.holds(FLOW)) == {"r-1": ["invoice_is_not_made_payable"]}
    assert state(room) == ("Preliminary", "Repair") and "policies.may_authorise" in reason(room)
    assert "Posted" not in NOT_PAYABLE and "PostedAuth" not in NOT_PAYABLE and "PaidPosted" not in NOT_PAYABLE

    room.says("policies", may_authorise="true")
    room.go(FLOW)
    assert state(room)[0] == "PostedAuth" and not room.holds(FLOW)


@pytest.mark.parametrize("profiles", [["ifs.actions_act=false"]], ids=["idle actions"])
def test_an_action_that_is_answered_and_leaves_the_state_is_not_reported_as_a_change(room: Room) -> None:
    invoice(room)
    request(room)
    assert room.go(FLOW).get("updated", 0) == 0
    assert state(room)[0] == "Preliminary" and "and it is Preliminary, not PrelPosted" in reason(room)
    assert room.ledger.remote_ids(FLOW) == {}
    room.go(FLOW)
    assert state(room) == ("Preliminary", f"Repair; {TEXT}"), "who approved it stands there once"


def test_a_state_that_a_person_moves_meanwhile_is_left_to_that_person(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between our read and our action: the ETag is another one, and so is the state from which it would be led."""
    invoice(room)
    request(room)
    acts = IfsClient.act

    def meanwhile(client: IfsClient, *told: Any) -> None:
        invoice(room, ObjState="PostedAuth")
        acts(client, *told)

    monkeypatch.setattr(IfsClient, "act", meanwhile)
    room.go(FLOW)
    assert state(room)[0] == "PostedAuth" and room.ledger.remote_ids(FLOW) == {}
    assert "is PostedAuth, and is led to PrelPosted from Preliminary alone. Somebody moved it meanwhile" in reason(room)


def test_after_a_412_it_is_read_and_judged_anew(room: Room) -> None:
    invoice(room)
    request(room)
    room.box.faults.add(system="ifs", method="POST", path="PrelPost", status=412, times=1)
    assert room.go(FLOW)["updated"] == 1 and state(room)[0] == "PrelPosted"


def test_an_action_whose_answer_is_lost_is_looked_at_and_not_sent_again(room: Room) -> None:
    invoice(room)
    request(room)
    room.box.faults.add(system="ifs", method="POST", path="PrelPost", drop="after", times=1)
    room.go(FLOW)
    acts = [each for each in room.box.journal("ifs") if "PrelPost" in str(each)]
    assert state(room)[0] == "PrelPosted" and len(acts) == 1 and room.ledger.remote_ids(FLOW) == {"r-1": "0010/1"}


def test_an_invoice_that_comes_to_another_amount_is_not_what_was_approved(room: Room) -> None:
    invoice(room, NetAmount=Decimal(1000), GrossAmount=Decimal(1250))
    request(room)
    room.go(FLOW)
    assert state(room)[0] == "Preliminary" and "125 SEK was approved, and it comes to 1250 SEK" in reason(room)
    invoice(room)
    room.go(FLOW)
    assert state(room)[0] == "PrelPosted" and not room.holds(FLOW), "it heals"


def test_a_request_without_tax_is_the_invoices_net(room: Room) -> None:
    invoice(room)
    request(room, total_amount="100.00")
    room.go(FLOW)
    assert state(room)[0] == "PrelPosted" and room.look(FLOW).there == 1 and not room.said(FLOW)


@pytest.mark.parametrize("own", [True, False], ids=["its own company too", "another company alone"])
def test_a_document_that_another_company_has_is_for_a_person_to_say(room: Room, own: bool) -> None:
    if own:
        invoice(room)
    invoice(room, 7, Company="0020")
    request(room)
    room.go(FLOW)
    assert "0020/7" in reason(room) and ("0010/1" in reason(room)) is own
    assert state(room, 7, "0020")[0] == "Preliminary"


def test_an_invoice_that_ifs_does_not_have_holds_the_request_until_it_has(room: Room) -> None:
    request(room)
    room.go(FLOW)
    assert "IFS has no invoice F-1 of supplier S1" in reason(room)
    invoice(room, ObjState="Cancelled")
    room.go(FLOW)
    assert "IFS has no invoice" in reason(room)


def test_a_request_that_is_denied_later_is_told_with_its_amount_and_nothing_is_set_back(room: Room) -> None:
    invoice(room)
    request(room)
    room.go(FLOW)
    room.box.airbase.change("purchase_requests", "r-1", status="denied")
    content = {**content_at(room.box.url)}
    office = Office(
        room.box, room.ledger, room.store, {**content, **{n: {**content[n], **s} for n, s in room.told.items()}}
    )
    for _ in range(2):
        office.look(FLOW)
    (told,) = office.differences(FLOW)
    assert (told.key, told.kind, told.ours, told.theirs) == ("r-1", "taken_back", "0010/1", "denied")
    assert (told.amount, told.currency) == ("125", "SEK") and state(room)[0] == "PrelPosted"


def test_one_that_is_denied_before_it_is_loaded_changes_nothing(room: Room) -> None:
    invoice(room)
    request(room, status="denied")
    room.go(FLOW)
    assert state(room)[0] == "Preliminary" and not room.holds(FLOW)


def test_two_requests_never_lead_one_invoice(room: Room) -> None:
    invoice(room)
    for which in ("r-1", "r-2"):
        request(room, which)
    room.go(FLOW)
    assert sorted(room.ledger.remote_ids(FLOW).values()) == ["0010/1"] and len(room.holds(FLOW)) == 1


def test_a_type_of_which_nobody_says_where_it_goes_is_held_where_it_names_an_invoice(room: Room) -> None:
    says(room, Services={}, Travel=SERVICES)
    request(room)
    request(room, "r-2", invoice_number=None, request_number="PR-2")
    room.go(VOUCHERS)
    assert rules_of(room.holds(VOUCHERS)) == {"r-1": ["purchase_type_says_where_it_goes"]}
    assert list(room.ledger.remote_ids(VOUCHERS)) == ["r-2"], "what names no invoice is a voucher, as ever"


def test_without_any_purchase_type_requests_are_vouchers_as_ever(room: Room) -> None:
    says(room)
    request(room)
    room.go(VOUCHERS)
    assert list(room.ledger.remote_ids(VOUCHERS)) == ["r-1"] and not room.holds(VOUCHERS)
    off = AirbaseSettings.model_validate({"paths": PATHS}).switched_off
    assert "airbase.purchase_types" in off[FLOW] and FLOW in AirbaseSettings().switched_off


def test_a_request_that_names_no_invoice_no_vendor_or_nobody_changes_nothing(room: Room) -> None:
    by_hand = room.box.airbase.add_vendor(name="No number")
    invoice(room)
    request(room, invoice_number=None)
    request(room, "r-2", vendor=by_hand)
    request(room, "r-3", approver=None)
    room.go(FLOW)
    found = rules_of(room.holds(FLOW))
    assert found["r-1"] == found["r-2"] == ["request_names_its_invoice"]
    assert found["r-3"] == ["approval_is_by_somebody"] and state(room)[0] == "Preliminary"


def test_a_text_without_room_for_the_name_holds_the_request(room: Room) -> None:
    invoice(room, Text="x" * 190)
    request(room)
    room.go(FLOW)
    assert "Shorten the text" in reason(room) and state(room)[0] == "Preliminary"


def test_an_invoice_that_goes_back_or_is_cancelled_later_is_told_and_not_led_again(room: Room) -> None:
    invoice(room)
    request(room)
    room.go(FLOW)
    invoice(room, ObjState="Posted")
    room.look(FLOW)
    assert not room.said(FLOW), "it went further"
    invoice(room, ObjState="Preliminary")
    room.look(FLOW)
    assert [(kind, field) for _, kind, field, *_ in room.said(FLOW)] == [("edited_in_the_target", "ObjState")]
    invoice(room, ObjState="Cancelled")
    room.look(FLOW)
    assert "voided_in_the_target" in {kind for _, kind, *_ in room.said(FLOW)}
    invoice(room, ObjState="Preliminary")
    room.go(FLOW)
    assert state(room)[0] == "Preliminary"


def test_a_tenant_without_the_action_says_where_to_name_it(room: Room) -> None:
    room.says("ifs", entity_sets={})
    invoice(room)
    request(room)
    room.go(FLOW)
    assert "ifs.entity_sets.supplier_invoice_set.actions" in reason(room) and state(room) == ("Preliminary", "Repair")


@pytest.mark.parametrize(
    "said, word",
    [
        ({"into": "invoice_state"}, "from_state"),
        ({**SERVICES, "to_state": "Preliminary"}, "both"),
        ({**SERVICES, "to_state": "Cancelled"}, "cancels nothing"),
        ({"into": "voucher", "to_state": "PrelPosted"}, "belong"),
        ({"into": "posted"}, "voucher"),
    ],
)
def test_a_purchase_type_says_both_states_or_none(said: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        PurchaseType.model_validate(said)
