"""C32 on monday.com: the write acted, in whole or in part, and the answer does not prove what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.ledger import Ledger
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.monday.partial_answers import Refusals, Trouble
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.monday.client import MondayClient
from mlc_dagster.systems.monday.flows import FLOWS
from mlc_dagster.systems.monday.mapping import invoice_from_proposal, item_from_order, item_from_supplier
from mlc_dagster_tests.promises.kinds import PLENTY
from mlc_dagster_tests.promises.quick import deliver, ready
from mlc_dagster_tests.systems.monday import samples

COUNT = 60
BOARDS = {
    "suppliers": {"board": "11", "columns": {"status": "Status"}},
    "invoices": {"board": "22", "columns": {"status": "Status", "amount": "Amount"}},
    "purchase_orders": {"board": "33", "columns": {"status": "Status", "amount": "Amount"}},
}
FACTS = samples.facts(options=samples.settings(boards=BOARDS).options())
OWN = '{"errors":[{"message":"Internal server error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}'
LOCKED = '{"error":{"code":"FND_LOCKED","message":"The record is currently locked."}}'
ANSWERS: dict[str, Trouble] = {
    "503 of a gateway with Retry-After": Trouble("gateway", status=503, wait=7),
    "503 with JSON": Trouble("gateway", status=503, wait=0, body='{"message": "upstream"}'),
    "500 locked": Trouble("gateway", status=500, wait=0, body=LOCKED),
    "500 in monday's words": Trouble("gateway", status=500, wait=0, body=OWN),
    "423": Trouble("gateway", status=423, wait=0, body="locked"),
    "429 of a gateway": Trouble("gateway", status=429, wait=5, body='{"message": "API rate limit exceeded"}'),
    "409 of a gateway": Trouble("gateway", status=409, wait=1, body="conflict"),
    "200 of a maintenance page": Trouble("gateway", status=200, wait=0, body="<html>back soon</html>"),
    "429 with values, the rest not begun": Trouble("limit", done=11),
    "429 with values, of the rest nothing is said": Trouble("silence", done=11, also=6),
    "429 with values, internal errors of the rest": Trouble("internal", done=11, also=6),
    "200 with values, internal errors of the rest": Trouble("internal", done=11, also=6, status=200),
    "429 without a value, of which some were made": Trouble("silence", done=0, also=6),
}


def flow(name: str) -> Flow:
    return next(each for each in FLOWS if each.name == f"monday/{name}")


def supplier(number: int, state: bool) -> Any:
    return item_from_supplier(ifs.Supplier(supplier_id=f"S{number}", name=f"Supplier {number}", blocked=state), FACTS)


def order(number: int, state: str) -> Any:
    line = ifs.PurchaseOrderLine(line_no="1", release_no="1", line_amount=Decimal(number), account="4010")
    made = ifs.PurchaseOrder(order_no=f"P{number}", company="0010", total_amount=Decimal(number), lines=(line,))
    return item_from_order(msgspec.structs.replace(made, obj_state=state), FACTS)


def invoice(number: int, state: str) -> Any:
    return invoice_from_proposal(samples.proposal(number, obj_state=state), FACTS)


MAKE: dict[str, Callable[[int, Any], Any]] = {"suppliers": supplier, "purchase_orders": order, "invoices": invoice}


def records(name: str, bad: frozenset[int] = frozenset()) -> list[Ready]:
    """Of which some have a status that the board does not know."""
    good, wrong = (False, True) if name == "suppliers" else ("Open", "Strange")
    made = [MAKE[name](number, wrong if number in bad else good) for number in range(COUNT)]
    return [ready(item.key, item) for item in made]


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(limits=PLENTY) as sandbox:
        for name, board in BOARDS.items():
            sandbox.monday.add_board(
                str(board["board"]), name, {"IFS key": "text", "Status": "status", "Amount": "numbers"}
            )
            labels = ["Active"] if name == "suppliers" else ["Open"]
            sandbox.monday.boards.boards[str(board["board"])]["columns"][1]["labels"] += labels
        yield sandbox


@pytest.fixture
def clock(box: Sandbox) -> samples.Clock:
    """What monday and we go by; an item is found by its columns half a minute after it was made."""
    ticking = samples.Clock()
    box.monday.resolvers.clock, box.monday.resolvers.index_seconds = ticking, 30
    return ticking


def client(box: Sandbox, clock: samples.Clock) -> MondayClient:
    return samples.client_on(box, clock, wall=clock.wall, boards=BOARDS, create_labels=False)


def on(box: Sandbox, name: str) -> Counter[str]:
    return Counter(row["IFS key"] for row in box.monday.rows(str(BOARDS[name]["board"])))


def check(box: Sandbox, ledger: Ledger, clock: samples.Clock, name: str, good: list[Ready]) -> None:
    """Each good one is there once, the ledger has its id, and another load sends nothing."""
    assert on(box, name) == Counter({one.key: 1 for one in good}), "0 doubled, 0 lost, in the same load"
    rows = {row["IFS key"]: row["id"] for row in box.monday.rows(str(BOARDS[name]["board"]))}
    assert ledger.remote_ids(f"monday/{name}") == rows
    box.forget_calls()
    assert deliver(ledger, flow(name), good, client(box, clock), "again").unchanged == len(good)
    assert not box.calls("monday")


@pytest.mark.promise("C32", "monday: each answer that proves nothing, or tells a part, to one of three requests")
@pytest.mark.parametrize("name", MAKE)
@pytest.mark.parametrize("answer", ANSWERS)
def test_c32_what_mondays_answer_leaves_open_is_neither_doubled_nor_lost(
    answer: str, name: str, box: Sandbox, ledger: Ledger, clock: samples.Clock
) -> None:
    some = records(name)
    box.monday.troubles.append(Trouble(**vars(ANSWERS[answer])))
    loaded = deliver(ledger, flow(name), some, client(box, clock))
    assert box.monday.troubles[0].times == 0, "it was met"
    assert (loaded.delivered, loaded.held) == (COUNT, 0), loaded.reasons
    check(box, ledger, clock, name, some)


@pytest.mark.promise("C32", "monday: every request of a load is stopped by a rate limit beside values")
@pytest.mark.parametrize("name", MAKE)
def test_c32_a_load_that_is_stopped_again_and_again_sends_each_record_once(
    name: str, box: Sandbox, ledger: Ledger, clock: samples.Clock
) -> None:
    some = records(name)
    box.monday.troubles.append(Trouble("limit", done=5, times=12, wait=10))
    loaded = deliver(ledger, flow(name), some, client(box, clock))
    assert (loaded.delivered, loaded.held) == (COUNT, 0) and clock.slept >= 90, "each silence was kept"
    check(box, ledger, clock, name, some)


@pytest.mark.promise("C11", "monday: 1 to 9 bad of 60, with and without a path, status 200, 400 and 422")
@pytest.mark.parametrize("bad", [{0}, {24, 25}, {3, 7, 11, 30, 31, 32, 57, 58, 59}])
@pytest.mark.parametrize("status", [200, 400, 422])
@pytest.mark.parametrize("path", [True, False])
def test_c11_a_refusal_of_mondays_holds_the_bad_ones_alone(
    path: bool, status: int, bad: set[int], box: Sandbox, ledger: Ledger, clock: samples.Clock
) -> None:
    some = records("invoices", frozenset(bad))
    box.monday.refusals = Refusals(status, path=path, executes="none", told=False)
    loaded = deliver(ledger, flow("invoices"), some, client(box, clock))
    assert (loaded.delivered, loaded.held) == (COUNT - len(bad), len(bad))
    holds = {hold.key: hold.problems[0].reason for hold in ledger.open_holds("monday/invoices")}
    assert set(holds) == {key_text("0010", number) for number in bad}
    assert all("Strange" in reason for reason in holds.values())
    extra = sum(box.calls("monday").values()) - 2 - 3  # the board, the look, three requests of good ones
    assert extra <= 8 * len(bad)
    box.monday.refusals = None
    check(box, ledger, clock, "invoices", [one for place, one in enumerate(some) if place not in bad])
