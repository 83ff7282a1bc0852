"""In which day and accounting year of a company something lies. Pure.

The ERP keeps a calendar of its own for each company: an accounting year need not be a calendar year, and it is named by
the year in which it ends, or begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

EARLIEST, LATEST = timedelta(hours=-12), timedelta(hours=14)
"""How far local time lies from UTC anywhere."""


@dataclass(frozen=True)
class CompanyCalendar:
    """What `companies.<code>` of mlc.yaml says of its time; None: it says nothing."""

    time_zone: str | None = None
    year_starts: int | None = None  # the month, 1 to 12
    year_named_by: Literal["end", "start"] = "end"

    def accounting_year(self, day: date) -> int:
        """The calendar year where mlc.yaml says nothing."""
        starts = self.year_starts or 1
        begun = day.year if day.month >= starts else day.year - 1
        return begun + (1 if self.year_named_by == "end" and starts > 1 else 0)

    def day(self, moment: datetime) -> date:
        """The company's own day; that of UTC where mlc.yaml says no time zone."""
        return moment.astimezone(ZoneInfo(self.time_zone) if self.time_zone else UTC).date()

    def doubtful_days(self, moment: datetime) -> tuple[date, date] | None:
        """Two days of different months that it may be, where mlc.yaml says no time zone."""
        if self.time_zone:
            return None
        days = sorted(((moment + EARLIEST).date(), (moment + LATEST).date()))
        return None if days[0].month == days[1].month else (days[0], days[1])


@dataclass(frozen=True)
class DatedVoucher:
    """A voucher of the ERP, which shows in what year and period the company has its date."""

    number: str
    day: date
    year: int
    period: int | None = None

    def starts_otherwise(self, calendar: CompanyCalendar) -> bool:
        """Whether its year is not that of the calendar; or its period, where mlc.yaml leaves the year's start open.

        A period above 12 closes a year, and 0 opens it: neither is a month.
        """
        if calendar.accounting_year(self.day) != self.year:
            return True
        is_month = self.period is not None and 1 <= self.period <= 12
        return calendar.year_starts is None and is_month and self.period != self.day.month
