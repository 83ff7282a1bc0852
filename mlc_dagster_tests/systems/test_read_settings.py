"""What a mapping or a rule asks of mlc.yaml, the section gives: a setting that nothing hands on would do nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import mlc_dagster.systems
from mlc_dagster.settings.model import Policies
from mlc_dagster.settings.section import TargetSection
from mlc_dagster.systems.registry import systems

FOLDERS = Path(mlc_dagster.systems.__file__).parent
TARGETS = sorted(
    name
    for name, system in systems().items()
    if issubclass(system.settings, TargetSection) and (FOLDERS / name).is_dir()
)
OF_ALL = set(Policies().options())
GIVEN: dict[str, dict[str, Any]] = {
    "procurify": {"base_url": "https://one.example", "dimensions": {"C": {"source": "location"}}},
    "hubspot": {"deal_key": {"ifs_number": "invoice_no"}, "company_properties": {"0020": "norway"}},
}
"""What a section must be given, and what it hands on only then."""
ASKED = {
    "options": re.compile(r'\boptions(?:\.get\(|\[)"(\w+)"'),
    "tables": re.compile(r'\.table\("(\w+)"\)'),
}


def asked(system: str, kind: str) -> set[str]:
    texts = (path.read_text() for path in (FOLDERS / system).rglob("*.py"))
    return {name for text in texts for name in ASKED[kind].findall(text)}


@pytest.mark.parametrize("system", TARGETS)
@pytest.mark.parametrize("kind", ASKED)
def test_each_setting_that_is_read_is_handed_on_by_its_section(system: str, kind: str) -> None:
    section: Any = systems()[system].settings(**GIVEN.get(system, {}))
    given = set(getattr(section, kind)())
    assert asked(system, kind) - given - OF_ALL == set()


def test_the_patterns_find_what_is_read() -> None:
    assert "service_product" in asked("cin7", "options")
    assert "cost_centers" in asked("airbase", "tables")
