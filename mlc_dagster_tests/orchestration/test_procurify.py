"""Procurify's bills and orders through Dagster into the ERP's books: once, whole, and never twice for one expense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import dagster as dg
import pytest

from mlc_dagster.core.outcomes import Draft, Ready, Saved
from mlc_dagster.ledger import Run
from mlc_dagster.sandbox.procurify import whole_documents
from mlc_dagster.sandbox.procurify.lines import Line
from mlc_dagster.systems.procurify.mapping import BILLS_FLOW, PROPOSALS_FLOW, SUPPLIERS_FLOW
from mlc_dagster.systems.procurify.settings import ProcurifySettings
from mlc_dagster_tests.orchestration.conftest import DAY, World, check, metadata, settings_for

pytestmark = pytest.mark.slow  # whole Dagster runs, or whole processes: a minute of them and more

AT = datetime(2026, 11, 5, 9, tzinfo=UTC)
LATER = datetime(2026, 11, 5, 15, tzinfo=UTC)


@pytest.fixture
def procurify(world: World) -> World:
    """A world whose Procurify is on, with a vendor that is supplier S1, a department and a location of company 0010."""
    section = ProcurifySettings(
        base_url=f"{world.box.url}/procurify", requests_per_second=100_000, payment_terms={"30": "Net 30"}
    )
    world.box.procurify.books.put_location("Stockholm", "0010", "SEK")
    world.box.procurify.books.put_department("Operations", "CC100", "Stockholm")
    world.box.procurify.books.put_department("Engineering", "CC200", "Stockholm")
    world.put_account("4020")
    world.box.procurify.put_vendor(
        id=81, name="Supplier S1", external_id="S1", country="Sweden", currency="SEK", dateModified=AT
    )
    for value in ("CC100", "CC200"):
        keys = {"Company": "0010", "CodePart": "B", "CodePartValue": value}
        world.box.ifs.put("CodePartValueSet", {**keys, "Description": value}, modified=AT)
    found = replace(world, settings=world.settings.model_copy(update={"procurify": section, "cin7": None}))
    found.chart()
    link(found)
    return found


def link(world: World, vendor: str = "81", supplier: str = "S1") -> None:
    record = Ready(vendor, "2026-11-05", "known", None)  # type: ignore[arg-type]
    with world.ledger as ledger:
        run = Run("linked", DAY)
        ledger.begin(SUPPLIERS_FLOW, [(record, None)], run=run)
        ledger.finish(SUPPLIERS_FLOW, [(record, Saved(Draft(vendor, None), supplier, "adopted"))], run=run)


def load(world: World, *names: str, day: str = DAY) -> dg.ExecuteInProcessResult:
    names = names or ("purchase_order_list", "bill_list")
    flows = {"purchase_order_list": PROPOSALS_FLOW, "bill_list": BILLS_FLOW}
    only = [each for name in names for each in (f"procurify/{name}", f"{flows[name]}_prepared", flows[name])]
    result = world.run("procurify", day, only=only)
    assert result.success
    return result


def put_bill(world: World, *lines: Line, at: datetime = AT, **fields: Any) -> str:
    day = "2026-11-04T00:00:00Z"
    dated = {"invoice_date": day, "gl_post_date": day, "due_date": "2026-12-04T00:00:00Z"}
    lines = lines or (Line("500.00", "4010", tax="125.00"),)
    return world.box.procurify.put_bill(81, lines, last_modified_datetime=at, **{**dated, **fields})


def put_order(world: World, *lines: Line, at: datetime = AT, **fields: Any) -> int:
    lines = lines or (Line("500.00", "4010", tax="125.00"),)
    return world.box.procurify.put_purchase_order(81, lines, last_modified=at, date=at, **fields)


def invoices(world: World) -> list[Mapping[str, Any]]:
    return [row for row in world.box.ifs.rows("SupplierInvoiceSet") if row["ObjState"] != "Cancelled"]


def proposals(world: World) -> list[Mapping[str, Any]]:
    return [row for row in world.box.ifs.rows("PostingProposalHeadSet") if row["ObjState"] != "Cancelled"]


def load_vendors(world: World) -> None:
    """They are of the day on which they were first seen, which is today."""
    today = datetime.now(UTC).date().isoformat()
    only = ["procurify/vendor_list", f"{SUPPLIERS_FLOW}_prepared", SUPPLIERS_FLOW]
    assert world.run("procurify", today, only=only).success


def with_section(world: World, **changes: Any) -> World:
    section = world.settings.procurify.model_copy(update=changes)  # type: ignore[union-attr]
    return replace(world, settings=world.settings.model_copy(update={"procurify": section}))


def coded(document: Mapping[str, Any], lines: str = "SupplierInvoiceLines") -> list[tuple[str, str, Decimal]]:
    return [(line["Account"], line["CodeB"], Decimal(line["Amount"])) for line in document[lines]]


def held(world: World, flow: str = BILLS_FLOW) -> dict[str, set[str]]:
    """Key -> the rules that it does not meet."""
    with world.ledger as ledger:
        return {hold.key: {problem.rule for problem in hold.problems} for hold in ledger.open_holds(flow)}


def test_an_approved_bill_is_posted_whole_and_once(procurify: World) -> None:
    split = (("4010", "Operations", "333.33"), ("4020", "Engineering", "166.67"))
    lines = (Line("500.00", tax="125.00", splits=split, description="Drill bits"), Line("80", "4010", tax="20"))
    uuid = put_bill(procurify, *lines, invoice_number="INV-55")
    load(procurify)
    (invoice,) = invoices(procurify)
    names = ("Company", "SupplierId", "InvoiceNo", "InvoiceDate", "DueDate", "CurrencyCode", "ExternalRef")
    assert tuple(invoice[name] for name in names) == (
        *("0010", "S1", "INV-55", "2026-11-04", "2026-12-04", "SEK"),
        f"procurify-bill-{uuid}",
    )
    amounts = tuple(Decimal(invoice[name]) for name in ("NetAmount", "VatAmount", "GrossAmount"))
    assert amounts == (Decimal("580.00"), Decimal("145.00"), Decimal("725.00"))
    assert coded(invoice) == [
        ("4010", "CC100", Decimal("333.33")),
        ("4020", "CC200", Decimal("166.67")),
        ("4010", "CC100", Decimal("80.00")),
    ]


def test_the_second_run_reads_again_and_writes_nothing(procurify: World) -> None:
    put_bill(procurify)
    put_order(procurify)
    load(procurify)
    procurify.box.forget_calls()
    again = load(procurify)
    assert metadata(again, BILLS_FLOW)["unchanged"] == 1 and metadata(again, PROPOSALS_FLOW)["unchanged"] == 1
    assert procurify.box.journal("ifs") == [] and procurify.box.journal("procurify") == []


def test_an_unanswered_post_is_found_by_the_next_look_and_never_repeated(procurify: World) -> None:
    uuid = put_bill(procurify)
    procurify.box.faults.add(system="ifs", method="POST", path="$batch", drop="after")
    load(procurify)
    load(procurify)
    assert [row["ExternalRef"] for row in invoices(procurify)] == [f"procurify-bill-{uuid}"]
    assert held(procurify) == {}


def test_drafts_and_what_no_supplier_sent_are_out_of_scope_and_cost_no_call_of_their_own(procurify: World) -> None:
    for status in (0, 1, 3, 5, 8):
        put_bill(procurify, status=status)
    put_bill(procurify, type=1)
    put_bill(procurify, type=2)
    result = load(procurify, "bill_list")
    shown = metadata(result, f"{BILLS_FLOW}_prepared")
    final = ("denied, before it was entered", "withdrawn, before it was entered")
    words = ("draft", "waits for approval", *final, "payment in limbo", "expense", "credit card")
    assert {word: shown[f"out of scope: {word}"] for word in words} == dict.fromkeys(words, 1)
    assert shown["rows_read"] == shown["out_of_scope"] == 7 and held(procurify) == {}
    assert not [path for _, path in procurify.box.calls("procurify") if "/v2/ap/bills/" in path]


# --- one expense ----------------------------------------------------------------------------------------------------


def test_the_bill_takes_the_place_of_its_orders_proposal(procurify: World) -> None:
    order = put_order(procurify)
    load(procurify)
    assert [row["ExternalRef"] for row in proposals(procurify)] == [f"procurify-po-{order}"]
    uuid = put_bill(procurify, Line("500.00", "4010", tax="125.00", po=order), at=LATER)
    load(procurify)
    assert proposals(procurify) == [] and [r["ExternalRef"] for r in invoices(procurify)] == [f"procurify-bill-{uuid}"]
    load(procurify)
    assert proposals(procurify) == [], "the order is read again, and its proposal stays cancelled"


def test_an_order_that_comes_after_its_bill_gets_no_proposal(procurify: World) -> None:
    order = put_order(procurify)
    put_bill(procurify, Line("500.00", "4010", tax="125.00", po=order))
    load(procurify, "bill_list")
    load(procurify, "purchase_order_list")
    assert proposals(procurify) == [] and len(invoices(procurify)) == 1


def test_two_bills_of_one_order_are_two_invoices_and_no_proposal(procurify: World) -> None:
    order = put_order(procurify)
    load(procurify)
    for half in ("200.00", "300.00"):
        put_bill(procurify, Line(half, "4010", po=order), at=LATER)
    load(procurify)
    assert proposals(procurify) == []
    assert sorted(Decimal(row["GrossAmount"]) for row in invoices(procurify)) == [Decimal("200"), Decimal("300")]


def test_one_bill_of_two_orders_takes_the_place_of_both(procurify: World) -> None:
    orders = [put_order(procurify), put_order(procurify)]
    load(procurify)
    put_bill(procurify, *(Line("500.00", "4010", po=order) for order in orders), at=LATER)
    load(procurify)
    assert proposals(procurify) == [] and len(invoices(procurify)) == 1


def test_a_changed_order_gets_one_new_proposal_in_place_of_the_old(procurify: World) -> None:
    order = put_order(procurify)
    load(procurify)
    procurify.box.procurify.touch_purchase_order(order, total="650.00", freight="25.00", last_modified=LATER)
    load(procurify)
    (proposal,) = proposals(procurify)
    assert Decimal(proposal["GrossAmount"]) == Decimal("650.00")


def test_a_cancelled_order_loses_its_proposal_and_one_that_never_had_any_is_out_of_scope(procurify: World) -> None:
    order, other = put_order(procurify), put_order(procurify, state=1)
    load(procurify)
    procurify.box.procurify.touch_purchase_order(order, state=1, last_modified=LATER)
    result = load(procurify)
    assert proposals(procurify) == [] and held(procurify, PROPOSALS_FLOW) == {}
    assert metadata(result, f"{PROPOSALS_FLOW}_prepared")["out of scope: cancelled"] == 1
    references = {row["ExternalRef"] for row in procurify.box.ifs.rows("PostingProposalHeadSet")}
    assert references == {f"procurify-po-{order}"} and other != order


@pytest.mark.parametrize("backfill", [False, True])
def test_an_order_that_was_closed_when_first_seen_gets_a_proposal_only_where_asked(
    procurify: World, backfill: bool
) -> None:
    put_order(procurify, state=3)
    put_order(procurify, state=4)
    put_order(procurify, most_recent_version=False)
    load(with_section(procurify, backfill_closed=backfill))
    assert len(proposals(procurify)) == (2 if backfill else 0)


@pytest.mark.parametrize("changes, left", [({}, 0), ({"part_bills": "replace"}, 1), ({"backfill_closed": True}, 1)])
def test_an_order_that_is_closed_later_is_expected_no_more_where_bills_take_their_parts(
    procurify: World, changes: dict[str, Any], left: int
) -> None:
    """Procurify reopens an order before anything of it is billed again."""
    order = put_order(procurify)
    load(with_section(procurify, **changes))
    procurify.box.procurify.touch_purchase_order(order, state=3, last_modified=LATER)
    load(with_section(procurify, **changes))
    assert len(proposals(procurify)) == left and held(procurify, PROPOSALS_FLOW) == {}
    procurify.box.procurify.touch_purchase_order(order, state=5, last_modified=LATER)
    load(with_section(procurify, **changes))
    assert len(proposals(procurify)) == 1 and held(procurify, PROPOSALS_FLOW) == {}


# --- part bills -----------------------------------------------------------------------------------------------------

TEN = Line("1000.00", "4010", tax="250.00")


def part(world: World, order: int, net: str, tax: str = "0", at: datetime = LATER, **fields: Any) -> str:
    return put_bill(world, Line(net, "4010", tax=tax, po=order), at=at, **fields)


def expected(world: World) -> list[tuple[Decimal, Decimal]]:
    """(net, VAT) of each proposal that stands."""
    return [(Decimal(row["NetAmount"]), Decimal(row["VatAmount"])) for row in proposals(world)]


@pytest.mark.parametrize("orders_first", [True, False])
def test_a_part_bill_takes_its_part_of_the_proposal_and_leaves_the_rest(procurify: World, orders_first: bool) -> None:
    order = put_order(procurify, TEN)
    if orders_first:
        load(procurify)
    part(procurify, order, "400.00", "100.00")
    load(procurify)
    assert expected(procurify) == [(Decimal("600"), Decimal("150"))] and len(invoices(procurify)) == 1
    procurify.box.forget_calls()
    load(procurify)
    assert procurify.box.journal("ifs") == [], "nothing is written twice"
    part(procurify, order, "600.00", "150.00", at=LATER)
    load(procurify)
    assert expected(procurify) == [] and len(invoices(procurify)) == 2 and held(procurify, PROPOSALS_FLOW) == {}


def test_the_bills_load_alone_reduces_the_proposal_at_once(procurify: World) -> None:
    """A bill that heals is loaded without its order's list."""
    order = put_order(procurify, TEN)
    load(procurify)
    part(procurify, order, "400.00")
    part(procurify, order, "100.00")
    load(procurify, "bill_list")
    assert expected(procurify) == [(Decimal("500"), Decimal("250"))]
    load(procurify)
    assert expected(procurify) == [(Decimal("500"), Decimal("250"))] and held(procurify, PROPOSALS_FLOW) == {}


def test_a_denied_bill_gives_its_part_back_and_is_held_and_one_that_is_approved_again_takes_it(
    procurify: World,
) -> None:
    order = put_order(procurify, TEN)
    uuid = part(procurify, order, "400.00", at=AT)
    load(procurify)
    assert expected(procurify) == [(Decimal("600"), Decimal("250"))]
    procurify.box.procurify.touch_bill(uuid, status=3, last_modified_datetime=LATER)
    load(procurify)
    assert expected(procurify) == [(Decimal("1000"), Decimal("250"))]
    assert held(procurify) == {uuid: {"bill_still_stands"}}
    procurify.box.procurify.touch_bill(uuid, status=2, last_modified_datetime=LATER)
    load(procurify)
    assert expected(procurify) == [(Decimal("600"), Decimal("250"))] and held(procurify) == {}


def test_a_bill_that_is_held_takes_nothing_until_it_is_posted(procurify: World) -> None:
    order = put_order(procurify, TEN)
    uuid = put_bill(procurify, Line("400.00", "4777", po=order), at=LATER)
    load(procurify)
    assert expected(procurify) == [(Decimal("1000"), Decimal("250"))] and uuid in held(procurify)
    procurify.put_account("4777")
    procurify.chart()
    load(procurify)
    assert expected(procurify) == [(Decimal("600"), Decimal("250"))] and held(procurify) == {}


def test_parts_of_two_orders_are_taken_of_each_and_an_order_that_changes_keeps_what_was_taken(
    procurify: World,
) -> None:
    first, second = put_order(procurify, Line("1000", "4010")), put_order(procurify, Line("500", "4020"))
    put_bill(procurify, Line("400", "4010", po=first), Line("200", "4020", po=second), at=LATER)
    load(procurify)
    assert sorted(expected(procurify)) == [(Decimal("300"), Decimal("0")), (Decimal("600"), Decimal("0"))]
    procurify.box.procurify.touch_purchase_order(first, total="1025.00", freight="25.00", last_modified=LATER)
    load(procurify)
    assert sorted(expected(procurify)) == [(Decimal("300"), Decimal("0")), (Decimal("625"), Decimal("0"))]


def test_a_bill_that_is_seen_on_a_later_day_than_its_order_reduces_it(procurify: World) -> None:
    order = put_order(procurify, TEN)
    load(procurify)
    part(procurify, order, "400.00", at=datetime(2026, 11, 7, 9, tzinfo=UTC))
    for day in ("2026-11-07", DAY):
        load(procurify, day=day)
        assert expected(procurify) == [(Decimal("600"), Decimal("250"))], "an older day changes nothing back"


def test_an_unanswered_reduction_is_looked_for_and_not_done_twice(procurify: World) -> None:
    order = put_order(procurify, TEN)
    load(procurify)
    part(procurify, order, "400.00")
    procurify.box.faults.add(system="ifs", method="POST", path="$batch", drop="after", times=2)
    load(procurify, "bill_list")
    load(procurify)
    assert expected(procurify) == [(Decimal("600"), Decimal("250"))] and len(invoices(procurify)) == 1
    assert held(procurify) == {}


def test_where_what_is_left_of_an_order_cannot_be_told_the_bill_is_held(procurify: World) -> None:
    orders = [put_order(procurify, Line("1000", "4010")) for _ in range(2)]
    uuid = put_bill(procurify, Line("400", "4010"), orders=orders, at=LATER)
    load(procurify)
    assert held(procurify) == {uuid: {"parts_of_orders_are_known"}} and len(proposals(procurify)) == 2


def test_with_replace_the_first_bill_ends_the_proposal(procurify: World) -> None:
    whole = with_section(procurify, part_bills="replace")
    order = put_order(whole, TEN)
    load(whole)
    part(whole, order, "400.00")
    load(whole)
    assert expected(whole) == [] and len(invoices(whole)) == 1


# --- held -----------------------------------------------------------------------------------------------------------


def test_a_bill_that_changes_after_posting_is_held_and_the_invoice_stays(procurify: World) -> None:
    uuid = put_bill(procurify)
    load(procurify)
    procurify.box.procurify.touch_bill(
        uuid,
        subtotal_cost=600,
        total_cost=600,
        total_cost_with_tax=725,
        invoice_total=725,
        last_modified_datetime=LATER,
    )
    bill = procurify.box.procurify.bills[uuid]
    allocation = {**bill["items"][0]["cost_allocations"][0], "amount": "600.00"}
    item = {**bill["items"][0], "total_cost": 600, "cost_allocations": [allocation]}
    procurify.box.procurify.touch_bill(uuid, items=[item], last_modified_datetime=LATER)
    load(procurify)
    assert held(procurify) == {uuid: {"not_changed_after_posting"}}
    assert [Decimal(row["GrossAmount"]) for row in invoices(procurify)] == [Decimal("625.00")]


def test_a_bill_that_is_paid_after_posting_is_unchanged(procurify: World) -> None:
    uuid = put_bill(procurify)
    load(procurify)
    procurify.box.procurify.touch_bill(uuid, status=4, last_modified_datetime=LATER)
    assert metadata(load(procurify), BILLS_FLOW)["unchanged"] == 1
    assert held(procurify) == {} and len(invoices(procurify)) == 1


@pytest.mark.parametrize("status, word", [(3, "denied"), (5, "withdrawn"), (0, "draft")])
def test_a_bill_that_is_taken_back_after_posting_is_held_for_review_by_one_rule(
    procurify: World, status: int, word: str
) -> None:
    uuid = put_bill(procurify)
    load(procurify)
    procurify.box.procurify.touch_bill(uuid, status=status, last_modified_datetime=LATER)
    load(procurify)
    assert held(procurify) == {uuid: {"bill_still_stands"}}
    with procurify.ledger as ledger:
        (hold,) = ledger.open_holds(BILLS_FLOW)
    assert word in hold.problems[0].reason and len(invoices(procurify)) == 1


@pytest.mark.parametrize(
    "line, rule",
    [
        (Line("100", "4O10"), "gl_accounts_exist"),
        (Line("100", "5999"), "gl_accounts_exist"),
        (Line("100", splits=()), "department_is_mapped"),
        (Line("100", "4010", None), "department_is_mapped"),
        (Line("100", "4010", "Ventures"), "department_is_mapped"),
        (Line("100", "4010", "Unknown place"), "all_is_of_one_company"),
        (Line("100", splits=(("4010", "Operations", "50"), ("4010", "Osaka plant", "50"))), "all_is_of_one_company"),
        (Line("100", "4010", "No such centre"), "code_parts_exist"),
        (Line("100", splits=(("4010", "Operations", "40"),)), "amounts_add_up"),
        (Line("-100", "4010"), "credits_are_posted"),
    ],
)
def test_a_bill_that_would_be_wrong_in_the_books_is_held(procurify: World, line: Line, rule: str) -> None:
    procurify.put_account("5999", Blocked=True)
    books = procurify.box.procurify.books
    books.put_department("Ventures", "", "Stockholm")
    books.put_location("Osaka", "20", "JPY")
    books.put_location("Nowhere", "", "SEK")
    books.put_department("Osaka plant", "CC100", "Osaka")
    books.put_department("Unknown place", "CC100", "Nowhere")
    books.put_department("No such centre", "CC999", "Stockholm")
    procurify.chart()
    good, bad = put_bill(procurify), put_bill(procurify, line)
    result = load(procurify)
    assert rule in held(procurify)[bad] and good not in held(procurify)
    assert not check(result, f"{BILLS_FLOW}_prepared", rule).passed
    assert len(invoices(procurify)) == 1


def test_a_bill_of_a_closed_period_is_held(procurify: World) -> None:
    uuid = put_bill(procurify)
    company = procurify.settings.companies["0010"].model_copy(update={"closed_until": AT.date()})
    settings = procurify.settings.model_copy(update={"companies": {"0010": company}})
    load(replace(procurify, settings=settings))
    assert held(procurify) == {uuid: {"period_is_open"}} and invoices(procurify) == []


def test_a_vendor_that_is_no_supplier_yet_holds_its_bill_until_it_is(procurify: World) -> None:
    vendor = procurify.box.procurify.put_vendor(name="Lofoten Ropes AS", country="Norway", currency="SEK")
    dated = {"invoice_date": "2026-11-04T00:00:00Z", "last_modified_datetime": AT}
    uuid = procurify.box.procurify.put_bill(vendor, (Line("100", "4010"),), **dated)
    load(procurify)
    assert held(procurify) == {uuid: {"supplier_exists"}}
    load_vendors(procurify)
    load(procurify)
    (made,) = [row for row in procurify.box.ifs.rows("SupplierSet") if row["Name"] == "Lofoten Ropes AS"]
    assert (made["Country"], made["CurrencyCode"]) == ("NO", "SEK")
    assert held(procurify) == {} and [row["SupplierId"] for row in invoices(procurify)] == [made["SupplierId"]]
    procurify.box.forget_calls()
    load_vendors(procurify)
    assert procurify.box.journal("ifs") == [] and procurify.box.journal("procurify") == []


def enter_by_hand(world: World, gross: str) -> None:
    amounts = {"NetAmount": Decimal(gross), "VatAmount": Decimal(0), "GrossAmount": Decimal(gross)}
    keys = {"Company": "0010", "InvoiceId": 7, "SupplierId": "S1", "InvoiceNo": "INV-55", "CurrencyCode": "SEK"}
    line = {"Company": "0010", "InvoiceId": 7, "RowId": 1, "Amount": Decimal(gross), "Account": "4010"}
    row = {**keys, **amounts, "ObjState": "Posted", "InvoiceDate": "2026-11-03", "SupplierInvoiceLines": [line]}
    world.box.ifs.put("SupplierInvoiceSet", row, modified=AT)


def test_the_same_invoice_entered_by_hand_is_adopted_and_not_doubled(procurify: World) -> None:
    enter_by_hand(procurify, "625.00")
    put_bill(procurify, invoice_number="INV-55")
    assert metadata(load(procurify), BILLS_FLOW)["adopted"] == 1
    assert len(invoices(procurify)) == 1 and held(procurify) == {}


def test_another_amount_under_a_number_entered_by_hand_is_held(procurify: World) -> None:
    enter_by_hand(procurify, "600.00")
    uuid = put_bill(procurify, invoice_number="INV-55")
    load(procurify)
    assert held(procurify) == {uuid: {"not_posted_already"}} and len(invoices(procurify)) == 1


def test_of_two_bills_under_one_number_of_a_vendor_one_is_posted_and_the_other_held(procurify: World) -> None:
    bills = {put_bill(procurify, invoice_number="INV-55") for _ in range(2)}
    load(procurify)
    assert len(invoices(procurify)) == 1 and len(held(procurify).keys() & bills) == 1


# --- settings -------------------------------------------------------------------------------------------------------


def test_orders_that_are_off_are_not_even_read(procurify: World) -> None:
    off = with_section(procurify, purchase_orders="off")
    keys = {spec.key.to_user_string() for spec in off.defs.resolve_all_asset_specs()}
    assert "procurify/bill_list" in keys and "procurify/purchase_order_list" not in keys
    put_bill(procurify)
    load(off, "bill_list")
    assert len(invoices(procurify)) == 1


def test_a_credit_is_posted_where_that_is_switched_on(procurify: World) -> None:
    put_bill(procurify, Line("-100", "4010", tax="-25"))
    load(with_section(procurify, post_credits=True))
    assert [Decimal(row["GrossAmount"]) for row in invoices(procurify)] == [Decimal("-125")]


def test_a_tenant_that_heeds_no_filter_is_read_as_well(procurify: World) -> None:
    procurify.box.procurify.heeds_filters = False
    put_bill(procurify, at=datetime(2026, 11, 3, 9, tzinfo=UTC))
    uuid = put_bill(procurify)
    result = load(procurify, "bill_list")
    assert metadata(result, "procurify/bill_list")["rows_read"] == 1
    assert [row["ExternalRef"] for row in invoices(procurify)] == [f"procurify-bill-{uuid}"]


def test_the_location_with_procurify_is_valid_and_shows_no_secret(procurify: World) -> None:
    from dagster._core.remote_representation.external_data import RepositorySnap

    dg.Definitions.validate_loadable(procurify.defs)
    shown: Any = dg.serialize_value(RepositorySnap.from_def(procurify.defs.get_repository_def()))
    assert "sandbox-procurify-secret" not in str(shown)


# --- vendors --------------------------------------------------------------------------------------------------------


def test_while_writing_is_off_drift_is_reported_and_not_one_call_writes(procurify: World) -> None:
    books = procurify.box.procurify
    books.put_vendor(name="Nobody AB", country="Sweden", currency="SEK", type=4)
    procurify.put_supplier("S7", Name="By Name AB")
    books.put_vendor(name="By name ab", country="sweden", currency="EUR", type=4)
    books.put_vendor(name="Anna (expenses)", type=5)
    procurify.put_supplier("S8", Name="Twins AB")
    procurify.put_supplier("S9", Name="Twins AB")
    books.put_vendor(name="Twins AB", country="Sweden", type=4)
    today = datetime.now(UTC).date().isoformat()
    assert procurify.run("procurify", today, only=["procurify/vendor_list"]).success
    assert procurify.run("ifs", only=["ifs/supplier_set"]).success
    result = procurify.references("procurify")
    (event,) = result.asset_materializations_for_node("procurify__vendor_drift")
    shown = {name: value.value for name, value in event.metadata.items()}
    assert (shown["vendors"], shown["matched"], shown["different"], shown["unmatched"]) == (4, 1, 1, 2)
    reasons = {row.data["vendor"]: row.data["why"] for row in event.metadata["what_differs"].records}
    assert "currency is EUR there and SEK in IFS" in reasons["By name ab"] and "S8, S9" in reasons["Twins AB"]
    assert not check(result, "procurify/vendor_drift", "vendors_are_suppliers").passed
    keys = {spec.key.to_user_string() for spec in procurify.defs.resolve_all_asset_specs()}
    assert "procurify/vendors" not in keys and procurify.box.journal("procurify") == []


def test_with_writing_on_a_vendor_gets_the_number_and_what_differs_and_nothing_else(procurify: World) -> None:
    books = procurify.box.procurify
    number = books.put_vendor(name="By Name AB", country="Sweden", currency="SEK", email=["x@example.test"], type=4)
    procurify.put_supplier("S7", Name="By Name AB", Email="ap@example.test")
    on = with_section(procurify, vendor_writeback=True)
    only = ["ifs/supplier_set", "procurify/vendors_prepared", "procurify/vendors"]
    assert on.run("procurify", only=only).success
    written = [(entry["method"], entry["id"], entry["body"]) for entry in procurify.box.journal("procurify")]
    assert ("PATCH", str(number), {"external_id": "S7", "email": ["ap@example.test", "x@example.test"]}) in written
    assert all(method == "PATCH" for method, _, _ in written)
    procurify.box.forget_calls()
    assert on.run("procurify", only=only).success
    assert procurify.box.journal("procurify") == []


def test_a_supplier_without_a_vendor_is_held_or_created_as_the_settings_say(procurify: World) -> None:
    procurify.put_supplier("S7", Name="Lofoten Ropes AS", Country="NO")
    only = ["ifs/supplier_set", "procurify/vendors_prepared", "procurify/vendors"]
    on = with_section(procurify, vendor_writeback=True)
    assert on.run("procurify", only=only).success
    assert held(procurify, "procurify/vendors") == {"S7": {"vendor_is_matched"}}
    procurify.box.faults.add(system="procurify", method="POST", path="/vendors/", drop="after")
    assert with_section(on, create_vendors=True).run("procurify", only=only).success
    made = [row for row in procurify.box.procurify.vendors.values() if row["external_id"] == "S7"]
    assert [(row["name"], row["country"]) for row in made] == [("Lofoten Ropes AS", "Norway")]
    assert held(procurify, "procurify/vendors") == {}


def test_with_writing_on_a_field_that_both_sides_changed_is_the_owners(procurify: World) -> None:
    on = with_section(procurify, vendor_writeback=True, supplier_owners={"email": "hold", "name": "procurify"})
    only = ["ifs/supplier_set", "procurify/vendors_prepared", "procurify/vendors"]
    assert on.run("procurify", only=only).success
    on.put_supplier("S1", Name="Supplier One", Email="new@example.test")
    on.box.procurify.touch_vendor(81, name="Supplier Uno")
    on.box.forget_calls()
    assert on.run("procurify", only=only).success
    (written,) = [entry["body"] for entry in on.box.journal("procurify")]
    assert written["email"][0] == "new@example.test" and "name" not in written, "its own name counts, and goes to IFS"
    on.put_supplier("S1", Name="Supplier One", Email="newer@example.test")
    on.box.procurify.touch_vendor(81, email=["other@example.test"])
    assert on.run("procurify", only=only).success
    assert held(on, "procurify/vendors") == {"S1": {"both_sides_agree"}}


def test_a_linked_vendor_that_was_deactivated_is_told_and_no_second_one_is_made(procurify: World) -> None:
    """Procurify's list has active vendors alone, and a deactivated one loses its external id."""
    on = with_section(procurify, vendor_writeback=True, create_vendors=True)
    only = ["ifs/supplier_set", "procurify/vendors_prepared", "procurify/vendors"]
    assert on.run("procurify", only=only).success
    on.box.procurify.touch_vendor(81, active=False, external_id=None)
    on.put_supplier("S1", Name="Supplier One", Email="new@example.test")
    assert on.run("procurify", only=only).success
    with on.ledger as ledger:
        (hold,) = ledger.open_holds("procurify/vendors")
    assert hold.problems[0].rule == "deleted_in_the_target", "nothing that people put away comes back by itself"
    assert list(on.box.procurify.vendors) == [81]
    on.box.procurify.put_vendor(name="Supplier One", external_id="S1", country="Sweden", currency="SEK")
    assert on.run("procurify", only=only).success
    assert held(on, "procurify/vendors") == {}, "a person gave the number to another vendor"


@pytest.mark.parametrize("create", [False, True])
def test_what_procurify_does_not_keep_of_a_vendor_is_not_taken_for_delivered(procurify: World, create: bool) -> None:
    procurify.box.procurify.read_only.add("external_id")
    number = None if create else procurify.box.procurify.put_vendor(name="By Name AB", country="Sweden", type=4)
    procurify.put_supplier("S7", Name="By Name AB", Email="ap@example.test")
    on = with_section(procurify, vendor_writeback=True, create_vendors=create)
    only = ["ifs/supplier_set", "procurify/vendors_prepared", "procurify/vendors"]
    for _ in range(2):
        assert on.run("procurify", only=only).success
    with on.ledger as ledger:
        (hold,) = ledger.open_holds("procurify/vendors")
    assert hold.key == "S7" and "did not keep" in hold.problems[0].reason
    assert len(on.box.procurify.vendors) == 2 and (create or number in on.box.procurify.vendors)


def test_what_an_order_will_cost_is_no_invoice_for_another_saas(procurify: World) -> None:
    put_order(procurify)
    load(procurify)
    cin7 = procurify.settings.model_copy(update={"cin7": settings_for(procurify.box.url).cin7})
    today = datetime.now(UTC).date().isoformat()
    only = ["ifs/posting_proposal_head_set", "cin7/purchase_invoices_prepared", "cin7/purchase_invoices"]
    result = replace(procurify, settings=cin7).run("cin7", today, only=only)
    shown = metadata(result, "cin7/purchase_invoices_prepared", today)
    assert shown["rows_read"] == shown["out of scope: what an order of Procurify will cost"] == 1
    assert held(procurify, "cin7/purchase_invoices") == {} and procurify.box.cin7.purchases == {}


# --- as Procurify has them, and tenants differ ----------------------------------------------------------------------


@pytest.mark.parametrize("setting, day", [("gl_post_date", "2026-11-06"), ("invoice_date", "2026-11-04")])
def test_a_bill_is_posted_on_the_date_that_accounts_payable_set_and_names_the_vendors(
    procurify: World, setting: str, day: str
) -> None:
    put_bill(procurify, gl_post_date="2026-11-06T00:00:00Z")
    load(with_section(procurify, posting_date=setting))
    (invoice,) = invoices(procurify)
    assert invoice["InvoiceDate"] == day
    assert ("dated 2026-11-04" in invoice["Text"]) is (setting == "gl_post_date")


def test_a_bill_without_a_posting_date_is_posted_on_its_invoice_date(procurify: World) -> None:
    put_bill(procurify, gl_post_date=None)
    load(procurify)
    assert [row["InvoiceDate"] for row in invoices(procurify)] == ["2026-11-04"]


@pytest.mark.parametrize(
    "zone, moment, day",
    [
        ("Europe/Stockholm", "2026-11-04T23:30:00Z", "2026-11-05"),
        ("America/Vancouver", "2026-11-04T23:30:00Z", "2026-11-04"),
        ("America/Vancouver", "2026-11-04T00:00:00Z", "2026-11-04"),
        ("1", "2026-11-04T12:00:00Z", "2026-11-04"),
        ("5.5", "2026-11-04T19:00:00Z", "2026-11-05"),
    ],
)
def test_a_moment_is_the_day_that_it_is_at_the_location(procurify: World, zone: str, moment: str, day: str) -> None:
    """Midnight is a date, and is not shifted; hours alone do where summer time makes no difference."""
    procurify.box.procurify.books.put_location("Stockholm", "0010", "SEK", time_zone=zone)
    put_bill(procurify, gl_post_date=moment)
    load(procurify)
    assert held(procurify) == {} and [row["InvoiceDate"] for row in invoices(procurify)] == [day]


@pytest.mark.parametrize("zone", [None, "1", "Nowhere/At all"])
def test_a_moment_that_may_be_two_days_is_held_until_mlc_yaml_names_the_zone(
    procurify: World, zone: str | None
) -> None:
    procurify.box.procurify.books.put_location("Stockholm", "0010", "SEK", time_zone=zone)
    uuid = put_bill(procurify, gl_post_date="2026-11-04T22:30:00Z")
    load(procurify)
    assert uuid in held(procurify) and invoices(procurify) == []
    load(with_section(procurify, time_zones={"Stockholm": "Europe/Stockholm"}))
    assert held(procurify) == {} and [row["InvoiceDate"] for row in invoices(procurify)] == ["2026-11-04"]


def test_a_bill_of_two_currencies_is_held_and_its_sums_are_not_judged(procurify: World) -> None:
    uuid = put_bill(procurify, Line("500.00", "4010", fields={"currency": {"name": "EUR", "rate": "1"}}))
    load(procurify)
    assert held(procurify) == {uuid: {"one_currency"}} and invoices(procurify) == []


def test_a_bill_that_procurify_itself_calls_one_of_several_currencies_is_held(
    procurify: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lines show one: what else it has stands where we do not look."""
    several = {"has_multiple_currency": True, "total_cost": 0}
    monkeypatch.setattr(whole_documents, "summary", lambda total, currencies: several)
    uuid = put_bill(procurify)
    load(procurify)
    assert held(procurify) == {uuid: {"one_currency"}} and invoices(procurify) == []


@pytest.mark.parametrize("fields", [{"status": 9}, {"type": 3}])
def test_a_state_that_nobody_published_is_held_and_not_taken_for_not_approved(
    procurify: World, fields: dict[str, int]
) -> None:
    uuid, order = put_bill(procurify, **fields), put_order(procurify, state=7)
    load(procurify)
    assert held(procurify) == {uuid: {"state_is_known"}}
    assert held(procurify, PROPOSALS_FLOW) == {str(order): {"state_is_known"}} and invoices(procurify) == []


def test_a_bill_that_is_not_active_and_one_unlike_its_vendors_invoice_are_held(procurify: World) -> None:
    gone, other = put_bill(procurify, active=False), put_bill(procurify, invoice_total=624)
    load(procurify)
    assert held(procurify) == {gone: {"document_is_active"}, other: {"invoice_total_agrees"}}


def test_a_bill_of_a_vendor_that_was_never_listed_is_its_external_ids(procurify: World) -> None:
    """It was deactivated before the first read: the list has active vendors alone."""
    procurify.put_supplier("S7")
    vendor = procurify.box.procurify.put_vendor(name="Supplier S7", external_id="S7", currency="SEK", active=False)
    day = dict.fromkeys(("invoice_date", "due_date", "gl_post_date"), "2026-11-04T00:00:00Z")
    procurify.box.procurify.put_bill(vendor, (Line("100", "4010"),), last_modified_datetime=AT, **day)
    load(procurify)
    assert [row["SupplierId"] for row in invoices(procurify)] == ["S7"]


def test_a_bill_of_a_linked_vendor_that_was_deactivated_is_still_its_suppliers(procurify: World) -> None:
    procurify.box.procurify.touch_vendor(81, active=False, external_id=None)
    put_bill(procurify)
    load(procurify)
    assert [row["SupplierId"] for row in invoices(procurify)] == ["S1"]


def test_a_vendor_whose_external_id_is_another_suppliers_holds_its_bill(procurify: World) -> None:
    procurify.put_supplier("S7")
    procurify.box.procurify.touch_vendor(81, external_id="S7")
    uuid = put_bill(procurify)
    load(procurify)
    assert held(procurify) == {uuid: {"vendor_is_one_supplier"}} and invoices(procurify) == []


def test_an_order_of_dinars_is_expected_to_the_fils_though_its_totals_have_two_decimals(procurify: World) -> None:
    erp = procurify.settings.ifs.model_copy(update={"currencies": ("KWD",)})
    world = replace(procurify, settings=procurify.settings.model_copy(update={"ifs": erp}))
    order = procurify.box.procurify.put_purchase_order(
        81, (Line("1.255", "4010"), Line("2.374", "4010")), currency="KWD", last_modified=AT, date=AT
    )
    assert procurify.box.procurify.purchase_orders[order]["total"] == "3.63"
    load(world)
    assert held(world, PROPOSALS_FLOW) == {}
    assert [Decimal(row["GrossAmount"]) for row in proposals(world)] == [Decimal("3.629")]
