"""A budget counts a call from when it leaves: a busy machine may keep a thread from it."""

from __future__ import annotations

import time

import httpx

from mlc_dagster.core.pace import moved
from mlc_dagster.ledger import Ledger
from mlc_dagster.transport.client import ApiClient, LocalBudget
from mlc_dagster_tests.systems.loopback import FakeTime


def test_a_slot_is_moved_to_where_its_call_left() -> None:
    assert moved([1.0, 2.0, 3.0], 2.1, 2.5) == [1.0, 2.5, 3.0]
    assert moved([1.0, 2.0, 3.0], 1.0, 9.0) == [2.0, 3.0, 9.0]
    assert moved([], 1.0, 2.0) == []


def test_a_call_that_left_late_is_not_counted_as_early() -> None:
    passing = FakeTime()
    budget = LocalBudget(1, 10.0, clock=passing.clock, sleep=passing.sleep)
    assert budget.take() == 0.0
    passing.now += 4.0
    budget.left(4.0)
    assert budget.free_in() == 10.5, "ten seconds, and the margin, from when it left"


def test_in_the_ledger_too_where_the_margin_does_not_cover_it(ledger: Ledger) -> None:
    budget = ledger.budget("credential", 1, 60.0)
    budget.take()
    first = budget.free_in()
    budget.left(1.0)
    assert budget.free_in() <= first, "the margin covers it"
    time.sleep(0.5)  # so much of the wait is over: more than a busy machine takes for the next two lines
    unmoved = budget.free_in()
    budget.left(5.0)
    assert unmoved < budget.free_in() <= 63.0


def test_a_client_tells_its_budget_when_the_call_leaves() -> None:
    passing = FakeTime()
    budget = LocalBudget(1, 10.0, clock=passing.clock, sleep=passing.sleep)

    def exchange(request: httpx.Request) -> httpx.Response:
        passing.now += 3.0  # kept from it
        request.extensions["trace"]("http11.send_request_headers.started", {})
        return httpx.Response(200, json={})

    api = ApiClient(
        "ifs", "https://erp.test", budget=budget, transport=httpx.MockTransport(exchange), clock=passing.clock
    )
    api.request("GET", "/x")
    assert budget.free_in() == 10.5
