"""A refusal that no record can cause stops the run after a few, and is said once: nothing is held for it."""

from collections.abc import Iterator
from typing import Any

import pytest

from mlc_dagster.core.errors import Misconfigured, TransientError
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.pipeline import load
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.cin7.api import classify, signature
from mlc_dagster.systems.cin7.client import Cin7Client
from mlc_dagster.transport.client import ApiClient
from mlc_dagster_tests.promises.quick import PLENTY, PURCHASES, a_supplier, purchased, purchases

PAGE = "<!DOCTYPE html><html><body>The page you are looking for is not here.</body></html>"


@pytest.fixture
def box() -> Iterator[Sandbox]:
    with Sandbox(seed="empty", limits=PLENTY) as opened:
        opened.cin7.add_account("4010", "Services")
        yield opened


def client_of(box: Sandbox) -> Cin7Client:
    auth = signature("sandbox-account", "sandbox-key-1")
    base = f"{box.url}/cin7/ExternalApi/v2"
    return Cin7Client(ApiClient("cin7", base, auth=auth, classify=classify, sleep=lambda seconds: None))


def wrong(box: Sandbox, **fault: Any) -> None:
    box.faults.add(system="cin7", method="POST", path="/advanced-purchase", **{"times": None, **fault})


@pytest.mark.parametrize("status, body", [(404, "{}"), (405, "{}"), (410, "{}"), (501, "{}"), (400, PAGE)])
def test_what_no_record_can_cause_stops_the_run_and_holds_nothing(
    box: Sandbox, sqlite_ledger: Ledger, status: int, body: str
) -> None:
    wrong(box, status=status, body=body)
    ready = purchases(range(1, 101), a_supplier(box))
    with pytest.raises(Misconfigured, match=r"cin7: 5 writes in a row were refused in a way that no record") as stopped:
        load(PURCHASES, ready, client_of(box), sqlite_ledger, Run("run", "2026-11-05"))
    assert str(status) in stopped.value.message
    assert stopped.value.cure and "POST /advanced-purchase" in stopped.value.cure and "mlc ping" in stopped.value.cure
    assert sqlite_ledger.open_holds() == []

    box.faults.clear()
    loaded = load(PURCHASES, ready, client_of(box), sqlite_ledger, Run("again", "2026-11-05"))
    assert (loaded.created, loaded.held) == (100, 0)
    assert all(len(totals) == 1 for totals in purchased(box).values())


def test_one_record_that_a_gateway_answers_with_a_page_is_held_alone(box: Sandbox, sqlite_ledger: Ledger) -> None:
    wrong(box, status=400, body=PAGE, times=1)
    ready = purchases(range(1, 21), a_supplier(box))
    loaded = load(PURCHASES, ready, client_of(box), sqlite_ledger, Run("run", "2026-11-05"))
    assert (loaded.created, loaded.held) == (19, 1)
    assert [hold.rules for hold in sqlite_ledger.open_holds()] == [("target_accepts_it",)]


def test_records_that_are_refused_one_by_one_for_their_own_sake_stop_nothing(
    box: Sandbox, sqlite_ledger: Ledger
) -> None:
    body = '[{"ErrorCode": 400, "Exception": "Supplier was not found"}]'
    wrong(box, status=400, body=body)
    ready = purchases(range(1, 31), a_supplier(box))
    loaded = load(PURCHASES, ready, client_of(box), sqlite_ledger, Run("run", "2026-11-05"))
    assert (loaded.created, loaded.held) == (0, 30)


def test_a_target_that_answers_nothing_that_can_be_trusted_stops_the_run_and_is_looked_at_first_by_the_next(
    box: Sandbox, sqlite_ledger: Ledger
) -> None:
    wrong(box, status=503, body=PAGE, acts=True)
    ready = purchases(range(1, 101), a_supplier(box))
    with pytest.raises(TransientError, match="20 writes in a row got no answer that can be trusted"):
        load(PURCHASES, ready, client_of(box), sqlite_ledger, Run("run", "2026-11-05"))
    assert sqlite_ledger.open_holds() == []
    box.faults.clear()
    loaded = load(PURCHASES, ready, client_of(box), sqlite_ledger, Run("again", "2026-11-05"))
    assert loaded.held == 0 and loaded.delivered == 100
    assert all(len(totals) == 1 for totals in purchased(box).values()), "what acted is not made twice"
