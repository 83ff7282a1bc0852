"""The text of mlc.yaml with its line numbers; what keeps it from being read is one sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mlc_dagster.core.commands import quoted
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.settings.mistakes import Mistake, Place, named, shown_name
from mlc_dagster.settings.plain_yaml import Reader

BEGIN = "Copy mlc.example.yaml to mlc.yaml and fill it in, or set MLC_CONFIG to where it is."
LARGEST = 1024 * 1024  # bytes
AS_TEXT = "Save it as UTF-8 text, without a password or a format of its own."


@dataclass(frozen=True)
class Document:
    """What a file says: scalars as text, the line of each setting, and names that stand twice."""

    where: str  # as messages name it
    content: Any
    lines: Mapping[Place, int] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()

    def line_of(self, place: Place) -> int | None:
        """Where a setting stands; of one that is missing, where its section does. None: it came from no file."""
        if not self.lines:
            return None
        prefixes = (place[:length] for length in range(len(place), -1, -1))
        return next((self.lines[prefix] for prefix in prefixes if prefix in self.lines), 1)


def misconfigured(document: Document, mistakes: Iterable[Mistake]) -> Misconfigured:
    """All of them in one message, by their lines."""
    placed = [(each.line or document.line_of(each.path), each) for each in mistakes]
    placed.sort(key=lambda pair: pair[0] or 0)
    told = dict.fromkeys(
        f"{f'line {line}, ' if line else ''}{named(each.path)}: {each.sentence}" for line, each in placed
    )
    count = "1 mistake" if len(told) == 1 else f"{len(told)} mistakes"
    return Misconfigured(f"{document.where} has {count}:\n" + "\n".join(f"  {line}" for line in told))


def read(path: Path) -> Document:
    """Raises Misconfigured, with the line, where there is no file, no text, no YAML, or no settings in it."""
    text = _text(path)
    try:
        reader = Reader(text)
        node = reader.get_single_node()
        content = None if node is None else reader.construct_document(node)
    except yaml.YAMLError as error:
        raise Misconfigured(f"{path} is not YAML: {_why(error, text)}", cure="Correct it; then: mlc check") from None
    if node is None or not isinstance(content, dict) or not content:
        raise Misconfigured(f"{path} {_no_settings(content)}", cure=BEGIN)
    lines: dict[Place, int] = {(): 1}
    return Document(str(path), content, lines, tuple(_numbered(node, lines)))


def _numbered(node: yaml.Node, lines: dict[Place, int]) -> Iterator[Mistake]:
    """Fills in the lines. A name that stands twice is a mistake, where YAML would silently keep the last."""
    twice: set[Place] = set()
    for place, line in _lines(node, ()):
        if place in lines and not any(place[:length] in twice for length in range(len(place))):
            twice.add(place)
            yield Mistake(
                place,
                f"{shown_name(str(place[-1]))!r} stands twice: in line {lines[place]} too. Keep one of them",
                line,
            )
        lines[place] = line


def _no_settings(content: Any) -> str:
    if not content:
        return "is empty: no setting stands in it"
    kind = "a list" if isinstance(content, list) else "a text"
    return f"is {kind}; expected names with values, such as `companies:` with its companies below it"


def _text(path: Path) -> str:
    if path.is_dir():
        raise Misconfigured(f"{path} is a folder; expected the file with the settings", cure=BEGIN)
    if not path.exists():
        there = "" if path.is_absolute() else f" in {Path.cwd()}"
        raise Misconfigured(f"there are no settings: no {path}{there}", cure=BEGIN)
    try:
        found = _bytes(path)
        return found.decode("utf-8-sig")
    except OSError as error:
        cure = f"May you read it? ls -l {quoted(str(path))}"
        raise Misconfigured(f"{path} cannot be read: {error.strerror or error}", cure=cure) from None
    except UnicodeDecodeError as error:
        line = found[: error.start].count(b"\n") + 1
        wide = " (it looks like UTF-16)" if found[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        raise Misconfigured(f"{path} is not UTF-8 text, in line {line}{wide}", cure=AS_TEXT) from None


def _bytes(path: Path) -> bytes:
    """Raises Misconfigured for what is too large; no more than that is ever read, of a device neither."""
    with path.open("rb") as file:
        found = file.read(LARGEST + 1)
    if len(found) > LARGEST:
        cure = "Is it the right file? MLC_CONFIG, or the command's argument, names it."
        raise Misconfigured(f"{path} has more than {LARGEST // 1024:,} KiB; settings have a few", cure=cure)
    return found


def _lines(node: yaml.Node, place: Place, above: tuple[int, ...] = ()) -> Iterator[tuple[Place, int]]:
    """(path, line) of every setting; what refers to itself is not walked for ever."""
    if id(node) in above:
        return
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield (*place, key.value), key.start_mark.line + 1
            yield from _lines(value, (*place, key.value), (*above, id(node)))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield (*place, number), value.start_mark.line + 1
            yield from _lines(value, (*place, number), (*above, id(node)))


# --- what is wrong with text that is no YAML: never with its text, which may hold a secret --------------------------

OPENED = {
    "while scanning a quoted scalar": "a quote is opened here and not closed",
    "while parsing a flow sequence": "a bracket [ is opened here and not closed, or a comma is missing after it",
    "while parsing a flow mapping": "a brace { is opened here and not closed, or a comma is missing after it",
}
MET = (
    ("'\\t' that cannot start", "a tab stands here; YAML is indented by spaces"),
    ("mapping values are not allowed", "a colon where none is expected: indent it, or put the value in quotes"),
    ("could not find expected ':'", "a name stands here without a colon behind it"),
    ("but found '<block mapping start>'", "it is indented further, or less, than the lines beside it"),
    ("expected <block end>", "it is indented further, or less, than the lines beside it"),
    ("found another document", "a second document begins here (---); the settings are one"),
    ("<stream end>", "the file ends here, and a bracket, a brace or a quote is still open"),
    ("recursive node", "it refers to itself"),
    ("found undefined alias", "an alias (*) that no anchor (&) defines; in quotes it is a text"),
    ("unknown escape character", "a backslash in double quotes; take single quotes, or write it twice"),
    ("that cannot start any token", "a character that no value begins with; put the value in quotes"),
)


def _why(error: yaml.YAMLError, text: str) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        line, sign = text[: error.position].count("\n") + 1, text[error.position : error.position + 1]
        return f"line {line}: a character that no text has" + (f" (U+{ord(sign):04X})" if sign else "")
    if not isinstance(error, yaml.MarkedYAMLError):
        return "it cannot be read"
    if (words := OPENED.get(error.context or "")) and error.context_mark:
        return f"line {error.context_mark.line + 1}: {words}"
    met = next((words for sign, words in MET if sign in (error.problem or "")), error.problem or "it cannot be read")
    mark = error.problem_mark or error.context_mark
    return f"line {mark.line + 1}, column {mark.column + 1}: {met}" if mark else met
