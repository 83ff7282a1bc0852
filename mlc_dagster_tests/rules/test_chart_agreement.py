"""Two charts of accounts beside each other: what is missing on which side."""

from __future__ import annotations

from datetime import date
from typing import Any

from mlc_dagster.core.facts import CompanyMapping, Facts, LedgerAccount
from mlc_dagster.rules.chart_agreement import companies_without_subsidiary, missing_in_erp, missing_in_target
from mlc_dagster.systems.airbase.records import Account, Subsidiary

TODAY = date(2026, 11, 21)
PLANTS = {
    "0010": CompanyMapping("0010", "SEK"),
    "20": CompanyMapping("20", "JPY", 0, {"subsidiary": "JP"}),
}
FACTS = Facts(title="Airbase", companies=PLANTS, gl_accounts={"6110": "6100"})


def chart(*accounts: LedgerAccount) -> dict[tuple[str, str], LedgerAccount]:
    return {(account.company, account.code): account for account in accounts}


def theirs(code: str, *subsidiaries: str, **changes: Any) -> Account:
    return Account(airbase_id=f"id-{code}", erp_reference_id=code, name=code, subsidiaries=subsidiaries, **changes)


def test_an_account_is_missing_in_airbase_where_it_is_absent_closed_or_not_open_to_the_company() -> None:
    ours = chart(*(LedgerAccount("20", code) for code in ("1", "2", "3", "4", "6110")))
    there = [theirs("1"), theirs("2", is_active=False), theirs("3", "0010"), theirs("6100", "JP")]
    missing = missing_in_target(ours, there, FACTS, TODAY)
    assert [(each.missing_in, each.company, each.code) for each in missing] == [
        ("Airbase", "20", "2"),
        ("Airbase", "20", "3"),
        ("Airbase", "20", "4"),
    ]
    assert "not active" in missing[0].reason and "subsidiary JP" in missing[1].reason


def test_an_account_that_the_erp_closed_is_not_asked_of_airbase() -> None:
    ours = chart(
        LedgerAccount("0010", "1", blocked=True),
        LedgerAccount("0010", "2", valid_until=date(2026, 11, 20)),
        LedgerAccount("0010", "3", valid_from=date(2026, 11, 22)),
        LedgerAccount("0099", "4"),
    )
    assert missing_in_target(ours, [], FACTS, TODAY) == []


def test_an_account_is_missing_in_ifs_where_no_company_has_it_open() -> None:
    ours = chart(LedgerAccount("0010", "1"), LedgerAccount("20", "2", blocked=True), LedgerAccount("0010", "6110"))
    there = [theirs("1"), theirs("1b", is_active=False), theirs("2"), theirs("6100"), theirs("9"), theirs("1", "JP")]
    missing = missing_in_erp(ours, there, FACTS, TODAY)
    assert [(each.company, each.code) for each in missing] == [("20", "1"), ("", "2"), ("", "9")]
    assert {each.missing_in for each in missing} == {"IFS"}


def test_an_account_without_a_reference_is_named() -> None:
    (missing,) = missing_in_erp({}, [Account(airbase_id="a", name="Petty cash")], FACTS, TODAY)
    assert (missing.name, missing.code) == ("Petty cash", "") and "erp_reference_id" in missing.reason


def test_charts_that_agree_have_nothing_missing() -> None:
    ours = chart(LedgerAccount("0010", "1"), LedgerAccount("20", "1"))
    assert (
        missing_in_target(ours, [theirs("1")], FACTS, TODAY) == missing_in_erp(ours, [theirs("1")], FACTS, TODAY) == []
    )


def test_companies_and_subsidiaries_are_compared_both_ways() -> None:
    there = [Subsidiary(airbase_id="a", erp_reference_id="0010"), Subsidiary(airbase_id="b", erp_reference_id="US")]
    missing = companies_without_subsidiary({}, there, FACTS, TODAY)
    assert [(each.missing_in, each.company, each.code) for each in missing] == [
        ("Airbase", "20", "JP"),
        ("IFS", "", "US"),
    ]
