"""A supplier of several ERP companies is one company in HubSpot, with the account and dimensions of each, by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from mlc_dagster.core.facts import CodePart, CompanyMapping, Facts, LedgerAccount
from mlc_dagster.core.outcomes import Draft, Saved
from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.hubspot.mapping import company_from_customer, company_from_supplier
from mlc_dagster.systems.hubspot.objects.properties import of_company
from mlc_dagster.systems.hubspot.records import COMPANIES, Company
from mlc_dagster.systems.hubspot.settings import HubspotSettings
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.partner_records import (
    CustomerAccount,
    CustomerOfCompanies,
    SupplierAccount,
    SupplierOfCompanies,
)
from mlc_dagster.systems.ifs.settings import EntitySetSettings
from mlc_dagster_tests.systems.hubspot.samples import EVER, client_on, facts, save, supplier
from mlc_dagster_tests.systems.hubspot.test_mapping import held_by
from mlc_dagster_tests.systems.ifs.conftest import A_DAY, TEN, Reader
from mlc_dagster_tests.systems.ifs.conftest import client_of as ifs_client_of

SUPPLIERS = "hubspot/supplier_companies"
CHARTS = {
    ("0010", "4010"): LedgerAccount("0010", "4010", "Materials"),
    ("0020", "4010"): LedgerAccount("0020", "4010", "Råvaror"),
    ("0020", "4020"): LedgerAccount("0020", "4020", "Steel"),
}
PARTS = {
    ("0010", "B", "CC100"): CodePart(description="Assembly"),
    ("0020", "B", "CC100"): CodePart(description="Montering"),
    ("0020", "D", "P3"): CodePart(description="Apollo"),
}


OWN = HubspotSettings(company_fields={"supplier_companies": "company"}).options()


def known(**changes: Any) -> Facts:
    """Two companies, as most tenants have more than one."""
    companies = {code: CompanyMapping(code, "SEK") for code in ("0010", "0020")}
    return replace(facts(), **{"companies": companies, "accounts": CHARTS, "code_parts": PARTS, **changes})


def booked(*rows: SupplierAccount, **changes: Any) -> SupplierOfCompanies:
    plain = supplier(**changes)
    return SupplierOfCompanies(**{name: getattr(plain, name) for name in plain.__struct_fields__}, accounts=rows)


def row(company: str, account: str | None = None, **codes: str) -> SupplierAccount:
    return SupplierAccount(company=company, account=account, **codes)


def shown(company: Company) -> dict[str, str]:
    """What the sales team sees of the finance system."""
    names = ("company_code", "gl_account", "gl_account_name", "cost_center", "cost_center_name", "dimension_names")
    return {name: of_company(company)[f"ifs_{name}"] for name in names}


def test_a_supplier_of_several_companies_shows_all_of_them_and_each_one_s_own_name_of_the_account() -> None:
    assert shown(company_from_supplier(supplier(), known())) == {
        "company_code": "0010; 0020",
        "gl_account": "4010",
        "gl_account_name": "0010: Materials; 0020: Råvaror",
        "cost_center": "CC100",
        "cost_center_name": "0010: Assembly; 0020: Montering",
        "dimension_names": "0010: B=Assembly; 0020: B=Montering",
    }


def test_a_customer_shows_the_same() -> None:
    customer = ifs.Customer(customer_id="C1", name="Buyer AB", default_account="4010", cost_center="CC100")
    assert shown(company_from_customer(customer, known()))["gl_account_name"] == "0010: Materials; 0020: Råvaror"
    own = CustomerOfCompanies(customer_id="C1", name="B", accounts=(CustomerAccount(company="0020", account="4020"),))
    assert shown(company_from_customer(own, known()))["gl_account_name"] == "Steel"


def test_two_companies_with_different_accounts_for_one_supplier_are_both_shown() -> None:
    """The ERP says it by company: its word counts, and what it leaves out there is what the supplier has in all."""
    two = booked(row("0020", "4020", code_d="P3"), row("0010"))
    company = company_from_supplier(two, known())
    assert shown(company) == {
        "company_code": "0010; 0020",
        "gl_account": "0010: 4010; 0020: 4020",
        "gl_account_name": "0010: Materials; 0020: Steel",
        "cost_center": "CC100",
        "cost_center_name": "0010: Assembly; 0020: Montering",
        "dimension_names": "0010: B=Assembly; 0020: B=Montering; D=Apollo",
    }
    assert of_company(company)["ifs_dimensions"] == "0010: B=CC100; 0020: B=CC100; D=P3"
    assert held_by(SUPPLIERS, two, known()) == {}


def test_where_only_one_company_has_the_account_it_is_that_one() -> None:
    assert shown(company_from_supplier(supplier(default_account="4020"), known()))["company_code"] == "0020"


def test_a_supplier_without_an_account_shows_its_companies_and_is_not_silent() -> None:
    company = company_from_supplier(supplier(default_account=None, cost_center=None), known())
    assert (company.company_code, company.gl_account, company.cost_center) == ("0010; 0020", "", "")


def test_a_company_that_mlc_yaml_does_not_list_is_shown_as_the_erp_says_and_judged_by_nobody() -> None:
    elsewhere = booked(row("0099", "7777"))
    company = company_from_supplier(elsewhere, known())
    assert (company.company_code, company.gl_account, company.gl_account_name) == ("0099", "7777", "")
    assert held_by(SUPPLIERS, elsewhere, known()) == {}


def test_the_supplier_s_own_company_counts_where_a_field_of_the_erp_says_it() -> None:
    entity = ifs.catalogue({"supplier_set": EntitySetSettings(extra_fields={"company": "Company"})})["supplier_set"]
    own = entity.record(supplier_id="S1", name="A", default_account="4010", company="0020")  # type: ignore[call-arg]
    company = company_from_supplier(own, known(options=OWN))  # type: ignore[arg-type]
    assert (company.company_code, company.gl_account_name) == ("0020", "Råvaror")


def test_a_field_for_the_company_that_the_record_does_not_have_is_told() -> None:
    reasons = held_by(SUPPLIERS, supplier(), known(options=OWN))
    assert "supplier_set.extra_fields" in reasons["company_field_exists"]


def test_one_company_that_mlc_yaml_names_is_shown_alone() -> None:
    one = known(options={"company_code": "0020"})
    for each in (supplier(), booked(row("0010", "4010"), row("0020", "4020"))):
        assert company_from_supplier(each, one).company_code == "0020"


def test_with_one_company_all_is_as_it_was() -> None:
    company = company_from_supplier(supplier(), facts())
    assert (company.company_code, company.gl_account, company.dimensions) == ("0010", "4010", "B=CC100")
    assert ":" not in "".join(shown(company).values())


@pytest.mark.parametrize(
    "rows, accounts, word",
    [
        ((row("0010"), row("0020", "9999")), {}, "9999 is not in the ERP's chart of accounts of company 0020"),
        ((row("0020", "4020"),), {"blocked": True}, "4020 is blocked in company 0020"),
        ((), {"both": True}, "4010 is blocked in company 0010"),
    ],
)
def test_an_account_that_is_wrong_in_a_company_that_the_erp_names_is_held_with_that_company(
    rows: tuple[SupplierAccount, ...], accounts: dict[str, bool], word: str
) -> None:
    shut = {key: replace(one, blocked=True) for key, one in CHARTS.items() if accounts.get("both") or key[1] == "4020"}
    charts = {**CHARTS, **shut} if accounts else CHARTS
    assert word in held_by(SUPPLIERS, booked(*rows), known(accounts=charts))["gl_accounts_exist"]


def test_an_account_that_is_blocked_in_one_of_several_charts_is_shown_as_blocked_there_and_held_by_nobody() -> None:
    charts = {**CHARTS, ("0020", "4010"): LedgerAccount("0020", "4010", "Råvaror", blocked=True)}
    company = company_from_supplier(supplier(), known(accounts=charts))
    assert company.gl_account_name == "0010: Materials; 0020: Råvaror (blocked)"
    assert held_by(SUPPLIERS, supplier(), known(accounts=charts)) == {}


# --- properties of each company ---------------------------------------------------------------------------------------


def test_each_company_has_properties_of_its_own_where_mlc_yaml_gives_it_a_prefix() -> None:
    section = HubspotSettings(company_properties={"0010": "sweden", "0020": "norway"})
    properties = of_company(company_from_supplier(booked(row("0020", "4020")), known(tables=section.tables())))
    assert (properties["norway_gl_account"], properties["norway_gl_account_name"]) == ("4020", "Steel")
    assert properties["sweden_gl_account"] == "", "emptied where it is not booked any more"
    assert properties["ifs_gl_account"] == "4020"
    assert {"norway_gl_account", "sweden_dimensions"} <= set(section.options()["extra_properties"].split(","))


@pytest.mark.parametrize("given", [{"0010": "a", "0020": "a"}, {"0010": "ifs_a"}, {"0010": "hs_a"}])
def test_a_prefix_that_two_share_or_that_is_ours_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        HubspotSettings(company_properties=given)


def test_hubspot_keeps_the_accounts_of_both_companies_and_makes_their_properties() -> None:
    section = HubspotSettings(company_properties={"0020": "norway"})
    with Sandbox() as box:
        record = company_from_supplier(booked(row("0010"), row("0020", "4020")), known(tables=section.tables()))
        client = client_on(box, section.options())
        (outcome,) = save(client, COMPANIES, Draft("S100", record, look_since=EVER))
        assert isinstance(outcome, Saved)
        kept = box.hubspot.live("companies")[outcome.remote_id]["properties"]
    assert (kept["ifs_company_code"], kept["ifs_gl_account"]) == ("0010; 0020", "0010: 4010; 0020: 4020")
    assert kept["norway_gl_account_name"] == "Steel"


# --- read from the ERP ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [{"navigation": "SupplierAccounts"}, {"set": "SupplierAccountSet"}], ids=str)
def test_accounts_by_company_are_read_where_mlc_yaml_names_their_array_or_their_set(names: dict[str, str]) -> None:
    entity: EntitySet = ifs.catalogue({"supplier_set": EntitySetSettings.model_validate({"lines": names})})[
        "supplier_set"
    ]
    with Sandbox() as box:
        accounts = [{"Company": "0010", "Account": "4010"}, {"Company": "0020", "Account": "4020", "CodeD": "P3"}]
        box.ifs.put("SupplierSet", {"SupplierId": "S1", "Name": "A", "SupplierAccounts": accounts}, TEN)
        box.ifs.put("SupplierSet", {"SupplierId": "S2", "Name": "B"}, TEN)
        rows, _ = Reader(ifs_client_of(box))(entity, A_DAY)
    told = {
        each["supplier_id"]: [(one["company"], one["account"], one["code_d"]) for one in each["accounts"] or ()]
        for each in rows
    }
    assert told == {"S1": [("0010", "4010", None), ("0020", "4020", "P3")], "S2": []}
