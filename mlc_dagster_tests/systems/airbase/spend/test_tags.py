"""Cost centres do not vanish: tags as Airbase records them, on an entry and on its lines, by their type_label."""

from __future__ import annotations

from typing import Any

import pytest

from mlc_dagster.core.flows import Problem
from mlc_dagster.sandbox import Sandbox
from mlc_dagster.systems.airbase.spend import rules
from mlc_dagster.systems.airbase.spend.records import PAYMENTS, PurchaseRequest, SpendLine, Tag
from mlc_dagster.systems.airbase.spend.vouchers import entry_from_request, expenses
from mlc_dagster_tests.systems.airbase.samples import client_on
from mlc_dagster_tests.systems.airbase.spend.samples import payment, request, spend_facts, spend_line
from mlc_dagster_tests.systems.airbase.spend.test_spend import read


def tag(label: str | None, code: str | None = "CC100", name: str = "Assembly") -> Tag:
    return Tag(group=label, code=code, name=name)


def code_b(source: PurchaseRequest, **settings: Any) -> list[str | None]:
    return [line.code_b for line in entry_from_request(source, spend_facts(**settings)).lines[:-1]]


def told(source: Any, **settings: Any) -> Problem | None:
    facts = spend_facts(**settings)
    return rules.dimensions_are_mapped(source, None, facts)


@pytest.mark.parametrize("label", ["Department", "department", "DEPARTMENT", " Department "])
def test_a_label_means_its_code_part_in_any_case(label: str) -> None:
    source = request(spend_line(tags=(tag(label),)))
    assert code_b(source) == ["CC100"] and told(source) is None


def test_a_line_tag_goes_before_the_entrys_own_of_the_same_label_in_another_case() -> None:
    source = request(spend_line(tags=(tag("department", "CC200"),)), spend_line(tags=()), tags=(tag("Department"),))
    assert code_b(source) == ["CC200", "CC100"]


@pytest.mark.parametrize("where", ["line", "entry"])
@pytest.mark.parametrize("label", ["Class", None, ""])
def test_a_tag_of_a_label_that_nobody_mapped_holds_the_record(where: str, label: str | None) -> None:
    tags = (tag(label, name="Ventures"),)
    source = request(spend_line(tags=tags)) if where == "line" else request(spend_line(tags=()), tags=tags)
    found = told(source)
    assert found and "Ventures" in found.reason and "airbase.ignored_tags" in found.reason
    assert found.subject == (label or "")


def test_an_entry_whose_lines_all_have_the_label_is_held_for_its_own_tag_of_another_one() -> None:
    found = told(request(tags=(tag("Class"),)))
    assert found and "Class" in found.reason


def test_a_label_that_mlc_yaml_ignores_holds_nothing() -> None:
    assert told(request(spend_line(tags=(tag("class"), tag("Department")))), ignored_tags=["Class"]) is None


def test_the_tags_of_a_record_without_lines_are_judged_and_posted() -> None:
    bare = request(lines=(), tags=(tag("Department"),))
    assert code_b(bare) == ["CC100"]
    nameless = told(request(lines=(), tags=(tag("Department", None, "New"),)))
    assert nameless and "New" in nameless.reason


def test_a_blank_reference_as_recorded_is_told_by_the_tags_name() -> None:
    recorded = request(spend_line(tags=(tag("Department", None),)))
    assert (found := told(recorded)) and "cost_centers" in found.reason
    assert code_b(recorded, cost_centers={"Assembly": "CC100"}) == ["CC100"]


def test_a_payment_of_another_entry_posts_no_tags_and_is_not_held_for_them() -> None:
    assert told(payment(spend_line(tags=(tag("Class"),), account="4010"))) is None


def test_tags_come_over_the_wire_as_recorded_from_the_entry_and_from_its_lines(box: Sandbox) -> None:
    label = {"type_label": "Class", "erp_reference_id": "", "name": "Ventures"}
    line = {"amount": "5.00", "tags": [{**label, "type_label": "department", "erp_reference_id": "CC100"}]}
    box.airbase.add_entry(transaction_tags=[label], expense_list=[line])
    (((entry, _, _),), _) = read(client_on(box), PAYMENTS)
    assert entry.tags == (Tag(group="Class", name="Ventures"),)
    assert entry.lines[0].tags == (Tag(group="department", code="CC100", name="Ventures"),)
    (posted,) = expenses(entry, spend_facts())
    assert posted.code_b == "CC100"


def test_two_labels_that_differ_in_case_alone_are_a_mistake_in_the_settings() -> None:
    with pytest.raises(ValueError, match="case alone"):
        spend_facts(dimensions={"Department": "B", "department": "C"})


def test_a_line_without_tags_takes_none_from_nowhere() -> None:
    assert code_b(request(SpendLine(amount=spend_line().amount))) == [None]


def test_tags_without_references_as_recorded_go_by_their_names() -> None:
    with Sandbox(seed="empty", profiles=["airbase.recorded"]) as box:
        box.airbase.add_subsidiary("0010", "Company 0010", "SEK")
        box.airbase.add_account("4010", "Material")
        assembly = {"type_label": "Department", "erp_reference_id": "CC100", "name": "Assembly"}
        line = {"account": "4010", "amount": "10.00", "tags": [assembly]}
        box.airbase.add_entry(type="card", subsidiary="0010", currency="SEK", expense_list=[line])
        (shown,) = box.airbase.ledger_entries.values()
        assert shown["expense_list"][0]["tags"] == [{**assembly, "erp_reference_id": ""}]
        ((entry, *_),), _ = read(client_on(box), PAYMENTS)
        assert [each.code for each in entry.lines[0].tags] == [None]
        named = spend_facts(cost_centers={"Assembly": "CC100"}, types={"card": "card"}, payment_types=[])
        assert [each.code_b for each in expenses(entry, named)] == ["CC100"]
        held = told(entry, types={"card": "card"}, payment_types=[])
        assert held is not None and "has no ERP reference" in held.reason
