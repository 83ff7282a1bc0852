"""States change by bound actions, and what did not change is never reported as changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from mlc_dagster.core.errors import StaleRecord
from mlc_dagster.core.outcomes import Begun, Refused, Saved
from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.ifs.api import SURFACE
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.entry_records import INVOICES, PROPOSALS
from mlc_dagster.systems.ifs.writing.row_writes import StateNotChangedError
from mlc_dagster_tests.promises.test_c32_proves_nothing import ANSWERS
from mlc_dagster_tests.systems.ifs.conftest import client_of
from mlc_dagster_tests.systems.ifs.writing.samples import draft, invoice, live, proposal, put_books, save

CANCEL = "/IfsApp.PostingProposalHandling.PostingProposalHead_Cancel"
SET = "PostingProposalHeadSet"


@pytest.fixture
def box(box: Sandbox) -> Sandbox:
    put_books(box)
    return box


def without_actions() -> dict[str, EntitySet]:
    """A tenant of which mlc.yaml names no actions."""
    known = ifs.catalogue({})
    return {**known, "posting_proposal_head_set": replace(known["posting_proposal_head_set"], actions={})}


def entered(box: Sandbox, **changes: Any) -> str:
    (first,) = save(box, PROPOSALS, draft(proposal(**changes)))
    assert isinstance(first, Saved)
    return first.remote_id


def on_the_wire(box: Sandbox) -> tuple[str, dict[str, str]]:
    """The address of the first proposal, and the headers of who is signed in."""
    form = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox-secret"}
    token = httpx.post(f"{box.url}/ifs/auth/realms/sandbox/protocol/openid-connect/token", data=form).json()
    row = f"{box.url}{SURFACE}/PostingProposalHandling.svc/{SET}(Company='0010',ProposalId=1001)"
    return row, {"Authorization": f"Bearer {token['access_token']}"}


def sent(box: Sandbox, ending: str) -> int:
    return sum(count for (_, path), count in box.calls("ifs").items() if path.endswith(ending))


def test_a_patch_of_a_state_is_answered_and_ignored_by_the_sandbox(box: Sandbox) -> None:
    """The judge does what IFS documents: or nobody would notice that a state is no attribute."""
    entered(box)
    row, own = on_the_wire(box)
    answer = httpx.patch(row, json={"ObjState": "Cancelled"}, headers={**own, "If-Match": "*"})
    assert (answer.status_code, answer.json()["ObjState"]) == (200, "Unbalanced") and len(live(box, SET)) == 1


def test_our_client_never_sends_a_state_as_a_field(box: Sandbox) -> None:
    entered(box)
    client = client_of(box)
    key = {"company": "0010", "proposal_id": box.ifs.rows(SET)[0]["ProposalId"]}
    _, etag = client.get(ifs.POSTING_PROPOSALS, key)
    with pytest.raises(ValueError, match="change_state"):
        client.update(ifs.POSTING_PROPOSALS, key, {"obj_state": "Cancelled"}, etag)
    client.close()


def test_an_action_asks_for_the_version_that_it_changes(box: Sandbox) -> None:
    entered(box)
    box.ifs.expire_tokens()
    client = client_of(box)
    key = {"company": "0010", "proposal_id": box.ifs.rows(SET)[0]["ProposalId"]}
    box.faults.add(system="ifs", method="POST", path=CANCEL, status=412, body="changed", times=None)
    with pytest.raises(StaleRecord, match="given up after 3 tries"):
        client.change_state(ifs.POSTING_PROPOSALS, key, "Cancelled")
    box.faults.clear()
    assert client.change_state(ifs.POSTING_PROPOSALS, key, "Cancelled")[0]["obj_state"] == "Cancelled"
    calls = sent(box, CANCEL)
    client.change_state(ifs.POSTING_PROPOSALS, key, "Cancelled")
    assert sent(box, CANCEL) == calls, "what is there already is not sent"
    client.close()


def test_an_action_without_an_etag_is_428_and_one_of_another_set_404(box: Sandbox) -> None:
    entered(box)
    row, own = on_the_wire(box)
    assert httpx.post(row + CANCEL, json={}, headers=own).status_code == 428
    assert httpx.post(row + CANCEL, json={}, headers={**own, "If-Match": 'W/"old"'}).status_code == 412
    other = row + "/IfsApp.PostingProposalHandling.Voucher_Cancel"
    assert httpx.post(other, json={}, headers={**own, "If-Match": "*"}).status_code == 404
    assert httpx.post(row + CANCEL, json={}, headers={**own, "If-Match": "*"}).status_code == 204
    again = httpx.post(row + CANCEL, json={}, headers={**own, "If-Match": "*"})
    assert again.status_code == 400 and "not allowed in state Cancelled" in again.text


@pytest.mark.parametrize("batch", [True, False], ids=["in a change set", "alone"])
def test_an_order_never_has_three_documents_where_its_actions_do_nothing(
    start: Callable[..., Sandbox], batch: bool
) -> None:
    """An order that changes three times, on a tenant that answers the action and leaves the state."""
    box = start(actions_act=False)
    put_books(box)
    number = entered(box)
    for amount in ("600.00", "700.00", "800.00"):
        changed = draft(proposal(amount=amount), number, delivered=True)
        cancelled = draft(proposal(is_cancelled=True), number, delivered=True)
        outcomes = save(box, PROPOSALS, changed if batch else cancelled)
        assert isinstance(outcomes[-1], Refused) and not any(isinstance(each, Saved) for each in outcomes)
        assert number in outcomes[-1].reason
    assert len(live(box, SET)) == (2 if batch else 1)


def test_after_an_action_that_did_nothing_no_other_order_gets_a_second_document(start: Callable[..., Sandbox]) -> None:
    box = start(actions_act=False)
    put_books(box)
    numbers = {ref: entered(box, ref=ref) for ref in ("procurify-po-1", "procurify-po-2", "procurify-po-3")}
    changed = [draft(proposal(ref, "900.00"), number, delivered=True) for ref, number in numbers.items()]
    outcomes = save(box, PROPOSALS, *changed)
    assert [type(each) for each in outcomes] == [Begun, Refused, Refused, Refused]
    first, second, _ = [each for each in outcomes if isinstance(each, Refused)]
    assert "both stand for procurify-po-1" in first.reason and "actions.Cancelled in mlc.yaml" in first.reason
    assert "stays as it is" in second.reason
    assert len(live(box, SET)) == 4


def test_a_bill_is_not_done_before_the_proposal_of_its_order_is_seen_cancelled(start: Callable[..., Sandbox]) -> None:
    box = start(actions_act=False)
    put_books(box)
    entered(box)
    bill = draft(invoice(orders=("7",), proposals=("procurify-po-7",)))
    begun, refused = save(box, INVOICES, bill)
    assert isinstance(begun, Begun) and isinstance(refused, Refused)
    assert "it is Unbalanced, not Cancelled" in refused.reason


def test_where_no_action_is_named_nothing_is_entered_beside_what_stands(box: Sandbox) -> None:
    number = entered(box)
    setting = "ifs.entity_sets.posting_proposal_head_set.actions"
    bill = draft(invoice(orders=("7",), proposals=("procurify-po-7",)))
    changed = draft(proposal(amount="700.00"), number, delivered=True)
    cancelled = draft(proposal(is_cancelled=True), number, delivered=True)
    for target, each in ((INVOICES, bill), (PROPOSALS, changed), (PROPOSALS, cancelled)):
        (refused,) = save(box, target, each, catalogue=without_actions())
        assert isinstance(refused, Refused) and setting in refused.reason
    assert live(box, "SupplierInvoiceSet") == []
    assert [row["GrossAmount"] for row in live(box, SET)] == [Decimal("500.00")]
    other = draft(invoice("INV-2", "procurify-bill-2"))
    (saved,) = save(box, INVOICES, other, catalogue=without_actions())
    assert isinstance(saved, Saved), "what cancels nothing needs no action"


def test_an_action_that_ifs_does_not_have_is_told_with_its_setting(box: Sandbox) -> None:
    number = entered(box)
    known = ifs.catalogue({})
    wrong = replace(known["posting_proposal_head_set"], actions={"Cancelled": "PostingProposal_Stop"})
    gone = draft(proposal(is_cancelled=True), number, delivered=True)
    (refused,) = save(box, PROPOSALS, gone, catalogue={**known, wrong.name: wrong})
    assert isinstance(refused, Refused) and "actions.Cancelled in mlc.yaml" in refused.reason
    assert len(live(box, SET)) == 1


NO_PROOF = [
    pytest.param({"drop": "after"}, id="the answer is lost"),
    pytest.param({"status": 503, "body": "<html>", "acts": True}, id="a gateway's 503 after the commit"),
    pytest.param({"status": 500, "body": "currently locked", "acts": True}, id="500 after the commit"),
]


@pytest.mark.parametrize("fault", NO_PROOF)
def test_an_action_whose_answer_proves_nothing_is_looked_at(box: Sandbox, fault: dict[str, Any]) -> None:
    number = entered(box)
    box.faults.add(system="ifs", method="POST", path=CANCEL, **fault)
    gone = draft(proposal(is_cancelled=True), number, delivered=True)
    (saved,) = save(box, PROPOSALS, gone)
    assert isinstance(saved, Saved) and live(box, SET) == []
    assert sent(box, CANCEL) == 1, "it acted, and is not sent again"


def test_a_state_that_stays_names_the_action_and_both_states(start: Callable[..., Sandbox]) -> None:
    box = start(actions_act=False)
    put_books(box)
    entered(box)
    client = client_of(box)
    key = {"company": "0010", "proposal_id": box.ifs.rows(SET)[0]["ProposalId"]}
    with pytest.raises(StateNotChangedError, match=r"PostingProposalHead_Cancel.*Unbalanced, not Cancelled"):
        client.change_state(ifs.POSTING_PROPOSALS, key, "Cancelled")
    assert sent(box, CANCEL) == 1
    client.close()


@pytest.mark.promise("C32", "a bound action, six answers that prove nothing")
@pytest.mark.parametrize("acts", [True, False], ids=["it acted", "it did not act"])
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_c32_an_action_whose_answer_proves_nothing_acts_once(box: Sandbox, answer: dict[str, Any], acts: bool) -> None:
    """A change set that ends the old proposal and makes the new one, and an action alone."""
    number = entered(box)
    box.faults.add(system="ifs", method="POST", path="$batch", acts=acts, **answer)
    for _ in range(2):
        save(box, PROPOSALS, draft(proposal(amount="700.00"), number, delivered=True))
    assert [row["GrossAmount"] for row in live(box, SET)] == [Decimal("700.00")]
    box.faults.add(system="ifs", method="POST", path=CANCEL, acts=acts, **answer)
    outcomes = save(box, PROPOSALS, draft(proposal(is_cancelled=True), number, delivered=True))
    assert isinstance(outcomes[-1], Saved) and live(box, SET) == []
