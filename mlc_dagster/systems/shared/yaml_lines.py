"""Lines of YAML, each with a comment beside it; what is not sure is a comment altogether. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mlc_dagster.core.inert import inert

BESIDE = 52  # the column of the comments, where the line is not longer
LONGEST = 400  # characters of a comment: a tenant's own words may be long

PLAIN = re.compile(r"[A-Za-z_][\w./-]*")
NOT_TEXT = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


Inline = Any
"""str, bool, None, or a mapping or list of such."""


class YamlLine(NamedTuple):
    """`text` is YAML of ours; `why` may hold words of the tenant."""

    depth: int
    text: str
    why: str = ""
    is_sure: bool = True


def scalar(value: str | bool | None) -> str:
    """A value as YAML reads it again: a name stays plain, 0010 and null as texts are quoted."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    is_plain = PLAIN.fullmatch(value) and value.casefold() not in NOT_TEXT
    return value if is_plain else json.dumps(value)


def inline(value: Inline) -> str:
    """`{a: B}`, `[A, B]` or a scalar; what is inside of one another, too."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(name)}: {inline(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(inline, value)) + "]"
    return scalar(value)


def commented(lines: Iterable[YamlLine], depth: int) -> list[YamlLine]:
    """The same as a proposal that is not in force: one level deeper than `depth`, to be taken in by a person."""
    return [line._replace(is_sure=False) for line in lines if line.depth >= depth]


def page(lines: Iterable[YamlLine]) -> str:
    """The text, two blanks for a level."""
    return "\n".join(_written(line).rstrip() for line in lines) + "\n"


def _written(line: YamlLine) -> str:
    indent, why = "  " * line.depth, _short(line.why)
    text = f"{indent}{'' if line.is_sure else '# '}{inert(line.text)}"
    if not why:
        return text
    return f"{indent}# {why}" if not line.text else f"{text:<{BESIDE}}  # {why}"


def _short(words: str) -> str:
    text = inert(" ".join(words.split()))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
