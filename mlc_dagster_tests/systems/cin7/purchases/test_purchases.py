"""Purchases over real HTTP against the sandbox: two steps, lost answers, refusals, and never two for one order."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from mlc_dagster.core.outcomes import Begun, Draft, Outcome, Refused, Saved, Unanswered
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.cin7.mapping import purchase_from_order, supplier_from_ifs
from mlc_dagster.systems.cin7.records import PURCHASES, SUPPLIERS, Purchase
from mlc_dagster_tests.systems.cin7.samples import (
    BOOKS,
    EVER,
    client_on,
    facts,
    order,
    order_line,
    save,
    service_line,
    supplier,
)


@pytest.fixture
def supplier_id(box: Sandbox) -> Iterator[str]:
    record = supplier_from_ifs(supplier(), facts())
    (outcome,) = save(client_on(box), SUPPLIERS, Draft("S100", record, None, EVER))
    assert isinstance(outcome, Saved)
    box.forget_calls()
    yield outcome.remote_id


def purchase(supplier_id: str, *lines: Any, **changes: Any) -> Purchase:
    return purchase_from_order(
        order(*lines, **changes), facts(BOOKS, delivered={"cin7/suppliers": {"S100": supplier_id}})
    )


def new(record: Purchase, remote_id: str | None = None) -> Draft:
    return Draft(record.marker, record, remote_id, None if remote_id else EVER)


def in_doubt(record: Purchase, remote_id: str | None = None) -> Draft:
    return Draft(record.marker, record, remote_id, datetime.now(UTC) - timedelta(seconds=30))


def words(outcomes: list[Outcome]) -> list[str]:
    return [outcome.action if isinstance(outcome, Saved) else type(outcome).__name__ for outcome in outcomes]


def test_an_order_becomes_a_purchase_in_two_steps(box: Sandbox, supplier_id: str) -> None:
    begun, done = save(client_on(box), PURCHASES, new(purchase(supplier_id)))
    assert isinstance(begun, Begun) and isinstance(done, Saved)
    assert (done.action, done.detail, done.remote_id) == ("created", "PO-00001", begun.remote_id)
    there = box.cin7.purchases[done.remote_id]
    assert there["Note"] == "IFS 0010/P1\nDeliver to the back door"
    assert there["AdditionalAttributes"]["AdditionalAttribute1"] == "0010/P1"
    assert (there["Location"], there["RequiredBy"]) == ("Main Warehouse", "2026-12-01T00:00:00")
    (line,), (charge,) = there["Order"]["Lines"], there["Order"]["AdditionalCharges"]
    assert (line["SKU"], line["Name"], line["Total"], line["Tax"]) == (
        "BOLT-8",
        "Bolt, M8, steel",
        125,
        Decimal("31.25"),
    )
    assert line["Comment"] == "IFS 0010/P1/1/1 account 4010"
    assert (charge["Description"], charge["Reference"]) == ("Half day training", "IFS 0010/P1/2/1 account 4200")
    assert (there["Order"]["TotalBeforeTax"], there["Order"]["Status"]) == (425, "DRAFT")


def test_begun_comes_before_the_lines_are_sent(box: Sandbox, supplier_id: str) -> None:
    outcomes = client_on(box).save(PURCHASES, [new(purchase(supplier_id))])
    assert isinstance(next(outcomes), Begun)
    assert [change["path"].rpartition("/")[2] for change in box.journal("cin7")] == ["advanced-purchase"]


def test_the_same_again_is_adopted_without_a_write(box: Sandbox, supplier_id: str) -> None:
    record = purchase(supplier_id)
    done = save(client_on(box), PURCHASES, new(record))[-1]
    assert isinstance(done, Saved)
    box.forget_calls()
    assert words(save(client_on(box), PURCHASES, new(record, done.remote_id))) == ["adopted"]
    assert words(save(client_on(box), PURCHASES, new(record))) == ["adopted"]
    assert box.journal("cin7") == []


def test_a_change_overwrites_lines_and_header_while_the_order_is_open(box: Sandbox, supplier_id: str) -> None:
    client = client_on(box)
    done = save(client, PURCHASES, new(purchase(supplier_id)))[-1]
    assert isinstance(done, Saved)
    box.cin7.purchases[done.remote_id]["Order"]["Lines"][0]["Quantity"] = Decimal(1)
    fewer = purchase(supplier_id, order_line(), notes="Front door")
    assert words(save(client, PURCHASES, new(fewer, done.remote_id))) == ["updated"]
    there = box.cin7.purchases[done.remote_id]
    assert there["Note"] == "IFS 0010/P1\nFront door"
    assert there["Order"]["AdditionalCharges"] == [] and there["Order"]["Lines"][0]["Quantity"] == 100


def test_only_the_step_that_differs_is_sent(box: Sandbox, supplier_id: str) -> None:
    client = client_on(box)
    done = save(client, PURCHASES, new(purchase(supplier_id)))[-1]
    assert isinstance(done, Saved)
    box.forget_calls()
    save(client, PURCHASES, new(purchase(supplier_id, notes="Front door"), done.remote_id))
    (change,) = box.journal("cin7")
    assert change["method"] == "PUT" and change["path"].endswith("/advanced-purchase")


def authorise(box: Sandbox, purchase_id: str) -> None:
    box.cin7._purchases.find(purchase_id)["Order"]["Status"] = "AUTHORISED"


def test_an_authorised_order_takes_no_change_of_its_lines_and_says_so(box: Sandbox, supplier_id: str) -> None:
    client = client_on(box)
    done = save(client, PURCHASES, new(purchase(supplier_id)))[-1]
    assert isinstance(done, Saved)
    authorise(box, done.remote_id)
    assert words(save(client, PURCHASES, new(purchase(supplier_id), done.remote_id))) == ["adopted"]
    assert words(save(client, PURCHASES, new(purchase(supplier_id, notes="New"), done.remote_id))) == ["updated"]
    (outcome,) = save(client, PURCHASES, new(purchase(supplier_id, order_line()), done.remote_id))
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("PO-00001 is AUTHORISED in Cin7 and differs from 0010/P1: Cin7 takes no changes")


# --- lost answers ---------------------------------------------------------------------------------------------------


def test_a_lost_answer_to_the_header_is_looked_up_and_completed(box: Sandbox, supplier_id: str) -> None:
    record, client = purchase(supplier_id), client_on(box)
    box.faults.add(system="cin7", method="POST", path="advanced-purchase", drop="after")
    assert isinstance(save(client, PURCHASES, new(record))[0], Unanswered)
    assert words(save(client, PURCHASES, in_doubt(record))) == ["Begun", "created"]
    (there,) = box.cin7.purchases.values()
    assert there["Order"]["TotalBeforeTax"] == 425


def test_a_lost_answer_to_the_lines_is_repeated_and_changes_nothing(box: Sandbox, supplier_id: str) -> None:
    """Lines are overwritten as a whole, so they can be sent twice."""
    box.faults.add(system="cin7", method="POST", path="purchase/order", drop="after", times=2)
    assert words(save(client_on(box), PURCHASES, new(purchase(supplier_id)))) == ["Begun", "created"]
    (there,) = box.cin7.purchases.values()
    assert len(there["Order"]["Lines"]) == 1


def test_a_crash_after_the_header_is_completed_by_its_id(box: Sandbox, supplier_id: str) -> None:
    record = purchase(supplier_id)
    outcomes = client_on(box).save(PURCHASES, [new(record)])
    begun = next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    assert isinstance(begun, Begun)
    assert words(save(client_on(box), PURCHASES, in_doubt(record, begun.remote_id))) == ["created"]
    assert len(box.cin7.purchases) == 1


def test_a_lost_answer_does_not_stop_the_drafts_behind_it(box: Sandbox, supplier_id: str) -> None:
    drafts = [new(purchase(supplier_id, order_no=number)) for number in ("P1", "P2", "P3")]
    box.faults.add(system="cin7", method="POST", path="advanced-purchase", drop="after")
    client = client_on(box)
    assert words(save(client, PURCHASES, *drafts)) == ["Unanswered", "Begun", "created", "Begun", "created"]
    assert words(save(client, PURCHASES, in_doubt(drafts[0].record))) == ["Begun", "created"]
    assert sorted(there["Note"].split("\n")[0] for there in box.cin7.purchases.values()) == [
        "IFS 0010/P1",
        "IFS 0010/P2",
        "IFS 0010/P3",
    ]


def test_an_answer_lost_before_cin7_acted_is_sent_once(box: Sandbox, supplier_id: str) -> None:
    record, client = purchase(supplier_id), client_on(box)
    box.faults.add(system="cin7", method="POST", path="advanced-purchase", drop="before")
    assert isinstance(save(client, PURCHASES, new(record))[0], Unanswered)
    assert words(save(client, PURCHASES, in_doubt(record))) == ["Begun", "created"]
    assert len(box.cin7.purchases) == 1


def test_a_purchase_is_found_by_its_note_where_the_account_has_no_attributes(box: Sandbox, supplier_id: str) -> None:
    record = purchase(supplier_id)
    done = save(client_on(box), PURCHASES, new(record))[-1]
    assert isinstance(done, Saved)
    box.cin7._purchases.find(done.remote_id)["AdditionalAttributes"] = {}
    assert save(client_on(box), PURCHASES, new(record))[-1].remote_id == done.remote_id  # type: ignore[union-attr]
    assert len(box.cin7.purchases) == 1


def test_an_order_number_that_begins_like_another_is_another(box: Sandbox, supplier_id: str) -> None:
    client = client_on(box)
    save(client, PURCHASES, new(purchase(supplier_id, order_no="P11")))
    assert words(save(client_on(box), PURCHASES, new(purchase(supplier_id)))) == ["Begun", "created"]


def test_two_purchases_for_one_order_are_refused_and_named(box: Sandbox, supplier_id: str) -> None:
    record, bare = purchase(supplier_id), Draft("0010/P1", purchase(supplier_id))
    save(client_on(box), PURCHASES, bare)
    save(client_on(box), PURCHASES, bare)
    (outcome,) = save(client_on(box), PURCHASES, new(record))
    assert isinstance(outcome, Refused)
    assert outcome.reason == "Cin7 has two purchases for 0010/P1: PO-00001 and PO-00002. Void one of them."


def test_looking_reads_each_candidate_once(box: Sandbox, supplier_id: str) -> None:
    for number in ("A", "B", "C"):
        save(client_on(box), PURCHASES, Draft(number, purchase(supplier_id, order_no=number)))
    box.forget_calls()
    client = client_on(box)
    for number in ("P1", "P2", "P3"):
        save(client, PURCHASES, new(purchase(supplier_id, order_no=number)))
    calls = {path.rpartition("/")[2]: count for (method, path), count in box.calls("cin7").items() if method == "GET"}
    assert calls["advanced-purchase"] == 3 and calls["purchaseList"] == 1


# --- refusals -------------------------------------------------------------------------------------------------------


def test_lines_that_cin7_refuses_leave_no_half_made_purchase(box: Sandbox, supplier_id: str) -> None:
    good = purchase(supplier_id)
    stale = msgspec.structs.replace(good, lines=(msgspec.structs.replace(good.lines[0], sku="GONE"),))
    client = client_on(box)
    begun, refused = save(client, PURCHASES, new(stale))
    assert isinstance(begun, Begun) and isinstance(refused, Refused)
    assert refused.reason.endswith("Product with SKU 'GONE' or ID '' not found")
    assert box.cin7.purchases[begun.remote_id]["Status"] == "VOIDED"
    assert words(save(client, PURCHASES, new(good, begun.remote_id))) == ["Begun", "created"]
    assert [there["Status"] for there in box.cin7.purchases.values()] == ["VOIDED", "ORDERING"]


def test_an_update_that_cin7_refuses_voids_nothing(box: Sandbox, supplier_id: str) -> None:
    good, client = purchase(supplier_id), client_on(box)
    done = save(client, PURCHASES, new(good))[-1]
    assert isinstance(done, Saved)
    stale = msgspec.structs.replace(good, lines=(msgspec.structs.replace(good.lines[0], sku="GONE"),))
    assert words(save(client, PURCHASES, new(stale, done.remote_id))) == ["Refused"]
    assert box.cin7.purchases[done.remote_id]["Status"] == "ORDERING"


def test_a_purchase_that_a_person_voided_is_not_made_again(box: Sandbox, supplier_id: str) -> None:
    client = client_on(box)
    done = save(client, PURCHASES, new(purchase(supplier_id)))[-1]
    assert isinstance(done, Saved)
    box.cin7._purchases.void(done.remote_id, True)
    (outcome,) = save(client, PURCHASES, new(purchase(supplier_id), done.remote_id))
    assert isinstance(outcome, Refused) and outcome.rule == "was_cancelled_by_a_person"
    assert outcome.reason.startswith("Cin7 has purchase PO-00001 for 0010/P1, and it is voided there.")


def test_a_total_that_cin7_keeps_otherwise_is_never_taken_for_delivered(box: Sandbox, supplier_id: str) -> None:
    record = purchase(supplier_id, order_line(buy_unit_price=Decimal("1.25"), tax_code=None))
    done = save(client_on(box), PURCHASES, new(record))[-1]
    assert isinstance(done, Saved)
    box.cin7.purchases[done.remote_id]["Order"]["TotalBeforeTax"] = Decimal("125.01")
    (outcome,) = save(client_on(box), PURCHASES, new(record, done.remote_id))
    assert isinstance(outcome, Refused)
    assert outcome.reason == "Cin7 keeps TotalBeforeTax 125.01 for 0010/P1, and IFS says 125.00. Correct it in Cin7."


def test_a_service_order_is_a_service_purchase_and_cannot_take_parts_later(box: Sandbox, supplier_id: str) -> None:
    client = client_on(box)
    done = save(client, PURCHASES, new(purchase(supplier_id, service_line())))[-1]
    assert isinstance(done, Saved)
    assert box.cin7.purchases[done.remote_id]["IsServiceOnly"] is True
    (outcome,) = save(client, PURCHASES, new(purchase(supplier_id), done.remote_id))
    assert isinstance(outcome, Refused) and "is a service purchase in Cin7 and cannot hold parts" in outcome.reason


def test_a_header_that_cin7_refuses_begins_nothing(box: Sandbox, supplier_id: str) -> None:
    record = msgspec.structs.replace(purchase(supplier_id), location="The moon")
    (outcome,) = save(client_on(box), PURCHASES, new(record))
    assert isinstance(outcome, Refused) and outcome.reason.endswith("Location 'The moon' not found")
    assert box.cin7.purchases == {}


def test_money_is_exact_on_the_wire(box: Sandbox, supplier_id: str) -> None:
    line = order_line(
        buy_qty_due=Decimal("3"), buy_unit_price=Decimal("33333333333.3333"), line_amount=Decimal("99999999999.9999")
    )
    save(client_on(box), PURCHASES, new(purchase(supplier_id, line)))
    (there,) = box.cin7.purchases.values()
    assert str(there["Order"]["Lines"][0]["Price"]) == "33333333333.3333"
    assert str(there["Order"]["Lines"][0]["Total"]) == "100000000000.00"


def test_a_buyers_discount_is_a_difference_and_what_else_changed_is_written(box: Sandbox, supplier_id: str) -> None:
    done = save(client_on(box), PURCHASES, new(purchase(supplier_id)))[-1]
    assert isinstance(done, Saved)
    (line,) = box.cin7.purchases[done.remote_id]["Order"]["Lines"]
    line.update(Discount=Decimal(10), Total=Decimal("112.50"))
    same = save(client_on(box), PURCHASES, new(purchase(supplier_id), done.remote_id))[-1]
    assert isinstance(same, Saved) and same.action == "adopted"
    (told,) = same.disagreements
    assert told[:5] == ("other_discount", "Discount of BOLT-8", "0", "10", "-12.50")
    assert "other_discount" in same.looked_for and told.currency == "SEK"
    moved = msgspec.structs.replace(purchase(supplier_id), remark="To the front door")
    outcome = save(client_on(box), PURCHASES, new(moved, done.remote_id))[-1]
    assert isinstance(outcome, Saved) and outcome.action == "updated" and outcome.disagreements == (told,)
    kept = box.cin7.purchases[done.remote_id]
    assert kept["Order"]["Lines"] == [line] and "front door" in kept["Note"]


def test_a_buyers_discount_on_a_draft_is_told_and_not_overwritten(box: Sandbox, supplier_id: str) -> None:
    done = save(client_on(box), PURCHASES, new(purchase(supplier_id)))[-1]
    assert isinstance(done, Saved)
    (line,) = box.cin7.purchases[done.remote_id]["Order"]["Lines"]
    line.update(Discount=Decimal(10), Total=Decimal("112.50"))
    more = order_line(buy_qty_due=Decimal(200), line_amount=Decimal(250))
    (outcome,) = save(client_on(box), PURCHASES, new(purchase(supplier_id, more), done.remote_id))
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("PO-00001 gives 10 % discount on BOLT-8 in Cin7, and 0010/P1 says 0 %.")
    assert box.cin7.purchases[done.remote_id]["Order"]["Lines"] == [line]


def test_a_date_that_is_taken_out_in_the_erp_leaves_cin7(box: Sandbox, supplier_id: str) -> None:
    done = save(client_on(box), PURCHASES, new(purchase(supplier_id)))[-1]
    assert isinstance(done, Saved)
    without = purchase(supplier_id, wanted_receipt_date=None)
    save(client_on(box), PURCHASES, new(without, done.remote_id))
    assert box.cin7.purchases[done.remote_id]["RequiredBy"] is None
    box.forget_calls()
    assert words(save(client_on(box), PURCHASES, new(without, done.remote_id))) == ["adopted"]
    assert box.journal("cin7") == []
