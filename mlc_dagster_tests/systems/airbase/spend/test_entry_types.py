"""No type of entry is entered unasked; transfers are no expenses; what is paid is in the books before its payment."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.facts import Facts
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.airbase.references import types_without_meaning
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.airbase.spend.entry_types import types_seen
from mlc_dagster.systems.airbase.spend.flows import SPEND, bill_scope, entry_scope, payment_scope
from mlc_dagster.systems.airbase.spend.records import Payment
from mlc_dagster.systems.airbase.spend.vouchers import BILLS_FLOW, PAYMENTS_FLOW
from mlc_dagster.systems.ifs.entry_records import JournalEntry
from mlc_dagster_tests.systems.airbase.samples import client_on
from mlc_dagster_tests.systems.airbase.spend.samples import DAY, payment, spend_facts, spend_line
from mlc_dagster_tests.systems.airbase.spend.test_vouchers import sides

FLOWS = {flow.name: flow for flow in SPEND}
KINDS = {
    "bill": "bill",
    "reimbursement": "reimbursement",
    "bill_payment": "payment",
    "reimbursement_payment": "payment",
    "physical_card_payment": "card",
    "bill_payment_load": "transfer",
    "bill_payment_unload": "transfer",
    "rebate": "ignore",
}


def facts_of(**settings: Any) -> Facts:
    return spend_facts(**{"types": KINDS, "payment_types": [], "bills_elsewhere": False, **settings})


def entered(source: Payment, facts: Facts, flow: str = PAYMENTS_FLOW) -> tuple[JournalEntry, dict[str, str]]:
    """(the voucher, rule -> reason of those that it breaks)."""
    target: Any = FLOWS[flow].mapping(source, facts)
    found = [problem for rule in FLOWS[flow].rules if (problem := rule(source, target, facts))]
    return target, {each.rule: each.reason for each in found}


def moved(first: str, second: str, **changes: Any) -> Payment:
    lines = spend_line(first, account="2890", tags=()), spend_line(second, account="1930", number=2, tags=())
    good = {"type": "bill_payment_load", "bank_account": None, "payment_entry_date": None, "entry_date": DAY}
    return payment(*lines, **{**good, **changes})


# --- types ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bill_payment", "bill", "reimbursement", "card_transaction", "", None])
def test_no_type_is_entered_by_default(kind: str | None) -> None:
    settings = AirbaseSettings(payments_into_ifs=True)
    facts = Facts(options=settings.options(), tables=settings.tables())
    for scope in (payment_scope, bill_scope, entry_scope):
        assert scope(payment(type=kind), facts) == f"type {kind or '(none)'}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_type_is_entered_by_the_one_flow_of_its_kind(kind: str) -> None:
    facts, entry = facts_of(), payment(type=kind)
    owed, paid = bill_scope(entry, facts) == "", payment_scope(entry, facts) == ""
    assert owed is (KINDS[kind] in ("bill", "reimbursement"))
    assert paid is (KINDS[kind] in ("payment", "card", "transfer"))
    assert (entry_scope(entry, facts) == "") is (owed or paid)


def test_a_kind_that_there_is_not_is_a_mistake_in_the_settings() -> None:
    with pytest.raises(ValueError, match="expense"):
        facts_of(types={"bill": "expense"})


def test_what_an_earlier_release_entered_as_a_payment_is_no_second_time_entered_as_a_bill() -> None:
    before = replace(facts_of(), delivered={PAYMENTS_FLOW: {"a-1": "0010/M/2026/7"}})
    assert PAYMENTS_FLOW in bill_scope(payment(type="bill"), before)
    after = replace(facts_of(), delivered={BILLS_FLOW: {"a-1": "0010/M/2026/7"}})
    assert BILLS_FLOW in payment_scope(payment(), after)


def test_the_types_seen_are_listed_with_counts_amounts_and_those_that_look_like_transfers() -> None:
    entries = [payment(), payment(spend_line("7.50", account="4010")), moved("9.00", "0.00"), payment(currency="EUR")]
    euro, first, load = types_seen(entries)
    assert (first.type, first.currency, first.entries, first.amount) == ("bill_payment", "SEK", 2, Decimal("107.50"))
    assert (euro.currency, euro.entries, load.type, load.like_transfers) == ("EUR", 1, "bill_payment_load", 1)
    (unknown,) = types_without_meaning({}, [first, load], facts_of(types={"bill_payment": "payment"}), DAY)
    assert unknown.code == "bill_payment_load" and "9.00 SEK" in unknown.reason and "airbase.types" in unknown.reason


def test_the_types_that_wait_are_read_from_airbase_and_what_cannot_be_read_is_left_out(box: Sandbox) -> None:
    box.airbase.add_entry(total_amount="12.00")
    box.airbase.add_entry(type="cashback", total_amount="5.00", ap_account=None)
    box.airbase.add_entry(total_amount="12,50")
    box.airbase.add_entry(status="sync_complete")
    found = client_on(box).ledger_entry_types()
    assert [(each.type, each.entries, each.amount) for each in found] == [
        ("bill_payment", 1, Decimal("12.00")),
        ("cashback", 1, Decimal("5.00")),
    ]


# --- transfers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source, expected",
    [
        (moved("80.00", "0.00"), [("2890", "80.00", None), ("1930", None, "80.00")]),
        (moved("0.00", "80.00"), [("1930", "80.00", None), ("2890", None, "80.00")]),
        (moved("-80.00", "0.00"), [("2890", None, "80.00"), ("1930", "80.00", None)]),
    ],
)
def test_a_transfer_debits_the_line_with_the_amount_and_credits_the_other(source: Payment, expected: Any) -> None:
    voucher, broken = entered(source, facts_of())
    assert sides(voucher) == expected and broken == {}


def test_a_transfer_in_a_foreign_currency_balances_in_both() -> None:
    home = {"currency": "EUR", "subsidiary_amount": Decimal("913.20"), "subsidiary_currency": "SEK"}
    voucher, broken = entered(moved("80.00", "0.00", **home), facts_of())
    assert sides(voucher) == [("2890", "913.20", None), ("1930", None, "913.20")] and broken == {}
    assert [line.currency_amount for line in voucher.lines] == [Decimal("80.00"), Decimal("-80.00")]


@pytest.mark.parametrize("flow, kind", [(PAYMENTS_FLOW, "physical_card_payment"), (BILLS_FLOW, "reimbursement")])
def test_what_looks_like_a_transfer_is_never_entered_as_an_expense(flow: str, kind: str) -> None:
    facts = facts_of(credit_accounts={kind: "2440"})
    for source in (moved("80.00", "0.00", type=kind), moved("0.00", "80.00", type=kind)):
        _, broken = entered(source, facts, flow)
        assert "transfer" in broken["transfer_is_no_expense"]
        assert "2890 80.00" in broken["transfer_is_no_expense"] or "2890 0.00" in broken["transfer_is_no_expense"]


def test_a_listed_type_that_looks_like_a_transfer_is_held_too() -> None:
    facts = facts_of(types={}, payment_types=["bill_payment_load"], credit_accounts={"bill_payment_load": "1930"})
    assert "transfer_is_no_expense" in entered(moved("80.00", "0.00"), facts)[1]


@pytest.mark.parametrize("lines", [("80.00",), ("80.00", "1.00"), ("0.00", "0.00"), ("80.00", "0.00", "0.00")])
def test_a_transfer_of_another_shape_is_held(lines: tuple[str, ...]) -> None:
    source = payment(*(spend_line(each, account="1930") for each in lines), type="bill_payment_load")
    assert "two lines" in entered(source, facts_of())[1]["transfer_is_no_expense"]


# --- bills and what pays them -----------------------------------------------------------------------------------------


def bill(**changes: Any) -> Payment:
    good = {
        "type": "bill",
        "bank_account": None,
        "payment_entry_date": None,
        "entry_date": DAY,
        "invoice_number": "I-7",
    }
    return payment(spend_line(account="4010"), **{**good, **changes})


def test_a_bill_debits_its_lines_with_their_cost_centres_against_what_is_owed() -> None:
    voucher, broken = entered(bill(ap_account="2890"), facts_of(), BILLS_FLOW)
    assert sides(voucher) == [("4010", "100.00", None), ("2890", None, "100.00")] and broken == {}
    assert (voucher.lines[0].code_b, voucher.external_ref, voucher.text) == (
        "CC100",
        "airbase-bill-a-1",
        "Airbase bill I-7",
    )
    assert voucher.voucher_date == DAY
    plain, _ = entered(bill(), facts_of(), BILLS_FLOW)
    assert sides(plain)[1] == ("2440", None, "100.00")


def test_a_reimbursement_without_an_account_of_what_is_owed_is_held() -> None:
    assert "owed" in entered(bill(type="reimbursement"), facts_of(), BILLS_FLOW)[1]["payment_has_its_accounts"]
    voucher, broken = entered(
        bill(type="reimbursement"), facts_of(credit_accounts={"reimbursement": "2890"}), BILLS_FLOW
    )
    assert sides(voucher)[1] == ("2890", None, "100.00") and broken == {}


def test_a_payment_whose_bill_is_not_in_the_erp_is_held_under_the_bills_key() -> None:
    source = payment(applied_to=("b-1", "b-2"), ap_account="2440")
    with_one = replace(facts_of(), delivered={BILLS_FLOW: {"b-1": "0010/M/2026/7"}})
    _, broken = entered(source, with_one)
    assert "b-2" in broken["paid_bill_is_in_the_erp"] and "b-1" not in broken["paid_bill_is_in_the_erp"]
    with_both = replace(facts_of(), delivered={BILLS_FLOW: {"b-1": "v7"}, PAYMENTS_FLOW: {"b-2": "v8"}})
    assert entered(source, with_both)[1] == {}


def test_a_payment_that_names_no_bill_is_held() -> None:
    assert "which bill" in entered(payment(), facts_of())[1]["paid_bill_is_in_the_erp"]


def test_where_bills_reach_the_erp_another_way_their_payments_are_entered() -> None:
    assert entered(payment(applied_to=("b-1",)), facts_of(bills_elsewhere=True))[1] == {}


def test_a_payment_that_was_entered_before_is_not_held_for_its_bill_now() -> None:
    known = replace(facts_of(), delivered={PAYMENTS_FLOW: {"a-1": "0010/M/2026/7"}})
    assert entered(payment(applied_to=("b-1",)), known)[1] == {}
