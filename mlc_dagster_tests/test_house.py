"""The house defends itself: imports point down, modules stay rooms, nothing names this machine."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "mlc_dagster"

PURE = {"dagster", "httpx", "sqlalchemy", "starlette", "pyarrow", "pandas", "tenacity", "mlc_dagster.systems"}
FORBIDDEN = {
    "vocabulary.py": PURE | {"mlc_dagster.ledger", "mlc_dagster.orchestration", "mlc_dagster.settings", "pydantic"},
    "errors.py": PURE | {"mlc_dagster"},
    "pace.py": PURE | {"mlc_dagster"},
    "facts.py": PURE | {"mlc_dagster.ledger", "mlc_dagster.orchestration", "mlc_dagster.settings", "pydantic"},
    "rules/*.py": PURE | {"mlc_dagster.ledger", "mlc_dagster.orchestration", "mlc_dagster.settings"},
    "settings/*.py": PURE | {"mlc_dagster.ledger", "mlc_dagster.orchestration"},
    "frames.py": {"dagster", "httpx", "sqlalchemy", "mlc_dagster.systems", "mlc_dagster.ledger"},
    "pipeline/*.py": {
        "dagster",
        "httpx",
        "sqlalchemy",
        "starlette",
        "mlc_dagster.systems",
        "mlc_dagster.orchestration",
    },
    "systems/*.py": {
        "dagster",
        "sqlalchemy",
        "mlc_dagster.ledger",
        "mlc_dagster.pipeline",
        "mlc_dagster.orchestration",
    },
    "systems/ifs/*.py": {
        "dagster",
        "sqlalchemy",
        "mlc_dagster.ledger",
        "mlc_dagster.pipeline",
        "mlc_dagster.orchestration",
        "mlc_dagster.systems.cin7",
    },
    "systems/cin7/*.py": {
        "dagster",
        "sqlalchemy",
        "mlc_dagster.ledger",
        "mlc_dagster.pipeline",
        "mlc_dagster.orchestration",
    },
    "systems/airbase/*.py": {
        "dagster",
        "sqlalchemy",
        "mlc_dagster.ledger",
        "mlc_dagster.pipeline",
        "mlc_dagster.orchestration",
        "mlc_dagster.systems.cin7",
    },
    "systems/procurify/*.py": {
        "dagster",
        "sqlalchemy",
        "mlc_dagster.ledger",
        "mlc_dagster.pipeline",
        "mlc_dagster.orchestration",
        "mlc_dagster.systems.cin7",
    },
    "systems/monday/*.py": {
        "dagster",
        "sqlalchemy",
        "mlc_dagster.ledger",
        "mlc_dagster.pipeline",
        "mlc_dagster.orchestration",
        "mlc_dagster.systems.cin7",
    },
    "alignment.py": PURE | {"mlc_dagster.ledger", "mlc_dagster.orchestration", "mlc_dagster.settings", "pydantic"},
    "systems/*/records.py": PURE - {"mlc_dagster.systems"},
    "systems/*/mapping.py": PURE - {"mlc_dagster.systems"} | {"mlc_dagster.systems.http", "mlc_dagster.systems.auth"},
    "systems/*/flows.py": PURE - {"mlc_dagster.systems"} | {"mlc_dagster.systems.http", "mlc_dagster.systems.auth"},
    "ledger/**/*.py": {"dagster", "httpx", "mlc_dagster.systems", "mlc_dagster.pipeline", "mlc_dagster.orchestration"},
    "web/*.py": {"dagster", "httpx", "sqlalchemy", "mlc_dagster.systems", "mlc_dagster.pipeline"},
    "orchestration/*.py": {"httpx", "sqlalchemy", "mlc_dagster.sandbox"},
    "sandbox/*.py": {
        "dagster",
        "httpx",
        "sqlalchemy",
        "mlc_dagster.systems",
        "mlc_dagster.ledger",
        "mlc_dagster.pipeline",
    },
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("rooms", FORBIDDEN)
def test_imports_point_down(rooms: str) -> None:
    paths = list(HOUSE.glob(rooms))
    assert paths, f"no room matches {rooms}"
    for path in paths:
        reached = {name for name in imports(path) for ban in FORBIDDEN[rooms] if f"{name}.".startswith(f"{ban}.")}
        assert not reached, f"{path.relative_to(ROOT)} imports {sorted(reached)}"


@pytest.mark.parametrize(
    "library, rooms",
    [("sqlalchemy", {"ledger"}), ("dagster", {"orchestration", "definitions.py", "demo", "cli.py", "__init__.py"})],
)
def test_a_library_has_one_room(library: str, rooms: set[str]) -> None:
    for path in HOUSE.rglob("*.py"):
        if any(f"{name}.".startswith(f"{library}.") for name in imports(path)):
            assert path.relative_to(HOUSE).parts[0] in rooms, f"{path.relative_to(ROOT)} imports {library}"


@pytest.mark.parametrize(
    "words, rooms",
    [
        (
            "logging.getLogger(",
            {"logs.py", "systems/alerts.py", "demo/runs.py", "web/connections.py"},
        ),  # filters and levels, no lines
        ("rich.console", {"terminal.py"}),
        ("rich.markup", {"terminal.py"}),
        ("TableRecord(", {"orchestration/reports.py"}),
        ("MetadataValue.md(", {"orchestration/reports.py"}),
    ],
)
def test_what_is_shown_goes_through_one_room(words: str, rooms: set[str]) -> None:
    found = {str(path.relative_to(HOUSE)) for path in HOUSE.rglob("*.py") if words in path.read_text(encoding="utf-8")}
    assert found - rooms == set(), f"{words} acts on a screen or a log unless its values are made inert"


def test_commands_that_are_offered_with_a_value_are_quoted_for_a_shell() -> None:
    raw = re.compile(r"\bmlc (?:holds|audit|replay|plan|apply|ledger|shadow)\b[^\"'`;)\n]*\{(?!word\})")
    for path in HOUSE.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not raw.search(line), f"{path.relative_to(ROOT)}: commands.offered() quotes what a key holds: {line}"


def test_every_module_says_why_it_exists_and_is_one_room() -> None:
    for path in HOUSE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if text.strip():
            assert ast.get_docstring(ast.parse(text)), f"{path.relative_to(ROOT)} has no docstring"
        assert text.count("\n") <= 300, f"{path.relative_to(ROOT)} has {text.count(chr(10))} lines"
