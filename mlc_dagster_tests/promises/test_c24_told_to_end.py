"""C24: a run that is told to end lets the batch in flight end, and the next run resumes."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
import yaml

from mlc_dagster.ledger import Event, Ledger
from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.promises import work
from mlc_dagster_tests.promises.quick import COMPANIES, PLENTY, TEN, spread
from mlc_dagster_tests.promises.victims import Child, Victims
from mlc_dagster_tests.systems.hubspot.samples import UPSERT

ENDS_WITHIN = 30.0
ROWS, BATCHES = 3000, 30
DAY = "2026-11-05"


def place(folder: Path, box: Sandbox) -> str:
    """mlc.yaml of a company with HubSpot; suppliers in the ERP."""
    token = f"{box.url}/ifs/auth/realms/sandbox/protocol/openid-connect/token"
    content = {
        "partitions_start": "2026-11-01",
        "companies": {"0010": {"currency": "SEK"}},
        "ifs": {"base_url": f"{box.url}/ifs", "token_url": token, "requests_per_minute": 100_000},
        "hubspot": {"base_url": f"{box.url}/hubspot", "calls_per_10_seconds": 100_000},
    }
    path = folder / "mlc.yaml"
    path.write_text(yaml.safe_dump(content))
    box.ifs.put("AccountSet", {"Company": "0010", "Account": "4010", "ValidFrom": "2015-01-01"}, modified=TEN)
    box.ifs.put_many("SupplierSet", spread(ROWS))
    return str(path)


def wait_for(box: Sandbox, calls: int, child: Child) -> None:
    deadline = time.monotonic() + 90
    while box.calls("hubspot")[UPSERT] < calls:
        assert child.is_running and time.monotonic() < deadline, child.said
        time.sleep(0.005)


@pytest.mark.promise(
    "C24", "SIGTERM, and the SIGINT that `terminate` in the UI becomes, to a Dagster run amid its upserts"
)
@pytest.mark.parametrize("calls, word", [(1, signal.SIGTERM), (7, signal.SIGINT)])
def test_c24_a_run_told_to_end_lets_the_batch_in_flight_end_and_the_next_one_resumes(
    calls: int, word: signal.Signals, victims: Victims, ledger_url: str, tmp_path: Path
) -> None:
    with Sandbox(limits=PLENTY) as box:
        asked = (place(tmp_path, box), ledger_url, str(tmp_path / "storage"), "hubspot", DAY)
        chart = victims.start(work.run_job, *asked[:3], "chart_of_accounts", "0010").wait(120)
        assert chart.value is True, chart.said
        box.faults.add(system="hubspot", path="companies/batch/upsert", times=None, delay=0.2)
        child = victims.start(work.run_job, *asked)
        wait_for(box, calls, child)
        told = time.monotonic()
        child.kill(word)
        end = child.wait(ENDS_WITHIN + 60)
        assert time.monotonic() - told <= ENDS_WITHIN
        assert end.value is not True, "it did not go on to the end"
        with Ledger.open(ledger_url) as ledger:
            known = set(ledger.remote_ids(COMPANIES.name))
        there = {row["properties"]["ifs_external_key"] for row in box.hubspot.live("companies").values()}
        assert {f"SUPPLIER/{key}" for key in known} == there, "what the target has is known: nothing is in doubt"
        assert 0 < len(known) < ROWS

        box.faults.clear()
        box.forget_calls()
        again = victims.start(work.run_job, *asked).wait(120)

        assert again.value is True, again.said
        sent = sum(len(each["body"]["inputs"]) for each in box.journal("hubspot") if each["path"].endswith("upsert"))
        assert sent == ROWS - len(known), "only the rest is sent"
        assert len(box.hubspot.live("companies")) == ROWS
    with Ledger.open(ledger_url) as ledger:
        assert [attempt.event for attempt in ledger.trail(COMPANIES.name, sorted(known)[0])].count(Event.SENT) == 1
