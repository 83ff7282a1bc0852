"""A tenant that takes documents by external loads alone: requests of Airbase become vouchers that a person approves."""

from __future__ import annotations

from typing import Any

import pytest

from mlc_dagster.sandbox import Tenant
from mlc_dagster.sandbox.ifs.profiles import PROFILES
from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.orchestration.test_airbase_inbound import REQUESTS, holds, run, spent, vouchers  # noqa: F401
from mlc_dagster_tests.orchestration.test_procurify import held, invoices, load, procurify, put_bill  # noqa: F401

PROFILE = PROFILES["load-only"]
QUIET: dict[str, Any] = {"gateway_loses": 0, "gateway_grants": 0, "loads_approved": "by hand"}
LOAD_ONLY = pytest.mark.parametrize(
    "world", [(Tenant(**{**PROFILE.traits, **QUIET}), dict(PROFILE.settings))], indirect=True, ids=["load-only"]
)


@LOAD_ONLY
def test_a_voucher_waits_for_its_approval_and_is_delivered_once_it_is_there(spent: World) -> None:  # noqa: F811
    request = spent.box.airbase.add_request()
    run(spent)
    assert holds(spent, REQUESTS) == {request: "target_answered"} and vouchers(spent) == []
    (hold,) = spent.ledger.open_holds(REQUESTS)
    assert "waits for another user to approve" in hold.problems[0].reason
    run(spent, only=[f"{REQUESTS}_prepared", REQUESTS])
    assert len(spent.box.ifs.rows("ExternalVoucherLoads")) == 1 and spent.box.ifs.approve() == 1

    run(spent, only=[f"{REQUESTS}_prepared", REQUESTS])

    (voucher,) = vouchers(spent)
    assert holds(spent, REQUESTS) == {}
    (told,) = [entry for entry in spent.ledger.trail(REQUESTS, request) if entry.remote_id]
    assert told.remote_id == f"0010/M/{voucher['AccountingYear']}/{voucher['VoucherNo']}"
    writes = len(spent.box.journal("ifs"))
    run(spent, only=[f"{REQUESTS}_prepared", REQUESTS])
    assert len(spent.box.journal("ifs")) == writes, "a second pass writes nothing"


@pytest.mark.parametrize("world", [(Tenant(**PROFILE.traits), dict(PROFILE.settings))], indirect=True)
def test_a_gateway_that_loses_every_seventh_answer_doubles_and_loses_nothing(spent: World) -> None:  # noqa: F811
    requests = {spent.box.airbase.add_request() for _ in range(9)}
    for _ in range(3):
        run(spent)
    assert holds(spent, REQUESTS) == {} and len(vouchers(spent)) == len(requests) == 9
    assert len(spent.box.ifs.rows("ExternalVoucherLoads")) == 9


@LOAD_ONLY
def test_a_bill_becomes_an_invoice_that_is_approved_and_its_order_waits_for_nothing(procurify: World) -> None:  # noqa: F811
    bill = put_bill(procurify)
    load(procurify, "bill_list")
    assert held(procurify)[bill] == {"target_answered"} and invoices(procurify) == []
    assert procurify.box.ifs.approve() == 1
    load(procurify, "bill_list")
    assert held(procurify) == {} and len(invoices(procurify)) == 1
