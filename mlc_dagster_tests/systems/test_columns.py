"""What columns.json says of a mapping is what the mapping does, and its words are those beside the fields."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import msgspec
import pytest

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.systems import columns as kept
from mlc_dagster.systems import configuration
from mlc_dagster.systems.registry import systems
from mlc_dagster_tests.systems.columns import made_of, words
from mlc_dagster_tests.systems.traced_mappings import TODAY, full, traced

CURE = "python -m mlc_dagster_tests.systems.columns"
FLOWS = [flow for system in systems().values() for flow in system.flows]
SETTINGS = configuration.parse(demo_settings("http://127.0.0.1:1", TODAY, days=1), "mlc.yaml")


def stored(system: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((files(systems()[system].package) / kept.FILE).read_text(encoding="utf-8"))
    return found


def test_the_words_of_columns_are_the_comments_beside_the_fields() -> None:
    assert {name: stored(name)["words"] for name in systems()} == words(), CURE
    assert kept.words_of("ifs", "read", "purchase_order_set")["contract"] == "the site"


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_column_that_a_mapping_reads_is_in_its_lineage(flow: Flow) -> None:
    """With one record that has a value everywhere, and none of the facts of a tenant: quick, and finds a new line."""
    known, facts = stored(flow.spoke)["made_of"][flow.name], SETTINGS.facts_for(flow.spoke)
    assert isinstance(facts, Facts)
    for column, names in traced(flow, [full(flow)], facts, emptied=0).items():
        there = set(known.get(column, ()))
        there |= {name.partition("[]")[0] for name in there}  # of a list that as a whole is there or not
        assert set(names) <= there, f"{column} of {flow.name} is made of {names}: {CURE}"


@pytest.mark.slow
def test_the_lineage_is_what_the_mappings_make_of_the_demos_records() -> None:
    assert {name: stored(name)["made_of"] for name in systems() if name != ERP} == made_of(), CURE


def test_a_mapping_that_drops_a_column_is_found_out() -> None:
    flow = next(flow for flow in FLOWS if flow.name == "cin7/purchases")
    facts = SETTINGS.facts_for("cin7")

    def without_remark(order: Any, facts: Facts) -> Any:
        return msgspec.structs.replace(flow.mapping(order, facts), remark=None)

    assert traced(flow, [full(flow)], facts, emptied=0)["remark"] == ["notes"]
    assert "remark" not in traced(replace(flow, mapping=without_remark), [full(flow)], facts, emptied=0)


def test_what_the_tenant_lacks_is_in_no_lineage_and_another_connection_has_the_same() -> None:
    flow = next(flow for flow in FLOWS if flow.name == "cin7/purchases")
    assert "notes" in kept.made_of(flow)["remark"]
    lacking = replace(flow, source=replace(flow.source, absent=frozenset({"notes"})))
    assert kept.made_of(lacking)["remark"] == ()
    assert kept.made_of(flow.under("cin7_us")) == kept.made_of(flow)
