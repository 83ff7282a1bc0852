"""The house defends itself: imports point down, modules stay rooms, nothing names this machine."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlc_dagster_tests.drawn_house import house

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "mlc_dagster"

MAY = {
    "core": (),
    "shipped": (),
    "settings": ("core",),
    "rules": ("core", "settings"),
    "transport": ("core", "settings"),
    "ledger": ("core", "settings", "rules"),
    "pipeline": ("core", "settings", "rules", "transport", "ledger"),
    "systems": ("core", "settings", "rules", "transport"),
    "sandbox": ("core", "settings"),
    "orchestration": ("core", "settings", "rules", "transport", "ledger", "pipeline", "systems"),
    "web": ("core", "settings", "rules", "ledger", "pipeline", "systems"),
    "demo": ("core", "shipped", "settings", "rules", "ledger", "pipeline", "systems", "orchestration", "sandbox"),
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
"""Room -> the rooms below it, which it may import. One that is missing here has no rule, and is refused."""


def imports(path: Path) -> Iterator[str]:
    yield from house().names_imported(path)


@pytest.mark.parametrize("room", MAY)
def test_imports_point_down(room: str) -> None:
    paths = list((HOUSE / room).rglob("*.py"))
    assert paths, f"there is no room {room}"
    for path in paths:
        reached = {name.split(".")[1] for name in imports(path) if name.startswith("mlc_dagster.")} & MAY.keys()
        wrong = reached - {room, *MAY[room]}
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


def test_every_room_has_a_rule() -> None:
    assert {path.name for path in HOUSE.iterdir() if (path / "__init__.py").is_file()} == MAY.keys()


def test_a_system_knows_of_the_others_the_records_of_the_erp_alone() -> None:
    folders = {path.name for path in (HOUSE / "systems").iterdir() if (path / "__init__.py").is_file()}
    for own in folders - {"shared"}:
        for path in (HOUSE / "systems" / own).rglob("*.py"):
            for name in imports(path):
                room = name.removeprefix("mlc_dagster.systems.")
                other, _, module = room.partition(".")
                if room == name or other not in folders - {own, "shared"}:
                    continue
                is_record = other == "ifs" and (not module or "records" in module or module.startswith("origins"))
                assert is_record, f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize(
    "library, rooms",
    [
        ("tenacity", {"transport"}),
        ("httpx", {"transport"}),
        ("sqlalchemy", {"ledger"}),
        ("dagster", {"orchestration", "definitions.py", "demo", "cli", "__init__.py"}),
    ],
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
            {"core/logs.py", "transport/notifications.py", "demo/runs.py", "web/open_connections.py"},
        ),  # filters and levels, no lines
        ("rich.console", {"core/terminal.py"}),
        ("rich.markup", {"core/terminal.py"}),
        ("TableRecord(", {"orchestration/assets/reports.py"}),
        ("MetadataValue.md(", {"orchestration/assets/reports.py"}),
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


NOT_SAID = {
    *("manager", "handler", "processor", "helper", "helpers", "util", "utils", "common", "data", "info", "base"),
    *("paper", "papers", "shelf", "shares", "standing", "room", "rooms", "look", "meeting", "placing", "fitting"),
    *("saying", "moves", "told", "waiting", "words"),
}
"""Words that say nothing of what is in a module or a class, or that only their author understands."""

SAID_STILL = {
    "ledger": {"Look", "Standing", "Told", "ToldEntry", "Waiting", "Words", "_Look"},
    "sandbox": {"reference_data"},
}
"""What was there when this was written, where others were at work: take a name out of here with its last use."""


def _words(name: str) -> list[str]:
    """In one case: ToldEntry is told, entry; ODataError is o, data, error, but OData is one word."""
    return [word.lower() for word in re.findall(r"OData|[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])", name)]


@pytest.mark.parametrize("room", MAY)
def test_modules_and_classes_have_the_words_of_their_field(room: str) -> None:
    names = set[str]()
    for path in (HOUSE / room).rglob("*.py"):
        names |= {path.stem, path.parent.name}
        names |= {node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ClassDef)}
    refused = {name for name in names if NOT_SAID.intersection(_words(name))} - SAID_STILL.get(room, set())
    assert not refused, f"{room}: {sorted(refused)}: say what is in it in the field's own words"
