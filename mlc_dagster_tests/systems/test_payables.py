"""A payable unlike net plus tax (rounding, withholding) and quantities below one: a setting, not a hold for ever."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.systems.airbase.spend.vouchers import entry_from_payment
from mlc_dagster.systems.cin7.mapping import invoice_from_proposal, purchase_from_order
from mlc_dagster.systems.cin7.settings import Cin7Settings
from mlc_dagster.systems.hubspot.mapping import invoice_from_proposal as hubspot_invoice
from mlc_dagster.systems.hubspot.settings import HubspotSettings
from mlc_dagster.systems.procurify.mapping import invoice_from_bill
from mlc_dagster.systems.registry import systems
from mlc_dagster_tests.systems.airbase.spend.samples import payment, spend_facts, spend_line
from mlc_dagster_tests.systems.cin7.samples import facts as cin7_facts
from mlc_dagster_tests.systems.cin7.samples import order, order_line, proposal, proposal_line, service_line
from mlc_dagster_tests.systems.procurify.test_mapping import bill
from mlc_dagster_tests.systems.procurify.test_mapping import facts as procurify_facts

RULE = "payable_is_net_plus_tax"


def problems(name: str, source: Any, facts: Facts) -> dict[str, str]:
    flow: Flow = next(flow for system in systems().values() for flow in system.flows if flow.name == name)
    target = flow.mapping(source, facts)
    return {each.rule: each.reason for rule in flow.rules if (each := rule(source, target, facts))}


def known(section: Any) -> Facts:
    usual = cin7_facts(delivered={"cin7/suppliers": {"S100": "sup-1"}, "hubspot/supplier_companies": {"S100": "7"}})
    return replace(usual, options={**usual.options, **section.options()})


def rounded(gross: str) -> Any:
    return proposal(gross_amount=Decimal(gross))


@pytest.mark.parametrize("gross, rest", [("156.00", "-0.25"), ("157.00", "0.75")])
def test_in_cin7_it_is_a_charge_of_its_own_and_the_invoice_comes_to_what_is_payable(gross: str, rest: str) -> None:
    facts = known(Cin7Settings(tax_rule="Tax Exempt", payable_difference_account="4200"))
    target = invoice_from_proposal(rounded(gross), facts)
    charge = target.charges[-1]
    assert (charge.price, charge.tax, charge.account) == (Decimal(rest), Decimal(0), "4200")
    assert target.net() + target.tax() == Decimal(gross)
    assert problems("cin7/purchase_invoices", rounded(gross), facts) == {}


def test_without_the_setting_or_beyond_it_the_invoice_is_held_with_the_way_out() -> None:
    held = problems("cin7/purchase_invoices", rounded("156.00"), known(Cin7Settings(tax_rule="Tax Exempt")))
    assert "156.00 is payable, and net 125.00 plus tax 31.25 is 156.25: -0.25 between them" in held[RULE]
    assert "payable_difference_account" in held[RULE]
    small = known(Cin7Settings(tax_rule="Tax Exempt", payable_difference_account="4200"))
    assert RULE in problems("cin7/purchase_invoices", rounded("140.00"), small), "more than payable_difference_most"
    most = Cin7Settings(tax_rule="Tax Exempt", payable_difference_account="4200", payable_difference_most=Decimal(20))
    assert problems("cin7/purchase_invoices", rounded("140.00"), known(most)) == {}, "tax was withheld"


def test_an_account_of_the_setting_that_the_chart_does_not_have_holds_the_invoice() -> None:
    facts = known(Cin7Settings(tax_rule="Tax Exempt", payable_difference_account="3740"))
    reason = problems("cin7/purchase_invoices", rounded("156.00"), facts)[RULE]
    assert "payable_difference_account 3740 in mlc.yaml is not in the chart of accounts of company 0010" in reason


def test_in_hubspot_it_is_a_line_or_less_on_the_largest_one() -> None:
    facts = known(HubspotSettings(payable_difference_account="4200"))
    more = hubspot_invoice(rounded("157.00"), facts)
    assert [(line.price, line.account) for line in more.lines][-1] == (Decimal("0.75"), "4200")
    less = hubspot_invoice(rounded("156.00"), facts)
    assert [(line.price, line.name) for line in less.lines] == [
        (Decimal("124.75"), "Bolts (difference of the payable -0.25)")
    ]
    for gross in ("157.00", "156.00"):
        assert not {RULE, "amounts_add_up", "prices_are_not_negative"} & set(
            problems("hubspot/invoices", rounded(gross), facts)
        )


def test_from_procurify_it_is_a_line_on_its_account() -> None:
    source = bill(payable=Decimal("99.50"))
    assert "amounts_add_up" in problems("ifs/supplier_invoices_from_procurify", source, procurify_facts())
    facts = procurify_facts(payable_difference_account="3740")
    target = invoice_from_bill(source, facts)
    assert [(line.account, line.amount) for line in target.lines] == [
        ("4010", Decimal(100)),
        ("3740", Decimal("-0.50")),
    ]
    assert target.gross_amount == Decimal("99.50")
    assert "amounts_add_up" not in problems("ifs/supplier_invoices_from_procurify", source, facts)


def test_from_airbase_it_is_a_line_on_its_account() -> None:
    source = payment(spend_line(account="4010"), total_amount=Decimal("99.60"), type="card")
    settings: dict[str, Any] = {"types": {"card": "card"}, "payment_types": []}
    held = problems("ifs/vouchers_from_airbase_payments", source, spend_facts(**settings))["lines_make_the_total"]
    assert "airbase.payable_difference_account" in held
    facts = spend_facts(payable_difference_account="5800", **settings)
    assert "lines_make_the_total" not in problems("ifs/vouchers_from_airbase_payments", source, facts)
    sides = [(line.account, line.debit_amount, line.credit_amount) for line in entry_from_payment(source, facts).lines]
    assert sides == [
        ("4010", Decimal("100.00"), None),
        ("5800", None, Decimal("0.40")),
        ("1930", None, Decimal("99.60")),
    ]


def test_a_quantity_below_one_is_held_or_goes_as_one_or_as_it_is() -> None:
    half: dict[str, Any] = {"buy_qty_due": Decimal("0.5"), "buy_unit_price": Decimal(100), "line_amount": Decimal(50)}
    source = order(service_line(**half))
    assert "amounts_fit" in problems("cin7/purchases", source, known(Cin7Settings(tax_rule="Tax Exempt")))
    one = known(Cin7Settings(tax_rule="Tax Exempt", quantities_below_one="one"))
    (charge,) = purchase_from_order(source, one).charges
    assert (charge.quantity, charge.price) == (Decimal(1), Decimal(50)) and problems(
        "cin7/purchases", source, one
    ) == {}
    part = order(order_line(**half))
    assert "amounts_fit" in problems("cin7/purchases", part, one), "half of a product is never a whole one"
    sent = known(Cin7Settings(tax_rule="Tax Exempt", quantities_below_one="send"))
    assert problems("cin7/purchases", part, sent) == {}
    assert purchase_from_order(part, sent).lines[0].quantity == Decimal("0.5")


def test_an_invoice_that_adds_up_has_no_such_line() -> None:
    facts = known(Cin7Settings(tax_rule="Tax Exempt", payable_difference_account="4200"))
    assert len(invoice_from_proposal(proposal(proposal_line()), facts).charges) == 1
