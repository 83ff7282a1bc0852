"""What mlc.yaml names of other systems' books and they do not have is found by a ping, all at once, in its order."""

from __future__ import annotations

from typing import Any

from mlc_dagster.ledger.credentials import sealed
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.configuration import parse
from mlc_dagster.systems.ping import Finding, ping_all
from mlc_dagster_tests.systems.ping.conftest import Ask, only


def lines(found: list[Finding]) -> list[str]:
    assert all("\n  " in each.answer for each in found), "each has its cure"
    return [each.answer.partition("\n")[0] for each in found]


def test_the_demos_settings_are_right(content: dict[str, Any], ask: Ask) -> None:
    assert ask(content) == []


def test_every_wrong_name_of_cin7_is_a_line_in_the_order_of_the_file(content: dict[str, Any], ask: Ask) -> None:
    content["companies"]["20"]["cin7"]["location"] = "Kyoto"
    content["cin7"] |= {"location": "Main Warehous", "tax_rule": "Tax Exemt", "attribute_set": "ERP"}
    content["cin7"]["payment_terms"]["30"] = "30 dayz"
    content["cin7"]["tax_rules"]["V12"] = "VAT 13%"
    content["cin7"]["gl_accounts"]["6110"] = "6101"
    found = ask(only(content, "cin7"))
    assert lines(found) == [
        "companies.20.cin7.location is 'Kyoto', and Cin7 has no such location",
        "cin7.location is 'Main Warehous', and Cin7 has no such location",
        "cin7.attribute_set is 'ERP', and Cin7 has no such attribute set",
        "cin7.tax_rule is 'Tax Exemt', and Cin7 has no such tax rule for purchases",
        "cin7.payment_terms.30 is '30 dayz', and Cin7 has no such payment term",
        "cin7.tax_rules.V12 is 'VAT 13%', and Cin7 has no such tax rule for purchases",
        "cin7.gl_accounts.6110 is '6101', and Cin7 has no such account to post to",
    ]
    assert "There is Kuwait City, Main Warehouse, Osaka, Plant South." in found[0].answer
    assert "30 days" in found[4].answer and "6100" in found[6].answer, "what was meant"


def test_a_term_that_is_there_and_not_in_use_is_told_and_is_no_mistake(content: dict[str, Any], ask: Ask) -> None:
    ask(only(content, "cin7"))
    found = [
        each for each in ping_all(parse(only(content, "cin7"), "mlc.yaml"), sealed, 60) if "15 days" in each.answer
    ]
    (term,) = found
    assert term.ok and "cin7.payment_terms.15 is '15 days', which is not in use in Cin7" in term.answer


def test_a_slot_without_a_name_would_lose_the_erps_key(content: dict[str, Any], ask: Ask) -> None:
    content["cin7"]["external_key"] = "AdditionalAttribute2"
    (found,) = ask(only(content, "cin7"))
    assert "cin7.external_key is 'AdditionalAttribute2'" in found.answer and "would drop the ERP's key" in found.answer


def test_a_subsidiary_and_an_account_that_airbase_does_not_have_are_named(content: dict[str, Any], ask: Ask) -> None:
    content["companies"]["20"]["airbase"] = {"subsidiary": "JP"}
    content["airbase"]["gl_accounts"] = {"4010": "9999", "4011": "4010"}
    found = ask(only(content, "airbase"))
    assert lines(found) == [
        "companies.20.airbase.subsidiary is 'JP', and Airbase has none with this ERP reference",
        "airbase.gl_accounts.4010 is '9999', and Airbase has no such account that is active",
    ]
    assert "There is 0010, 0030, 20." in found[0].answer


def test_departments_and_locations_that_procurify_does_not_have_are_named(content: dict[str, Any], ask: Ask) -> None:
    content["procurify"] |= {
        "companies_by_location": {"Stockholm": "0010", "Osaca": "20", "0030": "0030"},
        "cost_centers": {"Ventures": "CC100", "Opperations": "CC100"},
        "dimensions": {"C": {"source": "location", "values": {"Stockholm": "Office", "Osloo": "Plant"}}},
    }
    found = ask(only(content, "procurify"))
    assert lines(found) == [
        "procurify.cost_centers maps 'Opperations', and none of Procurify's departments has that name or external id",
        "procurify.companies_by_location maps 'Osaca', and none of Procurify's locations has that name or external id",
        "procurify.dimensions.C.values maps 'Osloo', and none of Procurify's locations has that name or external id",
    ]  # fmt: skip
    assert "There is Operations" in found[0].answer and "Osaka" in found[1].answer


def test_accounts_and_cost_centres_that_no_company_of_the_erp_has_are_named(content: dict[str, Any], ask: Ask) -> None:
    content["cin7"]["gl_accounts"] = {"611O": "6100"}
    content["airbase"] |= {"accrual_account": "2441", "accounts_by_purchase_type": {"Software": "5420", "Toys": "5"}}
    content["airbase"]["cost_centers"] = {"Assembly": "CC101"}
    content["procurify"] |= {"tax_account": "2640", "shipping_account": "26400"}
    found = ask(only(content, "cin7", "airbase", "procurify"))
    assert {each.system for each in found} == {"ifs"}
    assert lines(found) == [
        "airbase.accrual_account is '2441', and no company of mlc.yaml has that account",
        "airbase.accounts_by_purchase_type.Toys is '5', and no company of mlc.yaml has that account",
        "cin7.gl_accounts maps '611O', and no company of mlc.yaml has that account",
        "procurify.shipping_account is '26400', and no company of mlc.yaml has that account",
        "airbase.cost_centers.Assembly is 'CC101', and no company of mlc.yaml has that code part value",
    ]


def test_a_company_that_the_service_account_may_not_see_is_named(content: dict[str, Any], ask: Ask) -> None:
    content["companies"]["0040"] = {"currency": "SEK"}
    (found,) = ask(only(content))
    assert lines([found]) == ["company 0040: IFS shows no account of it"] and "service account" in found.answer


def test_mistakes_in_all_systems_are_told_in_one_go_and_nothing_is_written(
    box: Sandbox, content: dict[str, Any], ask: Ask
) -> None:
    content["companies"]["0040"] = {"currency": "SEK", "airbase": {"subsidiary": ""}}
    content["cin7"]["tax_rule"] = "None"
    content["airbase"]["gl_accounts"] = {"4010": "9999"}
    content["monday"]["boards"]["suppliers"]["board"] = "77"
    content["procurify"]["cost_centers"] = {"Nowhere": "CC100"}
    box.faults.add(system="hubspot", path="invoices/batch/upsert", times=None, status=403, body="no")
    before = {name: (system.state(), len(box.journal(name))) for name, system in box.systems.items()}
    found = ask(content)
    systems = list(dict.fromkeys(each.system for each in found))
    assert systems == ["ifs", "airbase", "cin7", "hubspot", "monday", "procurify"]
    assert {name: (system.state(), len(box.journal(name))) for name, system in box.systems.items()} == before
