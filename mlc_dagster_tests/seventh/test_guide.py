"""docs/adding-a-system.md quotes the package as it is."""

from __future__ import annotations

import re
import tomllib

from mlc_dagster_tests.seventh.conftest import ENTRY_POINTS, HERE, ROOT

GUIDE = (ROOT / "docs" / "adding-a-system.md").read_text(encoding="utf-8")
QUOTED = re.compile(r"```python\n# (\S+)\n(.*?)```", re.S)


def test_every_quotation_stands_in_the_file_that_it_names() -> None:
    quoted = QUOTED.findall(GUIDE)
    assert len(quoted) == GUIDE.count("```python") >= 10
    for name, code in quoted:
        assert code in (HERE / "tally_books" / name).read_text(encoding="utf-8"), f"{name} is quoted wrongly:\n{code}"


def test_every_module_of_the_package_is_told_of() -> None:
    modules = {path.name for path in (HERE / "tally_books").glob("*.py")} - {"__init__.py"}
    assert modules == {name for name, _ in QUOTED.findall(GUIDE)}


def test_the_entry_points_are_those_that_the_tests_install() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.S)
    told = tomllib.loads(text)["project"]["entry-points"]
    installed = tomllib.loads(re.sub(r"^\[(.*)\]$", r'["\1"]', re.sub(r"= (.*)", r'= "\1"', ENTRY_POINTS), flags=re.M))
    assert told == installed


def test_the_guide_is_found_from_the_readme() -> None:
    assert "docs/adding-a-system.md" in (ROOT / "README.md").read_text(encoding="utf-8")
