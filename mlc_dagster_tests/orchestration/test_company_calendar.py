"""A voucher lies in the day and the accounting year that its company has in the ERP, or it is held."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from mlc_dagster.settings.model import CompanySettings
from mlc_dagster_tests.orchestration.conftest import World
from mlc_dagster_tests.orchestration.test_airbase_inbound import (
    PAYMENTS,
    REQUESTS,
    holds,
    run,
    spent,  # noqa: F401 - a fixture
    vouchers,
)


def company(world: World, **said: Any) -> None:
    settings = CompanySettings.model_validate({"currency": "SEK", **said})
    world.settings = world.settings.model_copy(update={"companies": {"0010": settings}})


def voucher_of_a_year_from_july(world: World) -> None:
    rows = [
        {"RowNo": 1, "Account": "4010", "DebitAmount": Decimal(5)},
        {"RowNo": 2, "Account": "1930", "CreditAmount": Decimal(5)},
    ]
    keys = {"Company": "0010", "VoucherType": "M", "AccountingYear": 2027, "VoucherNo": 900, "AccountingPeriod": 5}
    voucher = {**keys, "VoucherDate": "2026-11-05", "VoucherRows": rows}
    world.box.ifs.put("VoucherSet", voucher, modified=datetime(2026, 11, 5, 9, tzinfo=UTC))


@pytest.mark.promise("C44", "an accounting year from July: held where mlc.yaml says another, then as it is")
def test_a_company_whose_year_begins_otherwise_than_mlc_yaml_says_has_its_vouchers_held(spent: World) -> None:  # noqa: F811
    voucher_of_a_year_from_july(spent)
    spent.box.airbase.add_entry(total_amount="1250.00", invoice_number="INV-7")
    run(spent)
    assert set(holds(spent, PAYMENTS).values()) == {"accounting_year_is_known"}
    (hold,) = spent.ledger.open_holds(PAYMENTS)
    reason = " ".join(problem.reason for problem in hold.problems)
    assert "accounting year 2027, period 5" in reason and "companies.0010.accounting_year_starts" in reason
    assert len(vouchers(spent)) == 1

    company(spent, accounting_year_starts=7)
    run(spent)
    ours = [(row["VoucherDate"][:7], row["AccountingYear"]) for row in vouchers(spent) if row["VoucherNo"] != 900]
    assert [year for _, year in ours] == [_year_from_july(month) for month, _ in ours] and len(ours) == 1
    assert not holds(spent, PAYMENTS)


def _year_from_july(month: str) -> int:
    return int(month[:4]) + (int(month[5:]) >= 7)


@pytest.mark.promise("C44", "moments near midnight in Sydney, Tokyo and New York: the company's own day and year")
@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        ("2027-01-01T01:30:00Z", "America/New_York", "2026-12-31"),
        ("2026-12-31T20:30:00+00:00", "Asia/Tokyo", "2027-01-01"),
        ("2026-12-31T13:30:00Z", "Australia/Sydney", "2027-01-01"),
        ("2026-12-31T00:00:00Z", "America/New_York", "2026-12-31"),  # a day, as days are mostly sent
        ("2026-12-31T23:10:00", "Asia/Tokyo", "2026-12-31"),  # without a zone: the day that it shows
    ],
)
def test_a_voucher_has_the_day_on_which_the_company_had_the_moment(
    spent: World,  # noqa: F811
    moment: str,
    zone: str,
    day: str,
) -> None:
    company(spent, time_zone=zone)
    spent.box.airbase.add_request(approved_date=moment)
    run(spent)
    (voucher,) = vouchers(spent)
    assert (voucher["VoucherDate"], voucher["AccountingYear"]) == (day, int(day[:4]))


def test_without_a_time_zone_a_moment_of_two_months_is_held_and_another_is_entered(spent: World) -> None:  # noqa: F811
    spent.box.airbase.add_request(approved_date="2027-01-01T01:30:00Z")
    spent.box.airbase.add_request(approved_date="2026-11-15T01:30:00Z")
    run(spent)
    assert list(holds(spent, REQUESTS).values()) == ["posting_day_is_sure"]
    assert [voucher["VoucherDate"] for voucher in vouchers(spent)] == ["2026-11-15"]
    company(spent, time_zone="Europe/Stockholm")
    run(spent)
    assert sorted(voucher["VoucherDate"] for voucher in vouchers(spent)) == ["2026-11-15", "2027-01-01"]


def test_a_time_zone_that_is_none_is_refused_with_one_that_is_near() -> None:
    with pytest.raises(ValidationError, match=r"no time zone of this name; nearest: .*Europe/Stockholm"):
        CompanySettings.model_validate({"currency": "SEK", "time_zone": "Europe/Stokholm"})
