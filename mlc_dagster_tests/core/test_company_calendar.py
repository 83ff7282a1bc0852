"""A company's own day and accounting year."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from mlc_dagster.core.company_calendar import CompanyCalendar, DatedVoucher

JULY, JULY_BY_START = CompanyCalendar(year_starts=7), CompanyCalendar(year_starts=7, year_named_by="start")


@pytest.mark.parametrize(
    ("calendar", "day", "year"),
    [
        (CompanyCalendar(), date(2026, 11, 5), 2026),
        (CompanyCalendar(year_starts=1), date(2026, 1, 1), 2026),
        (JULY, date(2026, 6, 30), 2026),
        (JULY, date(2026, 7, 1), 2027),
        (JULY_BY_START, date(2026, 6, 30), 2025),
        (JULY_BY_START, date(2026, 7, 1), 2026),
        (CompanyCalendar(year_starts=12), date(2026, 12, 1), 2027),
    ],
)
def test_an_accounting_year_is_named_by_the_year_in_which_it_ends_or_begins(
    calendar: CompanyCalendar, day: date, year: int
) -> None:
    assert calendar.accounting_year(day) == year


def test_a_moment_is_a_day_of_the_companys_own_time_zone() -> None:
    moment = datetime(2027, 1, 1, 1, 30, tzinfo=UTC)
    assert CompanyCalendar("America/New_York").day(moment) == date(2026, 12, 31)
    assert CompanyCalendar("Asia/Tokyo").day(moment) == CompanyCalendar().day(moment) == date(2027, 1, 1)


def test_without_a_time_zone_a_moment_near_the_end_of_a_month_is_doubtful_and_in_its_middle_it_is_not() -> None:
    unsaid = CompanyCalendar()
    assert unsaid.doubtful_days(datetime(2026, 12, 31, 11, 0, tzinfo=UTC)) == (date(2026, 12, 30), date(2027, 1, 1))
    assert unsaid.doubtful_days(datetime(2026, 12, 15, 23, 0, tzinfo=UTC)) is None
    assert CompanyCalendar("UTC").doubtful_days(datetime(2026, 12, 31, 23, 0, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("calendar", "voucher", "otherwise"),
    [
        (CompanyCalendar(), DatedVoucher("M/2026/1", date(2026, 11, 5), 2026, 11), False),
        (CompanyCalendar(), DatedVoucher("M/2027/1", date(2026, 11, 5), 2027, 5), True),
        (CompanyCalendar(), DatedVoucher("M/2026/1", date(2026, 3, 5), 2026, 9), True),  # the first half tells, too
        (CompanyCalendar(), DatedVoucher("M/2026/1", date(2026, 12, 31), 2026, 13), False),  # closes a year
        (CompanyCalendar(), DatedVoucher("M/2026/1", date(2026, 3, 5), 2026), False),
        (CompanyCalendar(year_starts=1), DatedVoucher("M/2026/1", date(2026, 2, 1), 2026, 1), False),  # 4-4-5 weeks
        (JULY, DatedVoucher("M/2027/1", date(2026, 11, 5), 2027, 5), False),
        (JULY_BY_START, DatedVoucher("M/2027/1", date(2026, 11, 5), 2027, 5), True),
    ],
)
def test_a_voucher_of_the_erp_shows_whether_the_company_begins_its_year_otherwise(
    calendar: CompanyCalendar, voucher: DatedVoucher, otherwise: bool
) -> None:
    assert voucher.starts_otherwise(calendar) is otherwise
