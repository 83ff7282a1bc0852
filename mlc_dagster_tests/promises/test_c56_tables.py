"""C56: a table of mlc.yaml that misses holds the record with the value and the table; the raw code never goes over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlc_dagster.core.facts import CompanyMapping, Facts
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.ledger import Ledger
from mlc_dagster.systems.registry import systems
from mlc_dagster_tests.promises.saas_life import INVOICES, PAYMENTS, PROPOSALS, REQUESTS, VENDORS, office, vendor
from mlc_dagster_tests.systems.airbase import samples as airbase
from mlc_dagster_tests.systems.airbase.spend.samples import payment, request, spend_facts, spend_line
from mlc_dagster_tests.systems.airbase.spend.test_tags import tag
from mlc_dagster_tests.systems.cin7 import samples as cin7
from mlc_dagster_tests.systems.procurify.test_mapping import bill, facts, order, part

ORDERS, PURCHASES, SUPPLIERS = "airbase/purchase_orders", "cin7/purchases", "cin7/suppliers"


@dataclass(frozen=True)
class Case:
    """A record with a value of the other side, without and with a line for it in the table."""

    flow: str
    table: str  # as the reason names it
    value: str  # that the table does not have
    means: str  # what the line says that it stands for
    source: Any
    without: Facts
    having: Facts


def _procurify(flow: str, table: str, value: str, means: str, source: Any, **others: dict[str, str]) -> Case:
    made = [facts(**{table: {**others.get("has", {}), **more}}) for more in ({}, {value: means})]
    return Case(flow, table, value, means, source, *made)


def _airbase(flow: str, table: str, value: str, means: str, source: Any, has: dict[str, str]) -> Case:
    return Case(
        flow, table, value, means, source, spend_facts(**{table: has}), spend_facts(**{table: {**has, value: means}})
    )


def _renamed_company(names: dict[str, str]) -> Facts:
    known = {"0010": CompanyMapping("0010", "SEK", names=names)}
    return airbase.facts(companies=known, books=replace(airbase.facts().books, subsidiaries=frozenset({"Works"})))


ELSEWHERE = {"has": {"Elsewhere": "0030"}}
DEPARTMENTS = {"has": {"Elsewhere": "CC900"}}
OSAKA = {"location": "Osaka", "location_external_id": "JP"}
BUDGETS = {"department": "Budgets", "department_external_id": "B-77"}
BOX = airbase.order("P1", airbase.order_line(buy_unit_meas="box"))
CASES = {
    "the location of a bill": _procurify(
        INVOICES, "companies_by_location", "Osaka", "20", bill(part("100", **OSAKA)), **ELSEWHERE
    ),
    "the location of an order": _procurify(
        PROPOSALS, "companies_by_location", "Osaka", "20", order(part("100", **OSAKA)), **ELSEWHERE
    ),
    "the department of a bill": _procurify(
        INVOICES, "cost_centers", "Budgets", "CC100", bill(part("100", **BUDGETS)), **DEPARTMENTS
    ),
    "the department of an order": _procurify(
        PROPOSALS, "cost_centers", "Budgets", "CC100", order(part("100", **BUDGETS)), **DEPARTMENTS
    ),
    "the tag of a request": _airbase(
        REQUESTS,
        "cost_centers",
        "Budgets",
        "CC100",
        request(spend_line(tags=(tag("Department", "B-77", "Budgets"),))),
        {"Elsewhere": "CC900"},
    ),
    "the tag of a card's payment": _airbase(
        PAYMENTS,
        "cost_centers",
        "Budgets",
        "CC100",
        payment(spend_line(account="4010", tags=(tag("Department", "B-77", "Budgets"),)), type="card_transaction"),
        {"Elsewhere": "CC900"},
    ),
    "the bank of a payment": _airbase(
        PAYMENTS,
        "bank_accounts",
        "Northern",
        "1930",
        payment(bank_account=None, bank_name="Northern"),
        {"Main": "1930"},
    ),
    "the type of a request": _airbase(
        REQUESTS, "accounts_by_purchase_type", "Travel", "5800", request(purchase_type="Travel"), {"Software": "5420"}
    ),
    "the unit of an order": Case(
        ORDERS,
        "units",
        "box",
        "carton",
        BOX,
        replace(airbase.facts(), tables={**airbase.facts().tables, "units": {"pcs": "each"}}),
        replace(airbase.facts(), tables={**airbase.facts().tables, "units": {"pcs": "each", "box": "carton"}}),
    ),
    "a company that was renamed": Case(
        ORDERS,
        "companies",
        "Plant",
        "Works",
        airbase.order("P1"),
        _renamed_company({"subsidiary": "Plant"}),
        _renamed_company({"subsidiary": "Works"}),
    ),
    "the unit that a product is counted in": Case(
        PURCHASES,
        "units",
        "box",
        "Carton",
        cin7.order(cin7.order_line(buy_unit_meas="box")),
        *(
            replace(
                cin7.facts(),
                books=replace(cin7.facts().books, product_units={"BOLT-8": "Carton"}),
                tables={**cin7.facts().tables, "units": units},
            )
            for units in ({"pcs": "Each"}, {"pcs": "Each", "box": "Carton"})
        ),
    ),
    "the payment term of a supplier": Case(
        SUPPLIERS,
        "payment_terms",
        "45",
        "30 days",
        cin7.supplier(payment_terms="45"),
        cin7.facts(),
        replace(cin7.facts(), payment_terms={**cin7.facts().payment_terms, "45": "30 days"}),
    ),
    "the tax code of an order": Case(
        PURCHASES,
        "tax_rules",
        "V06",
        "Tax on Purchases",
        cin7.order(cin7.service_line(tax_code="V06")),
        cin7.facts(),
        replace(cin7.facts(), tax_rules={**cin7.facts().tax_rules, "V06": "Tax on Purchases"}),
    ),
}


KEPT_BESIDE = {"a company that was renamed", "the tax code of an order"}
"""Where the record keeps the ERP's code beside the table's value, to name it; what is sent is the value alone."""


def _flow(name: str) -> Flow:
    return next(flow for each in systems().values() for flow in each.flows if flow.name == name)


def _problems(case: Case, known: Facts) -> Iterator[Problem]:
    flow = _flow(case.flow)
    target = flow.mapping(case.source, known)
    yield from filter(None, (rule(case.source, target, known) for rule in flow.rules))


def _texts(value: Any) -> Iterator[str]:
    """All texts of a record, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)


def _named(case: Case, known: Facts) -> list[Problem]:
    return [each for each in _problems(case, known) if case.value in each.reason and case.table in each.reason]


@pytest.mark.promise(
    "C56", "a value that a table of mlc.yaml does not have: held with the value and the table, in each flow"
)
@pytest.mark.parametrize("name", CASES)
def test_c56_what_a_table_misses_is_held_with_the_value_and_the_table(name: str) -> None:
    case = CASES[name]
    assert _named(case, case.without), [each.reason for each in _problems(case, case.without)]
    assert not _named(case, case.having), "the line that the reason asks for is enough"


@pytest.mark.promise("C56", "the raw code never stands where the table's value belongs")
@pytest.mark.parametrize("name", [name for name in CASES if name not in KEPT_BESIDE])
def test_c56_the_raw_code_is_nowhere_in_the_record(name: str) -> None:
    case, mapping = CASES[name], _flow(CASES[name].flow).mapping
    missing = list(_texts(msgspec.to_builtins(mapping(case.source, case.without))))
    assert case.value not in missing and "B-77" not in missing and "JP" not in missing
    if "product" not in name:  # what Cin7 counts in is compared, and not sent
        assert any(case.means in text for text in _texts(msgspec.to_builtins(mapping(case.source, case.having))))


@pytest.mark.promise("C56", "a location and a department that people rename in Procurify: held, and entered once named")
@pytest.mark.parametrize("what", ["location", "department"])
def test_c56_what_is_renamed_on_the_other_side_is_held_until_the_table_names_it(
    what: str, sqlite_ledger: Ledger, tmp_path: Path
) -> None:
    _renamed(what, sqlite_ledger, tmp_path)


@pytest.mark.promise("C56", "the same on PostgreSQL")
def test_c56_what_is_renamed_is_held_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    with Ledger.open(postgres_url) as ledger:
        _renamed("location", ledger, tmp_path)


def _renamed(what: str, ledger: Ledger, folder: Path) -> None:
    tables = {"companies_by_location": {"Stockholm": "0010"}, "cost_centers": {"Operations": "CC100"}}
    places = {"location": ("companies_by_location", "Stockholm"), "department": ("cost_centers", "Operations")}
    table, was = places[what]
    with office(ledger, folder, procurify=tables) as here:
        books = here.box.procurify.books
        rename = {"location": books.rename_location, "department": books.rename_department}[what]
        vendor(here.box)
        here.go(VENDORS)
        here.bill("400.00", invoice_number="B-1")
        here.go(INVOICES)
        assert here.holds(INVOICES) == {} and len(here.box.ifs.rows("SupplierInvoiceSet")) == 1

        rename(was, "Solna")
        department = "Solna" if what == "department" else "Operations"
        late = here.bill("500.00", invoice_number="B-2", department=department)
        here.go(INVOICES)
        (hold,) = ledger.open_holds(INVOICES)
        reasons = " ".join(each.reason for each in hold.problems)
        assert hold.key == late and "Solna" in reasons and table in reasons
        assert len(here.box.ifs.rows("SupplierInvoiceSet")) == 1, "nothing is entered under a raw code"

        here.content["procurify"][table] = {**tables[table], "Solna": tables[table][was]}
        here.go(INVOICES)
        assert here.holds(INVOICES) == {} and len(here.box.ifs.rows("SupplierInvoiceSet")) == 2
