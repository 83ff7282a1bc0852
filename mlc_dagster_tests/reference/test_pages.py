"""Every setting, command, rule and error is documented, and as it is today."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlc_dagster import pipeline
from mlc_dagster.pipeline import guards
from mlc_dagster.systems.configuration import known_flows
from mlc_dagster_tests.reference.pages import DOCS, PAGES
from mlc_dagster_tests.reference.runbook_page import WHAT_TO_DO, error_classes


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_says_what_the_code_says(path: Path) -> None:
    stale = "is not what the code says: python -m mlc_dagster_tests.reference"
    assert path.read_text(encoding="utf-8") == PAGES[path](), f"{path.name} {stale}"


def test_each_setting_has_words() -> None:
    rows = [line.split(" | ") for line in (DOCS / "settings.md").read_text().splitlines() if line.startswith("| `")]
    paths = {row[0].strip("| `") for row in rows}
    assert {"cin7.location", "ifs.base_url", "policies.gl_policy", "companies.<name>.currency"} <= paths
    assert len(paths) == len(rows) > 250


def test_each_rule_of_each_flow_is_in_the_runbook() -> None:
    rules = {rule.__name__ for flow in known_flows().values() for rule in flow.rules}
    book = (DOCS / "runbook.md").read_text()
    assert not [rule for rule in {*rules, *pipeline.BUILT_IN, guards.RULE} if f"### {rule}\n" not in book]


def test_each_error_says_what_to_do() -> None:
    assert set(error_classes()) == set(WHAT_TO_DO)
