"""Every rule: a good record passes, and each bad one is held with a reason that says what, where and what to do."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.amounts import currency_decimals, round_half_up, times
from mlc_dagster.core.facts import CompanyMapping, Facts, LedgerAccount
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.systems.cin7.flows import FLOWS
from mlc_dagster.systems.cin7.mapping import invoice_from_proposal, purchase_from_order, supplier_from_ifs
from mlc_dagster_tests.systems.cin7.samples import (
    BOOKS,
    TODAY,
    facts,
    order,
    order_line,
    proposal,
    proposal_line,
    service_line,
    supplier,
)

SUPPLIERS, PURCHASES, INVOICES = FLOWS[:3]
WITH_ORDER = {"cin7/suppliers": {"S100": "sup-1"}, "cin7/purchases": {"P1": "pur-1"}}


def problems(flow: Flow, source: Any, known: Facts) -> dict[str, Problem]:
    target = flow.mapping(source, known)
    return {found.rule: found for rule in flow.rules if (found := rule(source, target, known))}


@pytest.mark.parametrize(
    "flow, source", [(SUPPLIERS, supplier()), (PURCHASES, order()), (INVOICES, proposal())], ids=lambda thing: ""
)
def test_a_good_record_meets_every_rule_of_its_flow(flow: Flow, source: Any) -> None:
    assert problems(flow, source, facts()) == {}


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_rule_says_in_one_line_what_is_true_of_a_good_record(flow: Flow) -> None:
    for rule in flow.rules:
        assert rule.__doc__ and rule.__doc__.endswith(".") and "\n" not in rule.__doc__, rule.__name__


def chart(**changes: Any) -> dict[tuple[str, str], LedgerAccount]:
    return {**facts().accounts, ("0010", "4010"): LedgerAccount("0010", "4010", **changes)}


def no_bolts() -> dict[str, Any]:
    return {"accounts": {("0010", "4200"): LedgerAccount("0010", "4200")}}


YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
BOLT = "line 1/1: GL account 4010 of company 0010"


@pytest.mark.parametrize(
    "known, reason",
    [
        (no_bolts(), f"{BOLT} is not in the ERP's chart of accounts."),
        ({"accounts": chart(blocked=True)}, f"{BOLT} is blocked in the ERP. Unblock it, or post to another account."),
        ({"accounts": chart(valid_from=TOMORROW)}, f"{BOLT} is valid from {TOMORROW}, and the posting"),
        ({"accounts": chart(valid_until=YESTERDAY)}, f"{BOLT} was valid until {YESTERDAY}, and the posting"),
        ({"books": replace(BOOKS, accounts=frozenset({"4200"}))}, f"{BOLT}, posted {TODAY} is not in the target's"),
        ({"gl_accounts": {"4010": "5010"}}, f"{BOLT} (there 5010, by gl_accounts), posted {TODAY}"),
    ],
)
def test_an_account_that_cannot_be_posted_to_is_named_with_its_line(known: dict[str, Any], reason: str) -> None:
    found = problems(PURCHASES, order(), facts(**known))
    assert list(found) == ["gl_accounts_exist"]
    assert found["gl_accounts_exist"].reason.startswith(reason)
    assert found["gl_accounts_exist"].subject == "4010"


@pytest.mark.parametrize("edge", [{"valid_from": TODAY}, {"valid_until": TODAY}])
def test_an_account_is_valid_on_its_first_and_on_its_last_day(edge: dict[str, Any]) -> None:
    assert problems(PURCHASES, order(), facts(accounts=chart(**edge))) == {}


def test_a_mapped_account_needs_only_the_targets_own_code() -> None:
    books = replace(BOOKS, accounts=frozenset({"5010", "4200"}))
    assert problems(PURCHASES, order(), facts(books, gl_accounts={"4010": "5010"})) == {}


def test_the_same_code_in_another_company_is_another_account() -> None:
    known = facts(companies={"0020": CompanyMapping("0020", "SEK")})
    assert (
        "of company 0020 is not in the ERP's"
        in problems(PURCHASES, order(company="0020"), known)["gl_accounts_exist"].reason
    )


def test_an_invoice_line_without_an_account_is_held() -> None:
    found = problems(INVOICES, proposal(proposal_line(account=None)), facts())
    assert found["gl_accounts_exist"].reason == "line 1: no GL account. Enter one in the ERP."


def test_many_failures_make_one_problem_that_can_be_read() -> None:
    lines = [service_line(str(number), account=f"9{number:02}") for number in range(1, 21)]
    found = problems(PURCHASES, order(*lines), facts())["gl_accounts_exist"]
    assert found.reason.endswith("And 15 more.") and found.reason.count(": GL account") == 5


@pytest.mark.parametrize(
    "source, rule, reason",
    [
        (order(company="0099"), "company_is_mapped", "Company 0099 is not listed in mlc.yaml (listed: 0010). Add it"),
        (order(company=None), "company_is_mapped", "The record has no company. Enter it in the ERP."),
        (
            order(obj_state="Cancelled"),
            "is_not_cancelled",
            "The record is Cancelled in the ERP, and the target",
        ),
        (order(currency_code=None), "required_fields_are_given", "The target needs: CurrencyCode."),
        (order(lines=()), "required_fields_are_given", "The target needs: at least one order line."),
        (order(vendor_no="S7"), "supplier_is_delivered", "Supplier S7 is not delivered yet. Load it"),
        (order(vendor_no=None), "supplier_is_delivered", "The record has no supplier. Enter it in the ERP."),
        (order(currency_code="EUR"), "currency_is_the_suppliers", "The record is in EUR, and supplier S100 is in SEK"),
        (order(order_line(part_no="NUT")), "products_exist", "line 1/1: part NUT is no product of the target. Create"),
        (order(order_line(tax_code="V6")), "tax_rule_is_mapped", "line 1/1: tax code V6 has no tax rule in"),
        (order(notes="x" * 1025), "texts_fit", "Notes has 1037 characters, and the target takes 1024. Shorten it in"),
        (order(order_line(part_no="B\0")), "texts_fit", "line 1/1, PartNo holds a control character"),
        (order(order_line(buy_unit_price=Decimal("1.00001"))), "amounts_fit", "line 1/1, price is 1.00001, and the"),
        (order(order_line(buy_qty_due=Decimal("0.5"))), "amounts_fit", "line 1/1, quantity is 0.5, and the target"),
        (order(order_line(buy_qty_due=Decimal(1).scaleb(37))), "amounts_fit", "line 1/1, quantity is 1E+37"),
    ],
)
def test_an_order_that_breaks_a_rule_is_held_with_what_to_do(source: Any, rule: str, reason: str) -> None:
    assert problems(PURCHASES, source, facts())[rule].reason.startswith(reason)


@pytest.mark.parametrize(
    "source, rule, reason",
    [
        (
            proposal(po_reference="P1"),
            "order_is_delivered",
            "Order P1 is not delivered yet. Load it; this record follows",
        ),
        (proposal(gross_amount=Decimal(-5)), "is_not_a_credit_note", "The gross amount is -5: a credit note."),
        (
            proposal(invoice_no=None, due_date=None),
            "required_fields_are_given",
            "The target needs: InvoiceNo, DueDate.",
        ),
        (proposal(obj_state="Cancelled"), "is_not_cancelled", "The record is Cancelled"),
    ],
)
def test_an_invoice_that_breaks_a_rule_is_held_with_what_to_do(source: Any, rule: str, reason: str) -> None:
    assert problems(INVOICES, source, facts())[rule].reason.startswith(reason)


@pytest.mark.parametrize(
    "source, known, rule, reason",
    [
        (supplier(payment_terms="90"), facts(), "payment_term_is_mapped", "Payment term 90 has no name in the target."),
        (supplier(payment_terms=None), facts(), "payment_term_is_mapped", "No payment term. Enter one in the ERP"),
        (supplier(), facts(payment_terms={"30": "Net 30"}), "payment_term_is_mapped", "Payment term 30 is 'Net 30'"),
        (supplier(), facts(replace(BOOKS, tax_rules=frozenset())), "tax_rule_is_mapped", "no tax code, so the default"),
        (supplier(name=" "), facts(), "required_fields_are_given", "The target needs: Name."),
        (supplier(), facts(replace(BOOKS, payable_account="")), "required_fields_are_given", "The target needs: Acc"),
        (supplier(notes="x" * 257), facts(), "texts_fit", "Notes has 257 characters, and the target takes 256."),
    ],
)
def test_a_supplier_that_breaks_a_rule_is_held_with_what_to_do(
    source: Any, known: Facts, rule: str, reason: str
) -> None:
    assert problems(SUPPLIERS, source, known)[rule].reason.startswith(reason)


def test_an_order_waits_for_its_location() -> None:
    found = problems(PURCHASES, order(), facts(replace(BOOKS, locations=frozenset())))
    assert found["location_exists"].reason.startswith("The target has no location 'Main Warehouse'. Create it there")


def test_a_supplier_that_is_gone_from_the_target_is_named() -> None:
    found = problems(PURCHASES, order(), facts(replace(BOOKS, supplier_currency={})))
    assert "S100 is not in the target any more (sup-1)" in found["currency_is_the_suppliers"].reason


def test_an_invoice_whose_order_is_delivered_passes() -> None:
    assert problems(INVOICES, proposal(po_reference="P1"), facts(delivered=WITH_ORDER)) == {}


def test_held_states_are_those_of_the_settings() -> None:
    options = {**facts().options, "not_delivered_states": "Cancelled, Planned"}
    assert "is_not_cancelled" in problems(PURCHASES, order(obj_state="Planned"), facts(options=options))


# --- amounts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "amount, decimals, rounded",
    [("0.125", 2, "0.13"), ("-0.125", 2, "-0.13"), ("2.5", 0, "3"), ("1.0005", 3, "1.001"), ("0.124999", 2, "0.12")],
)
def test_halves_are_rounded_away_from_zero(amount: str, decimals: int, rounded: str) -> None:
    assert round_half_up(Decimal(amount), decimals) == Decimal(rounded)


def test_no_digit_of_a_long_amount_is_lost() -> None:
    long = Decimal("12345678901234567890123456789012345.125")
    assert str(round_half_up(long, 2)) == "12345678901234567890123456789012345.13"
    assert str(times(long, Decimal("3.0001"))) == "37038271271593827127159382712715936.6095125"


def test_a_line_that_is_not_quantity_times_price_gives_all_figures() -> None:
    found = problems(PURCHASES, order(order_line(line_amount=Decimal("125.01"))), facts())
    assert found["amounts_add_up"].reason == (
        "line 1/1: 100 x 1.25 = 125.00, and the ERP says 125.01. Correct it in the ERP."
    )


def test_a_total_that_is_not_the_sum_gives_both_figures() -> None:
    found = problems(PURCHASES, order(total_amount=Decimal("425.01")), facts())
    assert found["amounts_add_up"].reason == (
        "total before tax: 425.00 by the target's arithmetic, and the ERP says 425.01. They differ by -0.01."
    )


@pytest.mark.parametrize(
    "currency, decimals, price, amount, holds",
    [
        ("JPY", 0, "33", "33", False),  # whole yen are the same with two decimals
        ("JPY", 0, "33.4", "33", True),  # the ERP rounds to 33, Cin7 to 33.40
        ("KWD", 3, "1.234", "1.234", True),  # Cin7 has no third decimal
        ("KWD", 3, "1.230", "1.230", False),
        ("SEK", 2, "0.005", "0.01", False),
    ],
)
def test_currencies_that_cin7_rounds_otherwise_are_held(
    currency: str, decimals: int, price: str, amount: str, holds: bool
) -> None:
    line = order_line(buy_qty_due=Decimal(1), buy_unit_price=Decimal(price), line_amount=Decimal(amount))
    books = replace(BOOKS, supplier_currency={"sup-1": currency})
    known = facts(books, companies={"0010": CompanyMapping("0010", currency, decimals)})
    assert ("amounts_add_up" in problems(PURCHASES, order(line, currency_code=currency), known)) is holds


def test_foreign_amounts_have_the_decimals_of_their_own_currency() -> None:
    assert currency_decimals("KWD", CompanyMapping("0010", "SEK")) == 3
    assert currency_decimals("SEK", CompanyMapping("0010", "SEK", 2)) == 2
    assert currency_decimals("EUR", None) == 2


def test_an_amount_that_is_missing_is_never_taken_for_nothing() -> None:
    assert "is missing" in problems(PURCHASES, order(order_line(line_amount=None)), facts())["amounts_add_up"].reason
    vat = problems(INVOICES, proposal(vat_amount=None), facts())["amounts_add_up"].reason
    assert vat.startswith("VAT amount: the ERP states none, so there is nothing to compare")


def test_vat_that_the_rate_does_not_make_is_held_with_both_figures() -> None:
    found = problems(INVOICES, proposal(vat_amount=Decimal("25.00"), gross_amount=Decimal("150.00")), facts())
    assert found["amounts_add_up"].reason.startswith(
        "VAT amount: 31.25 by the target's arithmetic, and the ERP says 25.00."
    )


def test_the_rounding_of_vat_over_many_lines_is_no_difference() -> None:
    lines = [proposal_line(row, currency_amount=Decimal("0.10")) for row in (1, 2, 3)]  # 0.03 each by line, 0.08 in all
    invoice = proposal(*lines, net_amount=Decimal("0.30"), vat_amount=Decimal("0.08"), gross_amount=Decimal("0.38"))
    assert problems(INVOICES, invoice, facts()) == {}
    assert invoice_from_proposal(invoice, facts()).tax() == Decimal("0.08")


def test_the_mapping_functions_are_those_of_the_flows() -> None:
    assert [flow.mapping for flow in FLOWS[:3]] == [supplier_from_ifs, purchase_from_order, invoice_from_proposal]
