"""C44: a row that we make and read back proves in which zone the tenant stamps; age alone proves nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mlc_dagster.core.difference_kinds import STAMPED_IN_ANOTHER_ZONE
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.ways_back import Said
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.sandbox.ifs import rows as sandbox_rows
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.odata.stamp_proof import StampProof
from mlc_dagster.systems.ifs.ping_stamps import ask_stamps
from mlc_dagster_tests.promises.journey import client_of, settings_at
from mlc_dagster_tests.promises.kinds import PLENTY
from mlc_dagster_tests.promises.saas_life import INVOICES, PAYMENTS, VENDORS, Office, office, vendor

pytestmark = pytest.mark.promise("C44", "a row that we write proves in which zone the tenant stamps, west of UTC too")
ZONES = ["America/New_York", "Australia/Sydney", "Asia/Kolkata"]


def stamps_in(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tenant's database keeps its wall time, and calls it Z."""
    in_utc = sandbox_rows._modified_text

    def local(row: dict[str, object], modified: object) -> str | None:
        if modified is ... and "LastModified" not in row:
            wall = datetime.now(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
            return sandbox_rows.timestamp(wall)
        return in_utc(row, modified)  # type: ignore[arg-type]

    monkeypatch.setattr(sandbox_rows, "_modified_text", local)


def proof(here: Office, flow: str) -> str:
    journey = here.journey(flow)
    journey.make()
    said = journey.client("ifs").stamps.said
    assert isinstance(said, str)
    return said


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("flow", [PAYMENTS, INVOICES, VENDORS])
def test_c44_a_row_that_we_make_proves_the_zone(
    zone: str, flow: str, sqlite_ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        vendor(here.box)
        if flow == INVOICES:
            here.go(VENDORS)
        stamps_in(zone, monkeypatch)
        here.pay()
        here.bill()
        said = proof(here, flow)
        assert "ifs.time_zone" in said and ("behind" if zone.startswith("America") else "ahead of") in said
    assert sqlite_ledger.remote_ids(flow), "what was made is no less delivered"


def test_c44_what_a_first_write_proves_is_a_difference_until_a_person_says_that_it_is_mended(
    sqlite_ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with office(sqlite_ledger, tmp_path) as here:
        stamps_in("America/New_York", monkeypatch)
        for number in (1, 2):
            here.pay(f"{number}2.50", airbase_id=f"pay-{number}", invoice_number=f"INV-{number}")
            here.go(PAYMENTS)
        (one,) = sqlite_ledger.differences.open(PAYMENTS)
        assert (one.kind, one.key) == (STAMPED_IN_ANOTHER_ZONE, "pay-1"), "the second run says nothing new"
        assert "taken as UTC" in str(one.ours) and "stamped" in str(one.theirs)
        assert sqlite_ledger.differences.count() == {(PAYMENTS, STAMPED_IN_ANOTHER_ZONE): 1}
        sqlite_ledger.people.accept_as_seen(PAYMENTS, "pay-1", Said("anna", "time_zone is said now"), Run("accept"))
        assert sqlite_ledger.differences.open(PAYMENTS) == []


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_c44_a_tenant_that_stamps_as_mlc_yaml_says_is_told_nothing(
    zone: str | None, sqlite_ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with office(sqlite_ledger, tmp_path, ifs={"time_zone": zone} if zone else {}) as here:
        if zone:
            stamps_in(zone, monkeypatch)
        here.pay()
        assert proof(here, PAYMENTS) == ""


@pytest.mark.parametrize(
    ("by", "proves"),
    [
        (timedelta(hours=-5), True),
        (timedelta(hours=5, minutes=45), True),
        (timedelta(hours=-5, seconds=-100), True),
        (timedelta(minutes=-4), False),
        (timedelta(minutes=-15), False),
        (timedelta(hours=-5, minutes=-7), False),
        (timedelta(days=-2), False),
    ],
)
def test_only_what_a_zone_can_explain_is_told(by: timedelta, proves: bool) -> None:
    now, found = datetime(2026, 11, 30, 14, 30, 5, tzinfo=UTC), StampProof("UTC")
    found.see("voucher_set", now + by, now)
    assert bool(found.said) is proves


def test_a_date_or_nothing_in_place_of_a_stamp_proves_nothing() -> None:
    now, found = datetime(2026, 11, 30, 5, 0, tzinfo=UTC), StampProof("UTC")
    for stamp in (None, "2026-11-30", datetime(2026, 11, 30, tzinfo=UTC)):
        found.see("voucher_set", stamp, now)
    assert found.said == ""


@pytest.mark.promise("C44", "ping says where nothing proves the zone")
@pytest.mark.parametrize(("hours", "words"), [(5, "proves nothing"), (0, "no zone west of it")])
def test_c44_ping_says_what_the_newest_stamp_proves(hours: int, words: str, sqlite_ledger: Ledger) -> None:
    with Sandbox(seed="empty", limits=PLENTY) as box:
        stamp = datetime.now(UTC) - timedelta(hours=hours, seconds=2)
        box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "S1", "Country": "SE"}, modified=stamp)
        (finding,) = ask_stamps(client_of("ifs", settings_at(box.url), sqlite_ledger.budget), [ifs.SUPPLIERS])
    assert finding.ok and words in finding.answer
