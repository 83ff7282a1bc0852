"""C44: a tenant that stamps its own wall time: nothing is lost or doubled; it is told where nobody says so."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mlc_dagster.core.arrow_columns import rows_of
from mlc_dagster.core.vocabulary import Pull, Scope, Window
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets.reports import stamps_ahead
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.settings import Settings
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.odata.tenant_time import TenantTime
from mlc_dagster.systems.ifs.ping_stamps import ask_stamps
from mlc_dagster_tests.promises.journey import client_of, settings_at
from mlc_dagster_tests.promises.kinds import PLENTY

NIGHTS = {
    "America/Los_Angeles": date(2025, 11, 2),
    "America/New_York": date(2025, 11, 2),
    "Europe/Stockholm": date(2025, 10, 26),
    "Australia/Sydney": date(2026, 4, 4),
    "Australia/Lord_Howe": date(2026, 4, 4),
    "Atlantic/Azores": date(2025, 10, 26),
    "Asia/Kolkata": date(2025, 10, 26),
}
"""Zone -> the day in UTC in which its summer time ends, where it has one."""
MINUTES = 20


def in_zone(box: Sandbox, zone: str | None) -> Settings:
    settings = settings_at(box.url)
    return settings.model_copy(update={"ifs": settings.ifs.model_copy(update={"time_zone": zone, "page_size": 50})})


def fill(box: Sandbox, zone: str, night: date) -> dict[str, datetime]:
    """A supplier every twenty minutes of three days, stamped as the tenant's clock shows it; key -> the true moment."""
    first = datetime(night.year, night.month, night.day, tzinfo=UTC) - timedelta(days=1)
    moments = {f"S{n:03}": first + timedelta(minutes=MINUTES * n) for n in range(3 * 24 * 60 // MINUTES)}
    for key, moment in moments.items():
        wall = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
        box.ifs.put("SupplierSet", {"SupplierId": key, "Name": key, "Country": "SE"}, modified=wall)
    return moments


def read(settings: Settings, ledger: Ledger, day: date) -> tuple[list[tuple[str, datetime]], Pull]:
    client, pull = client_of("ifs", settings, ledger.budget), Pull("ifs/supplier_set", day.isoformat())
    scope = Scope(day.isoformat(), Window.day(day))
    batches = client.read(ifs.SUPPLIERS, scope, pull, ledger.sightings)
    return [(row["supplier_id"], row["last_modified"]) for batch in batches for row in rows_of(batch)], pull


@pytest.mark.promise("C44", "stamps in local time: each day of UTC over the end of summer time, seven zones")
@pytest.mark.parametrize("zone", NIGHTS)
def test_c44_each_row_is_read_in_its_own_day_and_the_repeated_hour_rather_twice(
    zone: str, sqlite_ledger: Ledger
) -> None:
    with Sandbox(seed="empty", limits=PLENTY) as box:
        moments, settings = fill(box, zone, NIGHTS[zone]), in_zone(box, zone)
        days: dict[str, list[date]] = defaultdict(list)
        for number in range(-1, 2):
            day = NIGHTS[zone] + timedelta(days=number)
            for key, stamp in read(settings, sqlite_ledger, day)[0]:
                days[key].append(day)
                assert stamp in (moments[key], moments[key] - back(zone, moments[key])), "the first of two moments"
    assert days.keys() == moments.keys(), "nothing is lost"
    assert all(moments[key].date() in read_on for key, read_on in days.items())
    twice = {key for key, read_on in days.items() if len(read_on) > 1}
    assert all(back(zone, moments[key]) for key in twice), "only what may be of either pass"


def back(zone: str, moment: datetime) -> timedelta:
    """By how much the clock is set back in the hour of this wall time."""
    wall = moment.astimezone(ZoneInfo(zone))
    first, second = (wall.replace(fold=fold).utcoffset() for fold in (0, 1))
    assert first is not None and second is not None
    return max(first - second, timedelta(0))


@pytest.mark.parametrize("zone", NIGHTS)
def test_no_bound_of_a_window_leaves_a_row_out(zone: str) -> None:
    time, local = TenantTime(zone), ZoneInfo(zone)
    first = datetime(NIGHTS[zone].year, NIGHTS[zone].month, NIGHTS[zone].day, tzinfo=UTC) - timedelta(hours=6)
    stamped = [first + timedelta(minutes=10 * n) for n in range(30 * 6)]
    walls = {moment: moment.astimezone(local).replace(tzinfo=UTC) for moment in stamped}
    for bound in stamped:
        assert all(time.earliest(bound) <= wall for moment, wall in walls.items() if moment >= bound)
        assert all(time.latest(bound) > wall for moment, wall in walls.items() if moment < bound)


@pytest.mark.promise("C44", "rows that are stamped hours ahead, and no time zone is said: the pull and ping tell it")
def test_c44_a_stamp_in_the_future_is_told(sqlite_ledger: Ledger) -> None:
    now = datetime.now(UTC)
    wall = now + timedelta(hours=1)
    with Sandbox(seed="empty", limits=PLENTY) as box:
        box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "S1", "Country": "SE"}, modified=wall)
        found, pull = read(in_zone(box, None), sqlite_ledger, wall.date())
        rows, right = read(in_zone(box, "Etc/GMT-1"), sqlite_ledger, now.date())
        client = client_of("ifs", in_zone(box, None), sqlite_ledger.budget)
        (finding,) = ask_stamps(client, [ifs.SUPPLIERS])
        said = client_of("ifs", in_zone(box, "Etc/GMT-1"), sqlite_ledger.budget)
        assert list(ask_stamps(said, [ifs.SUPPLIERS])) == []
    assert [key for key, _ in found] == [key for key, _ in rows] == ["S1"]
    assert "ifs.time_zone" in stamps_ahead(pull) and "60 minutes ahead" in stamps_ahead(pull)
    assert not finding.ok and "1.0 hours" in finding.answer
    assert stamps_ahead(right) == ""
