"""What IFS records become in HubSpot, and what the rules hold."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from mlc_dagster.core.facts import CompanyMapping, Facts, LedgerAccount
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.ledger import Held
from mlc_dagster.pipeline import judge
from mlc_dagster.systems.hubspot.flows import FLOWS
from mlc_dagster.systems.hubspot.mapping import (
    company_from_customer,
    company_from_supplier,
    invoice_from_proposal,
    unique,
)
from mlc_dagster.systems.hubspot.objects.properties import of_company, of_line
from mlc_dagster.systems.hubspot.settings import HubspotSettings
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster_tests.systems.hubspot.samples import SEEDED, facts, line, proposal, supplier

BY_NAME = {flow.name: flow for flow in FLOWS}


def held_by(flow: str, record: Any, known: Facts | None = None) -> dict[str, str]:
    """Rule -> reason; empty where the record is ready."""
    judged = judge(BY_NAME[flow], (record, None, None), known or facts(), "2026-11-05")
    assert isinstance(judged, Ready | Held)
    return {} if isinstance(judged, Ready) else {problem.rule: problem.reason for problem in judged.problems}


def test_good_records_are_ready() -> None:
    assert held_by("hubspot/supplier_companies", supplier()) == {}
    assert held_by("hubspot/customer_companies", ifs.Customer(customer_id="C1", name="Buyer AB")) == {}
    assert held_by("hubspot/invoices", proposal()) == {}
    delivered = {**SEEDED, "hubspot/invoices": {"0010/7": "9"}}
    assert held_by("hubspot/deals", proposal(), facts(delivered=delivered)) == {}


@pytest.mark.parametrize(
    "changes, rule, word",
    [
        ({"currency_code": "NOK"}, "currency_is_in_the_portal", "no currency NOK (it has: EUR, SEK)"),
        ({"lines": (line(1), line(2, "-5.00"))}, "prices_are_not_negative", "line 2: -5.00"),
        ({"supplier_id": "S9"}, "supplier_is_delivered", "S9"),
        ({"gross_amount": Decimal("156.26")}, "amounts_add_up", "differ by -0.01"),
        ({"due_date": None}, "required_fields_are_given", "DueDate"),
        ({"lines": (line(1, account="4999"),)}, "gl_accounts_exist", "4999"),
        ({"company": "0099"}, "company_is_mapped", "0099"),
    ],
)
def test_an_invoice_is_held_with_its_reason(changes: dict[str, Any], rule: str, word: str) -> None:
    reasons = held_by("hubspot/invoices", proposal(**changes))
    assert word in reasons[rule], reasons


def test_a_credit_note_is_held_because_hubspot_takes_no_negative_price() -> None:
    reasons = held_by("hubspot/invoices", proposal(line(1, "-125.00"), vat="-31.25"))
    assert set(reasons) == {"prices_are_not_negative"}


def test_a_cancelled_invoice_is_voided_where_mlc_yaml_says_so_and_held_where_not() -> None:
    assert held_by("hubspot/invoices", proposal(obj_state="Cancelled")) == {}
    reasons = held_by("hubspot/invoices", proposal(obj_state="Cancelled"), facts(options={}))
    assert set(reasons) == {"is_not_cancelled"}
    assert "invoice_is_not_voided" in held_by("hubspot/deals", proposal(obj_state="Cancelled"))


@pytest.mark.parametrize(
    "account, word",
    [(LedgerAccount("0010", "4010", blocked=True), "blocked"), (LedgerAccount("0010", "4011"), "not in the ERP's")],
)
def test_a_supplier_with_a_wrong_default_account_is_held(account: LedgerAccount, word: str) -> None:
    known = facts(accounts={(account.company, account.code): account})
    assert word in held_by("hubspot/supplier_companies", supplier(), known)["gl_accounts_exist"]


def test_codes_reach_the_line_as_they_are() -> None:
    invoice = invoice_from_proposal(proposal(line(1, code_b="0400", code_d="P/03")), facts())
    values = of_line(invoice.lines[0], invoice)
    assert (values["ifs_code_b"], values["ifs_code_d"], values["ifs_gl_account"]) == ("0400", "P/03", "4010")
    assert all(isinstance(value, str) for value in values.values())


@pytest.mark.parametrize(
    "amount, quantity, expected",
    [("125.00", "100", ("100", "1.250000")), ("100.00", "3", ("1", "100.00")), ("100.00", "-1", ("1", "100.00"))],
)
def test_a_price_is_a_quotient_only_where_nothing_is_lost(
    amount: str, quantity: str, expected: tuple[str, str]
) -> None:
    invoice = invoice_from_proposal(proposal(line(1, amount, quantity=Decimal(quantity))), facts())
    assert (invoice.lines[0].quantity, invoice.lines[0].price) == tuple(map(Decimal, expected))
    assert invoice.lines[0].total() == Decimal(amount)


def test_without_vat_there_is_no_vat_line() -> None:
    assert [each.where for each in invoice_from_proposal(proposal(vat="0"), facts()).items()] == ["line 1"]


def test_the_registration_number_of_a_supplier_is_on_its_company() -> None:
    company = company_from_supplier(supplier(association_no="00556677"), facts())
    assert of_company(company)["ifs_association_no"] == "00556677"


def test_a_supplier_and_a_customer_of_one_number_are_two_companies() -> None:
    customer = company_from_customer(ifs.Customer(customer_id="S100", name="Nordic Bolts AB"), facts())
    assert customer.key == "CUSTOMER/S100" and of_company(customer)["ifs_role"] == "Customer"


def test_with_several_companies_the_default_account_is_looked_for_in_all_or_in_the_one_that_is_named() -> None:
    several = {code: CompanyMapping(code, "SEK") for code in ("0010", "0020")}
    known = facts(companies=several, accounts={("0020", "4010"): LedgerAccount("0020", "4010", "Steel")})
    assert held_by("hubspot/supplier_companies", supplier(), known) == {}
    named = replace(known, options={"company_code": "0010"})
    assert "gl_accounts_exist" in held_by("hubspot/supplier_companies", supplier(), named)


def test_a_unique_value_is_marked_where_folding_case_or_trimming_would_change_it() -> None:
    assert unique("SUPPLIER/S100") == "SUPPLIER/S100"
    marked = [unique(key) for key in ("s1", "S1", " S1", "S1 ", "ß", "SS")]
    assert len({each.strip().casefold() for each in marked}) == 6


def test_the_settings_reach_mappings_as_text() -> None:
    options = HubspotSettings(deals=True, invoice_statuses={"Paid": "paid"}).options()
    assert (options["deals"], options["invoice_status"], options["invoice_status.Paid"]) == ("true", "open", "paid")
