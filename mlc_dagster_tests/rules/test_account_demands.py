"""What an account demands of a booking is judged before the write; a chart that says nothing demands nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.facts import AccountDemands, Facts, LedgerAccount
from mlc_dagster.rules import account_demands_are_met
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.chart_facts import _ledger_account
from mlc_dagster.systems.ifs.entry_records import Invoice, JournalEntry, JournalEntryLine, PayableLine


def entry(**line: Any) -> JournalEntry:
    lines = JournalEntryLine(account="4010", debit_amount=Decimal(5), **line), JournalEntryLine(account="1930")
    on = date(2026, 11, 5)
    return JournalEntry(
        external_ref="a-1", company="0010", currency="SEK", voucher_type="M", voucher_date=on, text="Whole", lines=lines
    )


def facts(account: str = "4010", **said: Any) -> Facts:
    """Of a chart as a tenant has it."""
    chart = (
        _ledger_account(ifs.Account(company="0010", account=account, **said)),
        _ledger_account(ifs.Account(company="0010", account="1930")),
    )
    return Facts(accounts={(each.company, each.code): each for each in chart})


@pytest.mark.parametrize(
    "said, line, words",
    [
        ({"req_code_b": "Mandatory"}, {}, "demands code part B, and the line names none"),
        ({"req_code_j": "mandatory"}, {"code_b": "CC1"}, "demands code part J"),
        ({"req_code_b": "Blocked"}, {"code_b": "CC1"}, "takes no code part B, and the line names one"),
        ({"req_text": "Mandatory"}, {"text": " "}, "demands a text"),
        ({"tax_code_mandatory": True}, {}, "demands a tax code"),
        ({"ledger_flag": "LedgerAccount"}, {}, "nobody by hand"),
    ],
)
def test_what_is_not_met_is_told_with_line_account_part_and_what_to_do(
    said: dict[str, Any], line: dict[str, Any], words: str
) -> None:
    found = account_demands_are_met(None, entry(**line), facts(**said))
    assert found is not None and (found.rule, found.subject) == ("account_demands_are_met", "4010")
    assert found.reason.startswith("line 1: account 4010 of company 0010 ") and words in found.reason
    assert found.reason.endswith(".") and found.reason.count(". ") >= 1, "what to do stands behind what is wrong"


@pytest.mark.parametrize(
    "said, line",
    [
        ({}, {"code_b": "CC1"}),
        ({"req_code_b": "Can", "req_text": "Can", "tax_handling": "All", "ledger_flag": "NotLedgerAccount"}, {}),
        ({"req_code_b": "Mandatory", "req_text": "Mandatory"}, {"code_b": "CC1", "text": "Bolts"}),
        ({"req_code_c": "Blocked", "tax_handling": "Blocked"}, {"code_b": "CC1"}),
    ],
)
def test_a_booking_that_meets_them_is_good(said: dict[str, Any], line: dict[str, Any]) -> None:
    assert account_demands_are_met(None, entry(**line), facts(**said)) is None


def test_a_tax_code_on_an_account_that_takes_none_is_held() -> None:
    line = PayableLine(amount=Decimal(5), account="4010", tax_code="V25")
    bill = Invoice(
        external_ref="p-1", company="0010", currency="SEK", supplier_id="S1", invoice_no="1", invoice_date=None,
        net_amount=Decimal(5), vat_amount=Decimal(0), gross_amount=Decimal(5), lines=(line,),
    )  # fmt: skip
    found = account_demands_are_met(None, bill, facts(tax_handling="Blocked"))
    assert found is not None and "takes no tax code, and the line has V25" in found.reason


def test_all_that_one_line_lacks_is_told_at_once() -> None:
    found = account_demands_are_met(None, entry(), facts(req_code_b="Mandatory", req_code_c="Mandatory"))
    assert found is not None and "code part B" in found.reason and "code part C" in found.reason


def test_a_chart_that_says_nothing_has_no_demands() -> None:
    (known,) = [each for each in facts().accounts.values() if each.code == "4010"]
    assert known == LedgerAccount("0010", "4010") and known.demands is None
    (asked,) = [each for each in facts(req_text="Mandatory").accounts.values() if each.code == "4010"]
    assert asked.demands == AccountDemands(text=True)


def test_a_line_without_a_text_takes_the_documents_where_its_account_demands_one() -> None:
    plain = entry()
    assert plain.with_demanded_texts(facts()) is plain
    made = plain.with_demanded_texts(facts(req_text="Mandatory"))
    assert [line.text for line in made.lines] == ["Whole", None]
    assert account_demands_are_met(None, made, facts(req_text="Mandatory")) is None
    assert entry(text="Own").with_demanded_texts(facts(req_text="Mandatory")).lines[0].text == "Own"
