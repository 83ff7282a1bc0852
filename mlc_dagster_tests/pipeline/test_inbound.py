"""Out of scope, looked up, superseded, agreed on: what the way into the ERP asks of the journey."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mlc_dagster.core.facts import Books, Facts, KnownSupplier
from mlc_dagster.core.flows import Flow, Problem, Target
from mlc_dagster.core.outcomes import Draft, Outcome, Ready, Refused, Saved, Traffic
from mlc_dagster.core.vocabulary import EntitySet, Record, fingerprint
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.pipeline import Loaded, Verdict, load, prepare

RUN = Run("run-1", "2026-11-05")


class Bill(Record, frozen=True, kw_only=True):
    """A bill, for these tests."""

    uuid: str
    status: str = "approved"
    supplier: str = "S1"
    orders: tuple[str, ...] = ()
    last_modified: datetime | None = None


def supplier_exists(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The supplier is known."""
    return None if target.supplier in facts.books.suppliers else Problem("supplier_exists", "no such supplier")


BILLS = EntitySet("procurify", "bill_list", "", "bills", Bill, ("uuid",))
FLOW = Flow(
    "ifs/bills",
    BILLS,
    Target("ifs", "bills", Bill, batch=2),
    lambda bill, facts: bill,
    rules=(supplier_exists,),
    scope=lambda bill, facts: "draft" if bill.status == "draft" else "",
    looks_up=True,
    writer="ifs/together",
    supersedes=lambda bill: {"ifs/orders": bill.orders} if bill.orders else {},
    pair="procurify/vendors",
)
ORDERS = replace(FLOW, name="ifs/orders", supersedes=None, pair="")


class Books2:
    """A target that keeps what it is sent, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.kept: dict[str, Bill] = {}
        self.bases: dict[str, Mapping[str, str] | None] = {}
        self.refusal: Refused | None = None

    @property
    def traffic(self) -> Traffic:
        return Traffic(0, 0.0)

    def books(self) -> Books:
        return Books(has_chart=False)

    def known(self, records: Sequence[Any]) -> Books:
        self.asked.append([record.uuid for record in records])
        return Books(suppliers={"S1": KnownSupplier("S1")})

    def save(self, target: Target, drafts: Iterable[Draft]) -> Iterator[Outcome]:
        for draft in drafts:
            self.bases[draft.key] = draft.agreed("S1")
            if draft.record.status == "refused":
                yield Refused(draft, "changed after it was posted", "not_changed_after_posting")
            else:
                self.kept[draft.key] = draft.record
                yield Saved(draft, f"id {draft.key}", "created", agreed=("S1", {"name": draft.record.status}))


def bill(uuid: str, day: int = 5, **changes: Any) -> Bill:
    return Bill(uuid=uuid, last_modified=datetime(2026, 11, day, tzinfo=UTC), **changes)


def prepared(bills: Sequence[Bill], ledger: Ledger, books: Books2) -> tuple[list[Ready], Verdict]:
    verdict = Verdict(RUN.partition)
    rows = [(one, "etag", None) for one in bills]
    ready = [one for part in prepare(FLOW, [rows], Facts(), ledger, RUN, verdict, books.known) for one in part]
    return ready, verdict


def loaded(flow: Flow, bills: Sequence[Bill], ledger: Ledger, books: Books2) -> Loaded:
    ready = [Ready(b.uuid, f"2026-11-{b.last_modified:%d}", fingerprint(b), b) for b in bills]
    return load(flow, ready, books, ledger, RUN)


def test_what_is_out_of_scope_is_counted_by_its_reason_and_neither_held_nor_asked_about(sqlite_ledger: Ledger) -> None:
    books = Books2()
    ready, verdict = prepared([bill("a"), bill("b", status="draft"), bill("c", supplier="S9")], sqlite_ledger, books)
    assert [one.key for one in ready] == ["a"]
    assert (verdict.read, verdict.ready, verdict.held, dict(verdict.out_of_scope)) == (3, 1, 1, {"draft": 1})
    assert books.asked == [["a", "c"]], "one question for the batch, about those that were mapped"
    assert [hold.key for hold in sqlite_ledger.open_holds(FLOW.name)] == ["c"]


def test_a_hold_is_over_when_its_record_leaves_the_scope_and_an_older_state_of_it_closes_nothing(
    ledger: Ledger,
) -> None:
    books = Books2()
    prepared([bill("a", day=4, supplier="S9")], ledger, books)
    prepared([bill("a", day=3, status="draft")], ledger, books)
    assert [hold.key for hold in ledger.open_holds(FLOW.name)] == ["a"], "the draft is older than what is held"
    prepared([bill("a", day=5, status="draft")], ledger, books)
    assert ledger.open_holds(FLOW.name) == []
    assert [each.detail for each in ledger.trail(FLOW.name, "a")][-1] == "out_of_scope"


def test_what_a_bill_takes_the_place_of_is_never_delivered_after_it(ledger: Ledger) -> None:
    books = Books2()
    loaded(FLOW, [bill("bill-1", orders=("po-1", "po-2"))], ledger, books)
    account = loaded(ORDERS, [bill("po-1", day=28), bill("po-3")], ledger, books)
    assert (account.superseded, account.created) == (1, 1)
    assert set(books.kept) == {"bill-1", "po-3"}
    (line,) = ledger.trail("ifs/orders", "po-2")
    assert (line.event.value, line.detail) == ("superseded", "by ifs/bills bill-1")


def test_an_order_that_was_delivered_before_is_superseded_once_and_its_hold_is_closed(ledger: Ledger) -> None:
    books = Books2()
    loaded(ORDERS, [bill("po-1")], ledger, books)
    loaded(ORDERS, [bill("po-1", day=6, status="refused")], ledger, books)
    assert [hold.key for hold in ledger.open_holds("ifs/orders")] == ["po-1"]
    for uuid in ("bill-1", "bill-2"):
        loaded(FLOW, [bill(uuid, orders=("po-1",))], ledger, books)
    assert ledger.open_holds("ifs/orders") == []
    events = [each.event.value for each in ledger.trail("ifs/orders", "po-1")]
    assert events.count("superseded") == 1 and events[-1] == "closed"
    assert ledger.remote_ids("ifs/orders") == {"po-1": "id po-1"}, "what was delivered is still known"


def test_a_refusal_is_held_under_the_rule_that_it_names(sqlite_ledger: Ledger) -> None:
    loaded(FLOW, [bill("a", status="refused")], sqlite_ledger, Books2())
    (hold,) = sqlite_ledger.open_holds(FLOW.name)
    assert hold.problems[0].rule == "not_changed_after_posting"


def test_what_both_sides_agreed_on_is_the_base_of_the_next_load(ledger: Ledger) -> None:
    books = Books2()
    loaded(FLOW, [bill("a")], ledger, books)
    loaded(FLOW, [bill("a", day=6, status="paid")], ledger, books)
    assert books.bases["a"] == {"name": "approved"}
    assert ledger.agreements.of("procurify/vendors", "S1") == {"name": "paid"}
    assert ledger.agreements.of("cin7/suppliers", "S1") is None


def test_flows_of_one_writer_wait_for_each_other(sqlite_ledger: Ledger) -> None:
    books = Books2()
    waiting = threading.Thread(target=loaded, args=(FLOW, [bill("a")], sqlite_ledger, books))
    with sqlite_ledger.lease("load ifs/together", "the other flow"):
        waiting.start()
        waiting.join(0.4)
        assert waiting.is_alive() and books.kept == {}
    waiting.join(10)
    assert set(books.kept) == {"a"}
