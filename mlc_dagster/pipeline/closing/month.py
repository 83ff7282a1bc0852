"""A month of the calendar: which documents are of it."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Self

from mlc_dagster.core.errors import Misconfigured


@dataclass(frozen=True)
class Month:
    """2026-11."""

    first: date

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises Misconfigured where it is none."""
        if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
            return cls(date.fromisoformat(f"{text}-01"))
        raise Misconfigured(f"{text[:40]!r} is no month", cure="Say it as year and month: --period 2026-11.")

    @property
    def last(self) -> date:
        return self.first.replace(day=monthrange(self.first.year, self.first.month)[1])

    def ends_at(self, zone: tzinfo = UTC) -> datetime:
        """The first moment after it, where a company is."""
        after = self.last + timedelta(days=1)
        return datetime(after.year, after.month, after.day, tzinfo=zone)

    def begins_at(self, zone: tzinfo = UTC) -> datetime:
        return datetime(self.first.year, self.first.month, 1, tzinfo=zone)

    @property
    def edges(self) -> list[str]:
        """The days that begin or end in another month where a company's clock is not UTC's."""
        ends = (self.first - timedelta(days=1), self.first, self.last, self.last + timedelta(days=1))
        return [day.isoformat() for day in ends]

    def has(self, day: date | str | None) -> bool:
        """Of a date, or of its text; what is no date is of no month."""
        return str(day or "").startswith(f"{self}-")

    def __str__(self) -> str:
        return f"{self.first:%Y-%m}"
