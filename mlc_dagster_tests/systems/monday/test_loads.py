"""Whole loads through the ledger, on a bad line: each record is there once, and the ledger knows its id."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from mlc_dagster import pipeline
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.vocabulary import fingerprint
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.monday.client import MondayClient
from mlc_dagster.systems.monday.flows import FLOWS
from mlc_dagster.systems.monday.mapping import invoice_from_proposal
from mlc_dagster_tests.systems.monday.samples import INVOICE_BOARD, client_on, creations, facts, proposal

FLOW = next(flow for flow in FLOWS if flow.name == "monday/invoices")
FAULTS = [{"drop": "after"}, {"drop": "before"}, {"truncate": True}, {"status": 502}, {"drop": "after", "share": 0.5}]


def ready(count: int) -> list[Ready]:
    items = [invoice_from_proposal(proposal(number), facts()) for number in range(count)]
    return [Ready(item.key, "2026-11-05T00:00:00.000000Z", fingerprint(item), item) for item in items]


def load(client: MondayClient, ledger: Ledger, records: list[Ready], run: str = "r1") -> pipeline.Loaded:
    return pipeline.load(FLOW, records, client, ledger, Run(run, "2026-11-05"))


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_lost_answers_never_double(fault: dict[str, object], box: Sandbox, sqlite_ledger: Ledger) -> None:
    client, records = client_on(box, max_attempts=3), ready(180)
    load(client, sqlite_ledger, records[:1])
    box.faults.add(system="monday", times=4, **{"share": 0.4, **fault})
    load(client, sqlite_ledger, records)
    box.faults.clear()
    load(client, sqlite_ledger, records, "r2")
    found = box.monday.rows(INVOICE_BOARD)
    assert Counter(row["IFS key"] for row in found) == Counter({one.key: 1 for one in records})
    assert sqlite_ledger.remote_ids(FLOW.name) == {row["IFS key"]: row["id"] for row in found}


def test_an_empty_ledger_adopts_and_a_full_one_sends_nothing(box: Sandbox, sqlite_ledger: Ledger) -> None:
    client, records = client_on(box), ready(130)
    first = load(client, sqlite_ledger, records)
    assert first.created == 130 and len(creations(box)) == 7  # ceil(130 / 20)
    box.forget_calls()
    again = load(client, sqlite_ledger, records)
    assert again.unchanged == 130 and not box.calls("monday")
    other = replace(FLOW, name="monday/another_ledger")
    adopted = pipeline.load(other, records, client, sqlite_ledger, Run("r3", "2026-11-05"))
    assert adopted.adopted == 130 and box.journal("monday") == []
