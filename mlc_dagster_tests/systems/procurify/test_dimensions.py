"""Code parts from departments, locations, projects, custom fields and account segments; or held, with the table."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from mlc_dagster.core.facts import CodePart, Facts
from mlc_dagster.core.flows import Problem
from mlc_dagster.rules import code_parts_exist
from mlc_dagster.systems.procurify.documents.departments import DepartmentIndex
from mlc_dagster.systems.procurify.documents.document_values import WHOLE, bill_values, order_values
from mlc_dagster.systems.procurify.mapping import invoice_from_bill, proposal_from_order
from mlc_dagster.systems.procurify.part_bills import billed_by
from mlc_dagster.systems.procurify.records import Allocation, CustomField
from mlc_dagster.systems.procurify.rules import code_parts_are_mapped
from mlc_dagster.systems.procurify.settings import ProcurifySettings
from mlc_dagster_tests.systems.procurify.test_mapping import COST, bill, facts, order, part

ALL: dict[str, Any] = {
    "C": {"source": "location", "values": {"Stockholm": "SITE1"}},
    "D": {"source": "project", "values": {"Apollo": "P100"}},
    "E": {"source": "custom_field", "field": "Campaign"},
    "F": {"source": "account_segment", "segment": 2},
    "G": {"source": "department", "values": {"Operations": "OPS"}},
}
SEGMENTS = {"account_separator": "-"}
FIELDS = (CustomField(name="Campaign", value="SPRING"), CustomField(name="Project", value="Apollo"))


def told(amount: str = "100", account: str = "4010-200-9", **changes: Any) -> Allocation:
    return part(amount, account, **{"custom_fields": FIELDS, **changes})


def with_dimensions(**only: Any) -> Facts:
    return facts(dimensions=only or ALL, **SEGMENTS)


def held(source: Any, known: Facts) -> Problem | None:
    return code_parts_are_mapped(source, invoice_from_bill(source, known), known)


def codes(line: Any) -> dict[str, str]:
    return {
        name[-1].upper(): value
        for name in line.__struct_fields__
        if (value := getattr(line, name)) and "code_" in name and name != "tax_code"
    }


def test_a_bill_and_an_order_carry_each_code_part_on_every_line() -> None:
    known = with_dimensions()
    wanted = {"B": "CC100", "C": "SITE1", "D": "P100", "E": "SPRING", "F": "200", "G": "OPS"}
    for document in (invoice_from_bill(bill(told()), known), proposal_from_order(order(told()), known)):
        assert [codes(line) for line in document.lines] == [wanted]
        assert document.lines[0].account == "4010", "the first segment is the GL account"
    assert held(bill(told()), known) is None


def test_what_a_bill_takes_of_its_order_is_coded_as_the_order_is() -> None:
    known = with_dimensions()
    (taken,) = billed_by(bill(told(order="1042"), orders=("1042",)), known)
    (line,) = proposal_from_order(order(told()), known).lines
    assert (taken.account, codes(taken)) == (line.account, codes(line))


def test_without_dimensions_a_line_is_coded_as_before() -> None:
    (line,) = invoice_from_bill(bill(told(account="4010")), facts()).lines
    assert codes(line) == {"B": "CC100"} and not any(name.startswith("dimensions") for name in facts().tables)


@pytest.mark.parametrize(
    "part_, changes, value, table",
    [
        ("C", {"location": "Osaka", "location_external_id": "JP"}, "Osaka", "procurify.dimensions.C.values"),
        (
            "D",
            {"custom_fields": (CustomField(name="Project", value="Gemini"),)},
            "Gemini",
            "procurify.dimensions.D.values",
        ),
        ("D", {"project": "Gemini", "project_external_id": "P-7"}, "Gemini", "procurify.dimensions.D.values"),
        ("G", {"department": "Ops & Supply"}, "Ops & Supply", "procurify.dimensions.G.values"),
    ],
)
def test_c56_a_value_that_a_table_misses_is_held_with_value_and_table_and_never_goes_over(
    part_: str, changes: dict[str, Any], value: str, table: str
) -> None:
    known = with_dimensions(**{part_: ALL[part_]})
    source = bill(told(**changes))
    problem = held(source, known)
    assert problem is not None and problem.subject == value
    assert value in problem.reason and table in problem.reason
    assert codes(invoice_from_bill(source, known).lines[0]) == {"B": "CC100"}


@pytest.mark.parametrize(
    "part_, changes, word",
    [
        ("E", {"custom_fields": ()}, "no custom field Campaign, from which code part E comes"),
        ("D", {"custom_fields": ()}, "no project Project, from which code part D comes"),
        ("F", {"account": "4010"}, "no account segment 2, from which code part F comes"),
    ],
)
def test_a_line_that_says_nothing_is_held_unless_it_need_not(part_: str, changes: dict[str, Any], word: str) -> None:
    source = bill(told(**changes))
    problem = held(source, with_dimensions(**{part_: ALL[part_]}))
    assert problem is not None and word in problem.reason and f"procurify.dimensions.{part_}" in problem.reason
    assert held(source, with_dimensions(**{part_: {**ALL[part_], "required": False}})) is None


@pytest.mark.parametrize(
    "there, word",
    [
        ({}, "code part E SPRING of company 0010 is not in the ERP"),
        ({("0010", "E", "SPRING"): CodePart(blocked=True)}, "code part E SPRING of company 0010 is blocked in the ERP"),
    ],
)
def test_a_custom_field_whose_code_part_is_blocked_or_unknown_is_held_with_value_and_table(
    there: dict[tuple[str, str, str], CodePart], word: str
) -> None:
    plain = with_dimensions(E=ALL["E"])
    cost_centre = {("0010", "B", "CC100"): CodePart()}
    known = Facts(**{**vars_of(plain), "code_parts": {**cost_centre, **there}})
    source = bill(told())
    problem = code_parts_exist(source, invoice_from_bill(source, known), known)
    assert problem is not None and word in problem.reason and problem.subject == "SPRING"
    assert "procurify.dimensions.E (custom_field Campaign)" in problem.reason


def vars_of(known: Facts) -> dict[str, Any]:
    return {name: getattr(known, name) for name in ("companies", "options", "tables", "delivered", "gl_accounts")}


# --- what Procurify answers -------------------------------------------------------------------------------------------


def field(name: str, value: str | bool) -> dict[str, Any]:
    return {"id": 1, "value": value, "field": {"id": 2, "name": name, "is_active": True}}


def budget() -> dict[str, Any]:
    return {"account_code": {"code": "4010-200"}, "department": {"name": "Operations"}}


def item(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": number, "total_cost": 10, "cost_allocations": [{"amount": "10", "budget": budget()}], **more}


def whole_bill(**more: Any) -> dict[str, Any]:
    return {
        "uuid": "8f1c",
        "status": 2,
        "type": 0,
        "id": 7,
        "vendor": {"id": 81},
        "currency": {"name": "SEK"},
        WHOLE: True,
        **more,
    }


def fields_of(row: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["value"] for each in row.get("custom_fields", ())}


def test_custom_fields_of_the_item_win_over_those_of_its_order_and_a_check_box_is_text() -> None:
    ordered = {"custom_fields": [field("Campaign", "AUTUMN"), field("Project", "Apollo")]}
    asked = item(custom_fields=[field("Campaign", "SPRING"), field("Hot", True), field("Empty", "")], orderitem=ordered)
    (row,) = bill_values(whole_bill(items=[asked]), DepartmentIndex())["allocations"]
    assert fields_of(row) == {"Campaign": "SPRING", "Hot": "true", "Project": "Apollo"}


def test_a_field_of_the_whole_order_holds_for_each_of_its_lines() -> None:
    lines = [
        {"id": n, "quantity": 1, "total_cost": "10", "account": budget(), **more}
        for n, more in enumerate(({}, {"custom_fields": [field("Campaign", "SPRING")]}))
    ]
    whole = {
        "procurify_PO": 9,
        "state": 0,
        "order_items": lines,
        "custom_fields": [field("Campaign", "AUTUMN")],
        WHOLE: True,
    }
    rows = order_values(whole, DepartmentIndex())["allocations"]
    assert [fields_of(row)["Campaign"] for row in rows] == ["AUTUMN", "SPRING"]


def test_a_project_of_its_own_is_taken_with_its_code_before_a_custom_field() -> None:
    (row,) = bill_values(whole_bill(items=[item(project={"name": "Apollo", "code": "P-7"})]), DepartmentIndex())[
        "allocations"
    ]
    assert (row["project"], row["project_external_id"]) == ("Apollo", "P-7")
    (line,) = invoice_from_bill(
        bill(told(project="Apollo", project_external_id="P-7")), with_dimensions(D={"source": "project"})
    ).lines
    assert line.code_d == "P-7"


def test_a_cost_of_the_whole_bill_has_what_all_of_its_items_say_alike() -> None:
    items = [item(n, custom_fields=[field("Campaign", "SPRING"), field("Who", str(n))]) for n in (1, 2)]
    cost = {"id": 5, "name": "Freight", "amount": "20", "cost_allocation": {"amount": "20", "budget": budget()}}
    *_, freight = bill_values(whole_bill(items=items, costs=[cost]), DepartmentIndex())["allocations"]
    assert fields_of(freight) == {"Campaign": "SPRING"} and COST.custom_fields == ()


# --- mlc.yaml ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes, word",
    [
        ({"dimensions": {"B": {"source": "location"}}}, "code part B is the cost centre"),
        ({"dimensions": {"K": {"source": "location"}}}, r"dimensions\.K"),
        ({"dimensions": {"E": {"source": "custom_field"}}}, "a custom field has a name"),
        ({"dimensions": {"F": {"source": "account_segment"}}, **SEGMENTS}, "says which one"),
        ({"dimensions": {"F": {"source": "account_segment", "segment": 2}}}, "account_separator"),
        ({"dimensions": {"F": {"source": "account_segment", "segment": 1}}, **SEGMENTS}, "is the GL account"),
    ],
)
def test_a_dimension_that_cannot_be_meant_is_named(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        ProcurifySettings(base_url="https://acme.procurify.com", **changes)


def test_the_values_of_dimensions_are_looked_for_among_the_erp_s_code_parts() -> None:
    section = ProcurifySettings(base_url="https://acme.procurify.com", dimensions={"C": ALL["C"]})
    assert ("procurify.dimensions.C.values.Stockholm is 'SITE1'", "SITE1") in set(
        section.erp_code_part_values("procurify")
    )
