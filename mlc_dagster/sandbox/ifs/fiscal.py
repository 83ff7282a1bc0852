"""The tenant's calendar: an accounting year begins in any month, and its last period is kept for the year's end."""

from __future__ import annotations

from datetime import date

from mlc_dagster.sandbox.ifs.rows import RowSet


def year_and_period(day: str, first_month: int) -> tuple[int, int]:
    """("2026-08-03", 7) -> (2027, 2): a year is called by the one that it ends in. Raises ValueError for no date."""
    found = date.fromisoformat(day)
    months = (found.month - first_month) % 12
    return found.year + (first_month > 1 and found.month >= first_month), months + 1


def rekeyed(rows: RowSet, first_month: int) -> None:
    """Vouchers that were sown by the calendar year get the year and the period of this tenant."""
    for stored in rows.insertion_order():
        row = dict(stored.fields)
        year, period = year_and_period(row["VoucherDate"], first_month)
        lines = [dict(line.fields) for line in stored.lines]
        for line in lines:
            line["AccountingYear"] = year
        rows.remove(stored.key)
        rows.put({**row, "AccountingYear": year, "AccountingPeriod": period, "VoucherRows": lines})
