"""Times over the end of summer time, and a company in Sydney: list, record and export agree. Section 12, 17."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from mlc_dagster.ledger.tables import holds
from mlc_dagster_tests.web.review.browser.conftest import text
from mlc_dagster_tests.web.review.conftest import hold, path_of

pytestmark = pytest.mark.slow
FALL = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in Stockholm, and an hour later it is 02:30 once more
"""(zone, time, as it is read there)"""
SHOWN = [
    ("UTC", FALL, "2026-10-25 00:30 UTC"),
    ("Europe/Stockholm", FALL, "2026-10-25 02:30 CEST"),
    ("Europe/Stockholm", FALL + timedelta(hours=1), "2026-10-25 02:30 CET"),
    ("Australia/Sydney", datetime(2026, 10, 31, 14, 0, tzinfo=UTC), "2026-11-01 01:00 AEDT"),
]


@pytest.mark.parametrize(("zone", "at_", "shown"), SHOWN)
def test_age_date_and_period_are_right_in_list_record_and_export(served, ledger, zone, at_, shown):
    hold(ledger, "P1", rule="period_is_open", invoice_date="2026-10-31", company="20")
    with ledger._database.writing() as connection:  # it has been open since then
        connection.execute(update(holds).values(opened_at=at_))
    at = served()
    page = at.sign_in(path="/me")
    page.get_by_label("Time zone").fill(zone)
    page.get_by_role("button", name="Keep").click()
    page.goto(at.address + path_of("P1"))
    assert f"since {shown}" in text(page)
    days = (datetime.now(UTC) - at_).days
    page.goto(at.address + "/items?period=2026-10")
    row = page.locator("tr[data-row]")
    assert "2026-10-31" in row.inner_text(), "a document's own date is of no zone"
    assert f"{days:,} days" in row.inner_text()
    assert row.locator("time").get_attribute("datetime") == at_.isoformat()
    page.goto(at.address + "/items?period=2026-11")
    assert page.locator("tr[data-row]").count() == 0
    body = page.request.get(at.address + "/export.csv").body().decode("utf-8-sig")
    [line] = csv.DictReader(io.StringIO(body))
    assert line["dated"] == "2026-10-31" and datetime.fromisoformat(line["since"]) == at_
    assert page.goto(at.address + "/close/2026-10/20").status == 200
    held = page.locator("tr", has_text=re.compile("cin7/purchases")).first.locator("[data-name='On hold']")
    assert "100.00 SEK" in held.inner_text(), "the month of the document, whatever the zone of who looks"
