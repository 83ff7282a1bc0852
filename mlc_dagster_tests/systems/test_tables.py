"""A table of mlc.yaml that is there and does not name a value holds the record: the other side's code never counts."""

from __future__ import annotations

from typing import Any

import pytest

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.systems.airbase.spend.records import Tag
from mlc_dagster.systems.airbase.spend.vouchers import credit_account, entry_from_payment
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.procurify.mapping import company_of, invoice_from_bill
from mlc_dagster.systems.procurify.records import VendorRow
from mlc_dagster.systems.registry import systems
from mlc_dagster_tests.systems.airbase.spend.samples import payment, spend_facts, spend_line
from mlc_dagster_tests.systems.procurify.test_mapping import bill
from mlc_dagster_tests.systems.procurify.test_mapping import facts as procurify_facts


def problems(name: str, source: Any, facts: Facts) -> dict[str, str]:
    flow = flow_of(name)
    target = flow.mapping(source, facts)
    return {each.rule: each.reason for rule in flow.rules if (each := rule(source, target, facts))}


def flow_of(name: str) -> Flow:
    return next(flow for system in systems().values() for flow in system.flows if flow.name == name)


def test_a_department_of_procurify() -> None:
    elsewhere = procurify_facts(cost_centers={"Ventures": "CC900"})
    reason = problems("ifs/supplier_invoices_from_procurify", bill(), elsewhere)["department_is_mapped"]
    assert "procurify.cost_centers in mlc.yaml does not name department Operations (CC100)" in reason
    assert invoice_from_bill(bill(), elsewhere).lines[0].code_b is None
    assert invoice_from_bill(bill(), procurify_facts()).lines[0].code_b == "CC100", "without a table its own id counts"
    named = procurify_facts(cost_centers={"CC100": "CC900"})
    assert invoice_from_bill(bill(), named).lines[0].code_b == "CC900"


def test_a_location_of_procurify() -> None:
    elsewhere = procurify_facts(companies_by_location={"Oslo": "0030"})
    assert company_of(bill(), elsewhere) is None
    reason = problems("ifs/supplier_invoices_from_procurify", bill(), elsewhere)["all_is_of_one_company"]
    assert "location Stockholm stands for no company" in reason
    assert company_of(bill(), procurify_facts()) == "0010"


def test_a_tag_of_airbase() -> None:
    tag = Tag(group="Department", code="CC100", name="Assembly")
    source = payment(spend_line(account="4010", tags=(tag,)), type="card", bank_account="1930")
    settings: dict[str, Any] = {"types": {"card": "card"}, "payment_types": []}
    elsewhere = spend_facts(cost_centers={"Sales": "CC200"}, **settings)
    reason = problems("ifs/vouchers_from_airbase_payments", source, elsewhere)["dimensions_are_mapped"]
    assert "tag Assembly of Department is not in airbase.cost_centers. Add it by reference (CC100)" in reason
    assert entry_from_payment(source, elsewhere).lines[0].code_b is None
    assert entry_from_payment(source, spend_facts(**settings)).lines[0].code_b == "CC100"


def test_a_bank_of_airbase() -> None:
    elsewhere = spend_facts(bank_accounts={"Main account": "1940"})
    assert credit_account(payment(), elsewhere) is None
    assert (
        "no account to credit"
        in problems("ifs/vouchers_from_airbase_payments", payment(), elsewhere)["payment_has_its_accounts"]
    )
    assert credit_account(payment(), spend_facts()) == "1930"
    assert credit_account(payment(), spend_facts(bank_accounts={"1930": "1940"})) == "1940"


@pytest.mark.parametrize("flow", ["hubspot/supplier_companies", "monday/suppliers", "airbase/vendors"])
def test_a_payment_term_of_a_supplier(flow: str) -> None:
    source = ifs.Supplier(supplier_id="S1", name="One", payment_terms="45")
    rule = "payment_term_has_a_name"
    assert "Payment term 45 is not in payment_terms" in problems(flow, source, Facts(payment_terms={"30": "Net"}))[rule]
    assert rule not in problems(flow, source, Facts()), "without a table the ERP's code is shown"
    assert rule not in problems(flow, source, Facts(payment_terms={"45": "Net 45"}))


@pytest.mark.parametrize(
    "flow", ["ifs/suppliers_from_procurify", "ifs/suppliers_from_airbase", "ifs/suppliers_from_cin7"]
)
def test_every_way_of_a_supplier_into_the_erp_asks_for_the_code_of_its_term(flow: str) -> None:
    assert "payment_term_has_a_code" in [rule.__name__ for rule in flow_of(flow).rules]


def test_a_payment_term_of_procurify() -> None:
    vendor = VendorRow(vendor_id="1", name="One", payment_terms="Net 45")
    known = Facts(payment_terms={"30": "Net 30"})
    assert (
        "'Net 45' stands for none" in problems("ifs/suppliers_from_procurify", vendor, known)["payment_term_has_a_code"]
    )
