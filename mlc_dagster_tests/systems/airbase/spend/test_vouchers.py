"""What was spent in Airbase, as journal entries: sides, accounts, dimensions, and every cent of it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.facts import Facts
from mlc_dagster.systems.airbase.spend.flows import SPEND, acknowledgement_of_payment, payment_scope, request_scope
from mlc_dagster.systems.airbase.spend.line_amounts import in_proportion
from mlc_dagster.systems.airbase.spend.records import Payment, PurchaseRequest, Spend, Tag
from mlc_dagster.systems.airbase.spend.vouchers import entry_from_payment, entry_from_request
from mlc_dagster.systems.ifs.entry_records import JournalEntry
from mlc_dagster_tests.systems.airbase.spend.samples import COMPANIES, DAY, payment, request, spend_facts, spend_line

REQUESTS, PAYMENTS = SPEND[0], SPEND[2]


def entered(source: Spend, facts: Facts | None = None) -> JournalEntry:
    known = facts or spend_facts()
    return entry_from_request(source, known) if isinstance(source, PurchaseRequest) else _paid(source, known)


def _paid(source: Spend, facts: Facts) -> JournalEntry:
    assert isinstance(source, Payment)
    return entry_from_payment(source, facts)


def sides(entry: JournalEntry) -> list[tuple[str | None, str | None, str | None]]:
    """(account, debit, credit) of each line, amounts as text."""
    return [(line.account, _text(line.debit_amount), _text(line.credit_amount)) for line in entry.lines]


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def broken(source: Spend, facts: Facts | None = None) -> dict[str, str]:
    """Rule -> reason, of those that the source breaks."""
    known = facts or spend_facts()
    flow = REQUESTS if isinstance(source, PurchaseRequest) else PAYMENTS
    target = flow.mapping(source, known)
    found = [problem for rule in flow.rules if (problem := rule(source, target, known))]
    return {problem.rule: problem.reason for problem in found}


# --- sides and accounts -----------------------------------------------------------------------------------------------

CASES: dict[str, tuple[Spend, dict[str, Any], list[tuple[str | None, str | None, str | None]]]] = {
    "a request, on the account of its purchase type": (
        request(),
        {},
        [("5420", "100.00", None), ("2990", None, "100.00")],
    ),
    "a line's own account comes first, mapped back": (
        request(spend_line(account="A-4010")),
        {"gl_accounts": {"4010": "A-4010"}},
        [("4010", "100.00", None), ("2990", None, "100.00")],
    ),
    "a request without lines is one line": (
        request(lines=(), total_amount=Decimal("70.00")),
        {},
        [("5420", "70.00", None), ("2990", None, "70.00")],
    ),
    "a discount stands on the other side": (
        request(spend_line("100.00"), spend_line("-20.00")),
        {},
        [("5420", "100.00", None), ("5420", None, "20.00"), ("2990", None, "80.00")],
    ),
    "a line of nothing is left out": (
        request(spend_line("100.00"), spend_line("0.00")),
        {},
        [("5420", "100.00", None), ("2990", None, "100.00")],
    ),
    "a bill payment debits its payable account": (
        payment(ap_account="2890"),
        {},
        [("2890", "100.00", None), ("1930", None, "100.00")],
    ),
    "a bill payment without one debits that of mlc.yaml": (
        payment(),
        {},
        [("2440", "100.00", None), ("1930", None, "100.00")],
    ),
    "part of a bill is paid: the total counts": (
        payment(total_amount=Decimal("40.00")),
        {},
        [("2440", "40.00", None), ("1930", None, "40.00")],
    ),
    "what pays another entry never books its lines again": (
        payment(type="reimbursement_payment", applied_to=("r-1",)),
        {},
        [("2440", "100.00", None), ("1930", None, "100.00")],
    ),
    "a type with a debit account of its own": (
        payment(type="reimbursement_payment"),
        {"debit_accounts": {"reimbursement_payment": "2890"}},
        [("2890", "100.00", None), ("1930", None, "100.00")],
    ),
    "card spend debits its lines and credits the card's account": (
        payment(type="card_transaction", bank_account=None),
        {"credit_accounts": {"card_transaction": "2890"}},
        [("4010", "100.00", None), ("2890", None, "100.00")],
    ),
    "a bank account by its name": (
        payment(bank_account=None, bank_name="Main"),
        {"bank_accounts": {"Main": "1930"}},
        [("2440", "100.00", None), ("1930", None, "100.00")],
    ),
    "a refund is the other way round": (
        payment(total_amount=Decimal("-30.00")),
        {},
        [("2440", None, "30.00"), ("1930", "30.00", None)],
    ),
    "a cent that rounding left over goes to the largest line": (
        request(spend_line("33.334"), spend_line("33.333"), spend_line("33.333"), total_amount=Decimal("100.00")),
        {},
        [("5420", "33.34", None), ("5420", "33.33", None), ("5420", "33.33", None), ("2990", None, "100.00")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_debit_and_credit_stand_where_they_belong(name: str) -> None:
    source, settings, expected = CASES[name]
    facts = spend_facts(**settings)
    assert sides(entered(source, facts)) == expected
    assert broken(source, facts) == {}


def test_an_entry_carries_its_reference_date_text_and_dimension() -> None:
    entry = entered(request(), spend_facts(voucher_type="F", user_group="AP"))
    assert (entry.external_ref, entry.voucher_date, entry.text) == ("airbase-request-a-1", DAY, "Airbase request PR-1")
    assert (entry.voucher_type, entry.user_group) == ("F", "AP")
    assert [(line.code_b, line.text) for line in entry.lines] == [("CC100", "Licences"), (None, None)]
    assert entered(payment()).external_ref == "airbase-payment-a-1"


def test_a_payment_is_dated_by_its_payment_and_else_by_its_entry() -> None:
    assert entered(payment(entry_date=date(2026, 10, 1))).voucher_date == DAY
    assert entered(payment(payment_entry_date=None, entry_date=date(2026, 10, 1))).voucher_date == date(2026, 10, 1)


def test_a_subsidiary_is_read_back_to_its_company() -> None:
    yen = request(spend_line("100"), subsidiary="JP", currency="JPY")
    assert entered(yen).company == "20" and broken(yen) == {}
    assert "subsidiary_is_a_company" in broken(request(subsidiary="XX"))


def test_a_tag_stands_for_a_code_part_value_by_name_or_by_reference() -> None:
    facts = spend_facts(dimensions={"Department": "B", "Project": "C"}, cost_centers={"Assembly": "100", "P1": "P-01"})
    tags = (Tag(group="Department", name="Assembly"), Tag(group="Project", code="P1"), Tag(group="Mood", code="x"))
    (line, _) = entered(request(spend_line(tags=tags)), facts).lines
    assert (line.code_b, line.code_c, line.code_d) == ("100", "P-01", None)


def test_the_documents_own_tags_count_for_lines_that_have_none() -> None:
    lines = spend_line("1.00", tags=()), spend_line("2.00", tags=(Tag(group="Department", code="CC100"),))
    entry = entered(request(*lines, tags=(Tag(group="Department", code="CC200"),)))
    assert [line.code_b for line in entry.lines] == ["CC200", "CC100", None]


# --- currencies -------------------------------------------------------------------------------------------------------


def test_a_foreign_amount_is_shared_out_over_the_lines_and_the_rest_goes_to_the_largest() -> None:
    source = request(
        *(spend_line("10.00"), spend_line("10.00"), spend_line("10.01")),
        currency="EUR",
        subsidiary_amount=Decimal("333.33"),
        subsidiary_currency="SEK",
    )
    entry = entered(source)
    assert broken(source) == {}
    assert [line.currency_amount for line in entry.lines] == [Decimal(t) for t in ("10.00", "10.00", "10.01", "-30.01")]
    assert [line.debit_amount for line in entry.lines] == [
        Decimal("111.07"),
        Decimal("111.07"),
        Decimal("111.19"),
        None,
    ]
    assert entry.lines[-1].credit_amount == Decimal("333.33") and entry.lines[0].currency_code == "EUR"


BROKEN: dict[str, tuple[Spend, dict[str, Any], str, str]] = {
    "no amount in the company's currency": (request(currency="EUR"), {}, "company_amount_is_known", "0010"),
    "an amount in a third currency": (
        request(currency="EUR", subsidiary_amount=Decimal(1), subsidiary_currency="USD"),
        {},
        "company_amount_is_known",
        "USD",
    ),
    "two amounts in one currency": (
        request(subsidiary_amount=Decimal("99.00"), subsidiary_currency="SEK"),
        {},
        "company_amount_is_known",
        "99.00",
    ),
    "different signs": (
        request(currency="EUR", subsidiary_amount=Decimal(-1), subsidiary_currency="SEK"),
        {},
        "company_amount_is_known",
        "signs",
    ),
    "an unknown currency": (request(currency="XXX"), {}, "currency_is_known", "XXX"),
    "no currency": (request(currency=None), {}, "currency_is_known", "no currency"),
    "lines that do not make the total": (
        request(total_amount=Decimal("101.00")),
        {},
        "lines_make_the_total",
        "1.00 between",
    ),
    "one line cannot differ by rounding": (
        request(total_amount=Decimal("100.01")),
        {},
        "lines_make_the_total",
        "0.01 between",
    ),
    "a line without an amount": (request(spend_line(None)), {}, "lines_make_the_total", "Line 1"),
    "a purchase type without an account": (
        request(purchase_type="Travel"),
        {},
        "purchase_type_has_an_account",
        "Travel",
    ),
    "an account that stands for two": (
        request(spend_line(account="A")),
        {"gl_accounts": {"4010": "A", "5420": "A"}},
        "purchase_type_has_an_account",
        "several",
    ),
    "a payment from an unknown bank": (payment(bank_account=None), {}, "payment_has_its_accounts", "bank_accounts"),
    "a payment of nothing owed": (payment(), {"ap_account": ""}, "payment_has_its_accounts", "ap_account"),
    "card spend on a line without an account": (
        payment(spend_line(), type="card_transaction"),
        {},
        "payment_has_its_accounts",
        "line 1",
    ),
    "nothing was paid": (payment(total_amount=Decimal(0)), {}, "voucher_balances", "nothing to post"),
    "a tag without a reference": (
        request(spend_line(tags=(Tag(group="Department", name="New"),))),
        {},
        "dimensions_are_mapped",
        "cost_centers",
    ),
    "two departments on one line": (
        request(spend_line(tags=(Tag(group="Department", code="CC100"), Tag(group="Department", code="CC200")))),
        {},
        "dimensions_are_mapped",
        "2 tags",
    ),
    "a department that the ERP has not": (
        request(spend_line(tags=(Tag(group="Department", code="CC900"),))),
        {},
        "code_parts_exist",
        "CC900",
    ),
    "an account that the ERP has not": (request(spend_line(account="9999")), {}, "gl_accounts_exist", "9999"),
    "no date": (request(approved_date=None), {}, "period_is_open", "no posting date"),
    "a text that does not fit": (request(spend_line(description="x" * 201)), {}, "texts_fit", "201"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_not_good_breaks_a_rule_that_says_so(name: str) -> None:
    source, settings, rule, words = BROKEN[name]
    found = broken(source, spend_facts(**settings))
    assert rule in found, found
    assert words in found[rule]


@pytest.mark.parametrize("company", COMPANIES)
def test_whatever_the_amounts_every_entry_balances_to_the_smallest_coin(company: str) -> None:
    dice, mapping = random.Random(20261105), COMPANIES[company]
    coin, facts = Decimal(1).scaleb(-mapping.decimals), spend_facts()
    subsidiary = mapping.names.get("subsidiary", company)
    for _ in range(2000):
        lines = [spend_line(str(dice.randrange(-500, 10**7) * coin)) for _ in range(dice.randrange(1, 9))]
        foreign = dice.random() < 0.5
        total = sum((line.amount or Decimal(0) for line in lines), Decimal(0))
        home = abs(Decimal(dice.randrange(1, 10**9)) * coin).copy_sign(total)
        more = {"currency": "EUR", "subsidiary_amount": home} if foreign else {"currency": mapping.currency}
        source = request(*lines, subsidiary=subsidiary, **more)
        entry = entered(source, facts)
        debit = sum((line.debit_amount or Decimal(0) for line in entry.lines), Decimal(0))
        credit = sum((line.credit_amount or Decimal(0) for line in entry.lines), Decimal(0))
        assert debit == credit, source
        assert sum((line.currency_amount or Decimal(0) for line in entry.lines), Decimal(0)) == 0, source
        assert all((amount / coin) % 1 == 0 for line in entry.lines for amount in (line.debit_amount or Decimal(0),))


def test_a_total_that_is_shared_out_is_whole_again() -> None:
    dice = random.Random(7)
    for _ in range(2000):
        decimals = dice.choice((0, 2, 3))
        total = Decimal(dice.randrange(-(10**9), 10**9)).scaleb(-decimals)
        weights = [Decimal(dice.randrange(1, 10**6)).scaleb(-2) for _ in range(dice.randrange(1, 20))]
        amounts = in_proportion(total, weights, decimals)
        assert sum(amounts) == total
        exact = [total * weight / sum(weights) for weight in weights]
        largest = weights.index(max(weights))
        coin = Decimal(1).scaleb(-decimals)
        assert all(abs(a - b) <= coin / 2 for n, (a, b) in enumerate(zip(amounts, exact, strict=True)) if n != largest)


# --- scope and acknowledgement ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source, why",
    [
        (payment(), ""),
        (payment(type="bill"), "type bill"),
        (payment(status="sync_complete"), "in the ERP already"),
        (payment(erp_reference_id="V1"), "in the ERP already"),
        (payment(status="sync_failed"), "status sync_failed"),
        (request(), ""),
        (request(status="pending"), "status pending"),
        (request(status=None), "status (none)"),
    ],
)
def test_what_is_done_or_not_yet_approved_is_out_of_scope(source: Spend, why: str) -> None:
    if isinstance(source, PurchaseRequest):
        assert request_scope(source, spend_facts()) == why
    elif isinstance(source, Payment):
        assert payment_scope(source, spend_facts()) == why


def test_an_acknowledgement_is_the_template_with_the_vouchers_key() -> None:
    facts = spend_facts(acknowledge={"payments": {"status": "done", "note": "{voucher} of {remote_id}"}})
    known = replace(facts, delivered={PAYMENTS.name: {"a-1": "0010/M/2026/7"}})
    told, untold = acknowledgement_of_payment(payment(), known), acknowledgement_of_payment(payment(), facts)
    assert told.body() == {"status": "done", "note": "0010/M/2026/7 of a-1"}
    assert untold.body() == {} and untold.voucher is None
