"""A class, a module or a function may get another name; what is stored under it never changes by that."""

import json
from typing import Any

import pytest

from mlc_dagster_tests.systems.stored_records import KEPT, columns, flows, records, stored

KNOWN: dict[str, dict[str, Any]] = json.loads(KEPT.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", KNOWN["records"])
def test_a_record_is_stored_and_fingerprinted_as_before(name: str) -> None:
    known, record = KNOWN["records"][name], records()[name]
    found = columns(record)
    assert {path: found.get(path) for path in known["columns"]} == known["columns"]
    assert stored(record, known["sample"]) == (known["sample"], known["fingerprint"])


@pytest.mark.parametrize("name", KNOWN["flows"])
def test_a_flow_and_its_rules_have_the_names_that_the_ledger_keeps(name: str) -> None:
    known, found = KNOWN["flows"][name], flows()[name]
    assert set(known["rules"]) <= set(found["rules"])
    assert set(known["needs"]) <= set(found["needs"])
    assert found["kept"] == known["kept"]


def test_no_record_and_no_flow_is_missing_from_what_is_known() -> None:
    assert records().keys() <= KNOWN["records"].keys(), "python -m mlc_dagster_tests.systems.stored_records"
    assert flows().keys() <= KNOWN["flows"].keys(), "python -m mlc_dagster_tests.systems.stored_records"
