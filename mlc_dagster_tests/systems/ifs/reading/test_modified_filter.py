"""What is asked of the ERP for a day: what was modified in it, and no more; and the pull says so."""

from __future__ import annotations

from datetime import timedelta

from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster_tests.systems.ifs.conftest import A_DAY, DAY, TEN, Reader, client_of


def test_a_day_is_asked_for_by_its_modified_timestamp_and_the_pull_keeps_filter_times_and_rows(box: Sandbox) -> None:
    around = {"before": -timedelta(days=1), "in it": timedelta(), "after": timedelta(days=1)}
    for name, away in around.items():
        box.ifs.put("SupplierSet", {"SupplierId": name}, TEN + away)
    rows, pull = Reader(client_of(box))(ifs.SUPPLIERS, A_DAY)
    assert [row["supplier_id"] for row in rows] == ["in it"]
    next_day = DAY + timedelta(days=1)
    assert pull.filter == f"LastModified ge {DAY}T00:00:00Z and LastModified lt {next_day}T00:00:00Z"
    assert (pull.rows, pull.requests) == (1, 1)
    assert pull.started_at and pull.ended_at and pull.started_at <= pull.ended_at
