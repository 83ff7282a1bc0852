"""C43 under Dagster's own daemon: what is due is launched by it, read and loaded, without a hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.automation.due import asked_by
from mlc_dagster.systems import configuration as settings_file
from mlc_dagster_tests.promises.lost import company, days, each_order_once, purchases, read_the_charts
from mlc_dagster_tests.promises.whole import until

WITHIN = 300.0
MOVED = ("cin7/suppliers", "cin7/purchases")


@pytest.mark.promise(
    "C43", "what is due, source and all, is launched by Dagster's own daemon with the shipped settings"
)
def test_c43_the_daemon_launches_what_is_due_with_its_source(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with company(tmp_path, sqlite_url, monkeypatch) as (box, whole):
        read_the_charts(whole)
        settings = settings_file.load(whole.config)
        flows = [flow for flow in settings_file.flows(settings)["cin7"] if flow.name in MOVED]
        day = days()[0]  # that of the supplier too, which goes before its orders
        with Ledger.open(sqlite_url) as ledger:
            ledger.work.ask_all(asked_by(flows, day), "by hand", soon=0.0)
        whole.start()
        due = {key for key in each_order_once() if key[5:15] == day}
        until(lambda: set(purchases(box)) == due, WITHIN, whole.story)
        with Ledger.open(sqlite_url) as ledger:
            until(lambda: not ledger.work.all(MOVED), WITHIN, whole.story)
        assert set(purchases(box).values()) == {1}
