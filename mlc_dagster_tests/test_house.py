"""The house defends itself: imports point down, modules stay rooms, nothing names this machine."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "mlc_dagster"

LAYERS = (
    "core",
    "settings",
    "rules",
    "transport",
    "ledger",
    "pipeline",
    "systems",
    "orchestration",
    "sandbox",
    "web",
    "demo",
    "cli",
)
"""Every room there is: one that is missing here has no rule."""

LIBRARIES = {"dagster", "httpx", "sqlalchemy", "starlette", "tenacity", "pyarrow", "pandas"}
MAY = {
    "core": (),
    "settings": ("core",),
    "rules": ("core", "settings"),
    "transport": ("core", "settings"),
    "ledger": ("core", "settings", "rules"),
    "pipeline": ("core", "settings", "rules", "transport", "ledger"),
    "systems": ("core", "settings", "rules", "transport"),
    "sandbox": ("core", "settings"),
    "orchestration": ("core", "settings", "rules", "transport", "ledger", "pipeline", "systems"),
    "web": ("core", "settings", "rules", "ledger", "systems"),
    "demo": ("core", "settings", "rules", "ledger", "pipeline", "systems", "orchestration", "sandbox", "cli"),
    "cli": (
        "core",
        "settings",
        "rules",
        "transport",
        "ledger",
        "pipeline",
        "systems",
        "orchestration",
        "sandbox",
        "web",
        "demo",
    ),
}
"""Room -> the rooms below it, which it may import."""


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
