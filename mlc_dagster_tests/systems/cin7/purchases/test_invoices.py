"""Supplier invoices over real HTTP against the sandbox: on their order's purchase or their own, one for each number."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.outcomes import Begun, Draft, Outcome, Refused, Saved, Unanswered
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.cin7.mapping import invoice_from_proposal, purchase_from_order, supplier_from_ifs
from mlc_dagster.systems.cin7.records import PURCHASE_INVOICES, PURCHASES, SUPPLIERS, PurchaseInvoice
from mlc_dagster_tests.systems.cin7.samples import (
    BOOKS,
    EVER,
    client_on,
    facts,
    order,
    proposal,
    proposal_line,
    save,
    supplier,
)

Delivered = dict[str, dict[str, str]]


@pytest.fixture
def delivered(box: Sandbox) -> Iterator[Delivered]:
    """Supplier S100 and order P1 are there."""
    client = client_on(box)
    record = supplier_from_ifs(supplier(), facts())
    known = {"S100": last(save(client, SUPPLIERS, Draft("S100", record, None, EVER))).remote_id}
    purchase = purchase_from_order(order(), facts(delivered={"cin7/suppliers": known}))
    done = last(save(client, PURCHASES, Draft("P1", purchase, None, EVER)))
    box.forget_calls()
    yield {"cin7/suppliers": known, "cin7/purchases": {"P1": done.remote_id}}


def last(outcomes: list[Outcome]) -> Saved:
    assert isinstance(outcomes[-1], Saved), outcomes
    return outcomes[-1]


def invoice(delivered: Delivered, *lines: Any, status: str = "DRAFT", **changes: Any) -> PurchaseInvoice:
    options = {**facts().options, "invoice_status": status}
    return invoice_from_proposal(proposal(*lines, **changes), facts(BOOKS, delivered=delivered, options=options))


def draft(record: PurchaseInvoice, remote_id: str | None = None) -> Draft:
    return Draft("0010/7", record, remote_id, EVER)


def there(box: Sandbox, saved: Saved) -> dict[str, Any]:
    purchase_id, _, task_id = saved.remote_id.partition("/")
    (found,) = [one for one in box.cin7.purchases[purchase_id]["Invoice"] if one["TaskID"] == task_id]
    return found


def test_an_invoice_stands_on_the_purchase_of_its_order_each_line_on_its_account(
    box: Sandbox, delivered: Delivered
) -> None:
    lines = [proposal_line(1), proposal_line(2, currency_amount=Decimal(300), account="4200", text="Course")]
    totals = {"net_amount": Decimal(425), "vat_amount": Decimal("106.25"), "gross_amount": Decimal("531.25")}
    record = invoice(delivered, *lines, po_reference="P1", **totals)
    (outcome,) = save(client_on(box), PURCHASE_INVOICES, draft(record))
    assert isinstance(outcome, Saved)
    assert outcome.detail == "PO-00001, invoice F-2026-17"
    assert outcome.remote_id.startswith(f"{delivered['cin7/purchases']['P1']}/")
    made = there(box, outcome)
    (goods,), (course,) = made["Lines"], made["AdditionalCharges"]
    assert (goods["SKU"], goods["Quantity"], goods["Account"], goods["Total"]) == ("BOLT-8", 100, "4010", 125)
    assert (goods["Tax"], goods["Comment"]) == (Decimal("31.25"), "IFS 0010/7/1")
    assert (course["Account"], course["Total"], course["Tax"]) == ("4200", 300, 75)
    assert (made["InvoiceNumber"], made["Status"], made["Total"]) == ("F-2026-17", "DRAFT", Decimal("531.25"))
    assert made["InvoiceDueDate"] == "2026-12-31T00:00:00"


def test_the_order_is_authorised_first_with_the_lines_it_has(box: Sandbox, delivered: Delivered) -> None:
    before = box.cin7.purchases[delivered["cin7/purchases"]["P1"]]["Order"]
    save(client_on(box), PURCHASE_INVOICES, draft(invoice(delivered, po_reference="P1")))
    after = box.cin7.purchases[delivered["cin7/purchases"]["P1"]]["Order"]
    assert after == {**before, "Status": "AUTHORISED"}


def test_the_same_again_is_adopted_by_its_number_or_its_id_without_a_write(box: Sandbox, delivered: Delivered) -> None:
    record = invoice(delivered, po_reference="P1")
    done = last(save(client_on(box), PURCHASE_INVOICES, draft(record)))
    box.forget_calls()
    for remote_id in (None, done.remote_id):
        again = last(save(client_on(box), PURCHASE_INVOICES, draft(record, remote_id)))
        assert (again.action, again.remote_id) == ("adopted", done.remote_id)
    assert box.journal("cin7") == []


def test_a_second_invoice_on_the_order_gets_a_task_of_its_own(box: Sandbox, delivered: Delivered) -> None:
    client = client_on(box)
    for key, number in enumerate(("F-1", "F-2"), 7):
        part = proposal_line(currency_amount=Decimal("50") if key == 7 else Decimal("75"))
        named: dict[str, Any] = {"po_reference": "P1", "invoice_no": number, "proposal_id": key}
        taxed = {"vat_amount": (part.currency_amount or 0) / 4}
        last(save(client, PURCHASE_INVOICES, draft(invoice(delivered, part, **named, **taxed))))
    found = box.cin7.purchases[delivered["cin7/purchases"]["P1"]]["Invoice"]
    assert [one["InvoiceNumber"] for one in found] == ["F-1", "F-2"]
    assert [[line["Quantity"] for line in one["Lines"]] for one in found] == [[40], [60]]


def test_a_draft_invoice_is_overwritten_an_authorised_one_is_not(box: Sandbox, delivered: Delivered) -> None:
    client = client_on(box)
    done = last(save(client, PURCHASE_INVOICES, draft(invoice(delivered, po_reference="P1"))))
    less = invoice(delivered, proposal_line(currency_amount=Decimal(100)), po_reference="P1", vat_amount=Decimal(25))
    again = last(save(client, PURCHASE_INVOICES, draft(less, done.remote_id)))
    assert (again.action, again.remote_id, there(box, again)["Total"]) == ("updated", done.remote_id, 125)
    box.cin7.purchases[done.remote_id.split("/")[0]]["Invoice"][0]["Status"] = "AUTHORISED"
    (outcome,) = save(client, PURCHASE_INVOICES, draft(invoice(delivered, po_reference="P1"), done.remote_id))
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith(
        "Invoice F-2026-17 of PO-00001 is AUTHORISED in Cin7 and differs from proposal/0010/7."
    )


def test_a_draft_is_authorised_when_the_settings_say_so(box: Sandbox, delivered: Delivered) -> None:
    client = client_on(box)
    done = last(save(client, PURCHASE_INVOICES, draft(invoice(delivered, po_reference="P1"))))
    wanted = invoice(delivered, po_reference="P1", status="AUTHORISED")
    assert there(box, last(save(client, PURCHASE_INVOICES, draft(wanted, done.remote_id))))["Status"] == "AUTHORISED"
    assert last(save(client, PURCHASE_INVOICES, draft(wanted, done.remote_id))).action == "adopted"
    later = invoice(delivered, po_reference="P1")
    assert last(save(client, PURCHASE_INVOICES, draft(later, done.remote_id))).action == "adopted"


def test_an_invoice_without_an_order_gets_a_purchase_of_its_own(box: Sandbox, delivered: Delivered) -> None:
    begun, done = save(client_on(box), PURCHASE_INVOICES, draft(invoice(delivered)))
    assert isinstance(begun, Begun) and isinstance(done, Saved)
    own = box.cin7.purchases[begun.remote_id]
    assert done.remote_id.startswith(f"{begun.remote_id}/")
    assert (own["IsServiceOnly"], own["Order"]["Status"]) == (True, "AUTHORISED")
    assert own["Note"].startswith("IFS proposal/0010/7\n")
    assert there(box, done)["AdditionalCharges"][0]["Account"] == "4010"


@pytest.mark.parametrize("path", ["advanced-purchase", "purchase/order", "advanced-purchase/invoice"])
@pytest.mark.parametrize("lost", ["before", "after"])
@pytest.mark.parametrize("reference", [None, "P1"])
def test_a_lost_answer_at_any_step_never_makes_two(
    box: Sandbox, delivered: Delivered, reference: str | None, lost: Any, path: str
) -> None:
    record, client = invoice(delivered, po_reference=reference, status="AUTHORISED"), client_on(box)
    box.faults.add(system="cin7", method="POST", path=path, drop=lost)
    first = save(client, PURCHASE_INVOICES, draft(record))
    assert isinstance(first[-1], Unanswered)
    remote_id = next((outcome.remote_id for outcome in first if isinstance(outcome, Begun)), None)
    last(save(client, PURCHASE_INVOICES, draft(record, remote_id)))
    made = [one for purchase in box.cin7.purchases.values() for one in purchase["Invoice"] if one["InvoiceNumber"]]
    assert [one["Total"] for one in made] == [Decimal("156.25")]
    assert len(box.cin7.purchases) == (1 if reference else 2)


def test_a_crash_between_the_steps_is_resumed_by_the_id(box: Sandbox, delivered: Delivered) -> None:
    record = invoice(delivered)
    outcomes = client_on(box).save(PURCHASE_INVOICES, [draft(record)])
    begun = next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    assert isinstance(begun, Begun)
    done = last(save(client_on(box), PURCHASE_INVOICES, draft(record, begun.remote_id)))
    assert done.remote_id.startswith(f"{begun.remote_id}/") and len(box.cin7.purchases) == 2


def test_an_invoice_of_another_supplier_than_its_orders_is_refused(box: Sandbox, delivered: Delivered) -> None:
    record = supplier_from_ifs(supplier(supplier_id="S9", name="Another"), facts())
    other = last(save(client_on(box), SUPPLIERS, Draft("S9", record, None, EVER))).remote_id
    known = {**delivered, "cin7/suppliers": {"S9": other}}
    (outcome,) = save(client_on(box), PURCHASE_INVOICES, draft(invoice(known, po_reference="P1", supplier_id="S9")))
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("PO-00001 is of supplier Nordic Bolts AB in Cin7, and the invoice of S9.")


def test_an_account_that_cin7_lost_meanwhile_is_refused_in_its_words(box: Sandbox, delivered: Delivered) -> None:
    box.cin7.remove_account("4010")
    outcome = save(client_on(box), PURCHASE_INVOICES, draft(invoice(delivered, po_reference="P1")))[-1]
    assert isinstance(outcome, Refused) and outcome.reason.endswith("Account with code '4010' not found")


def test_an_invoice_on_an_order_without_lines_waits(box: Sandbox, delivered: Delivered) -> None:
    stage = box.cin7.purchases[delivered["cin7/purchases"]["P1"]]["Order"]
    stage.update(Lines=[], AdditionalCharges=[], Status="NOT AVAILABLE")
    (outcome,) = save(client_on(box), PURCHASE_INVOICES, draft(invoice(delivered, po_reference="P1")))
    assert isinstance(outcome, Refused) and outcome.reason.startswith("PO-00001 has no lines in Cin7 yet.")


def test_a_second_posting_proposal_under_the_same_invoice_number_is_refused_and_the_first_one_stays(
    box: Sandbox, delivered: Delivered
) -> None:
    client = client_on(box)
    first = invoice(delivered, po_reference="P1")
    saved = last(save(client, PURCHASE_INVOICES, draft(first)))
    before = there(box, saved)
    other = invoice(delivered, po_reference="P1", proposal_id=8)
    (refused,) = save(client, PURCHASE_INVOICES, Draft("0010/8", other, None, EVER))
    assert isinstance(refused, Refused)
    assert "stands in Cin7 already, for 0010/7 of IFS and not for 0010/8" in refused.reason
    assert there(box, saved) == before


def test_an_invoice_that_a_person_entered_under_the_number_is_taken_for_it(box: Sandbox, delivered: Delivered) -> None:
    client = client_on(box)
    record = invoice(delivered, po_reference="P1")
    saved = last(save(client, PURCHASE_INVOICES, draft(record)))
    by_hand = there(box, saved)
    for row in (*by_hand["Lines"], *by_hand["AdditionalCharges"]):
        row.update({"Comment": "", "Reference": ""} if "Comment" in row else {"Reference": ""})
    again = last(save(client_on(box), PURCHASE_INVOICES, draft(record)))
    assert (again.remote_id, again.action) == (saved.remote_id, "updated")
