"""A document lies in the day and the accounting year that its company has, or is held."""

from __future__ import annotations

from typing import Any

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem


def accounting_year_is_known(source: Any, target: Any, facts: Facts) -> Problem | None:
    """What the ERP's newest voucher of the company says of its accounting year agrees with mlc.yaml."""
    company, shown = facts.companies.get(target.company), facts.books.vouchers.get(target.company)
    if company is None or shown is None or not shown.starts_otherwise(company.calendar):
        return None
    period = f", period {shown.period}" if shown.period is not None else ""
    reason = (
        f"Company {target.company} has {shown.day} in accounting year {shown.year}{period} (voucher {shown.number}); "
        f"by mlc.yaml it lies in {company.calendar.accounting_year(shown.day)}."
    )
    cure = (
        f"Set companies.{target.company}.accounting_year_starts to the month in which the year begins "
        "(1 for January), and accounting_year_named_by where it is named by its start."
    )
    return Problem("accounting_year_is_known", f"{reason} {cure}", target.company)


def posting_day_is_sure(source: Any, target: Any, facts: Facts) -> Problem | None:
    """A moment near the end of a month is a day of one month or of the other: only the company's time zone tells."""
    company, moment = facts.companies.get(target.company), source.dated_at()
    days = company.calendar.doubtful_days(moment) if company and moment else None
    if days is None:
        return None
    reason = f"{moment:%Y-%m-%dT%H:%MZ} is {days[0]} or {days[1]}, as the company's time zone says: two months."
    cure = f"Set companies.{target.company}.time_zone in mlc.yaml, for example Europe/Stockholm."
    return Problem("posting_day_is_sure", f"{reason} {cure}", target.company)
