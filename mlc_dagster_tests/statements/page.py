"""docs/statements.md, made from the lists beside it: `python -m mlc_dagster_tests.statements.page` writes it anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mlc_dagster.systems.registry import systems
from mlc_dagster_tests.statements.chapters import CHAPTERS
from mlc_dagster_tests.statements.statement import Chapter, Evidence, InPart, Otherwise, Statement

WORDS = {InPart: "In part", Otherwise: "Otherwise"}
PAGE = Path(__file__).parents[2] / "docs" / "statements.md"
LEAD = """# What was asked for, and what shows it

Made from `mlc_dagster_tests/statements/` by `python -m mlc_dagster_tests.statements.page`; a test holds it, and that
each flow, rule, setting, secret, command, module and test named here exists.

Each of the five integrations was described in prose before it was built. Here is every statement of these five
descriptions, in our own words and in their order, half sentences apart where they say something of their own; what a
description says twice stands once, and that it is free to use stands in [LICENSE](../LICENSE).

- *Kept by*: the flow, rule, setting, secret, command or module that does it.
- *Shown by*: the tests that fail where it does not hold.
- *Otherwise*: nothing is missing, but the remote system works otherwise than was said, or it is off until mlc.yaml asks
  for it.
- *In part*: something is missing, and here is what.

| system | statements | hold | otherwise | in part |
|---|---|---|---|---|
"""


def page() -> str:
    return LEAD + "".join(_counted(each) for each in CHAPTERS) + "".join("\n" + _chapter(each) for each in CHAPTERS)


def _title(chapter: Chapter) -> str:
    return systems()[chapter.system].title


def _counted(chapter: Chapter) -> str:
    kinds = [type(each.but) for each in chapter.statements()]
    counts = " | ".join(str(kinds.count(each)) for each in (type(None), Otherwise, InPart))
    return f"| [{_title(chapter)}](#{chapter.system}) | {len(kinds)} | {counts} |\n"


def _chapter(chapter: Chapter) -> str:
    return f'<a id="{chapter.system}"></a>\n\n## {_title(chapter)}\n' + "".join(_parts(chapter))


def _parts(chapter: Chapter) -> Iterator[str]:
    number = 0
    for name, statements in chapter.parts.items():
        yield f"\n### {_title(chapter)}: {name}\n\n| # | statement | kept by | shown by |\n|---|---|---|---|\n"
        for each in statements:
            number += 1
            yield f"| {number} | {_says(each)} | {_kept_by(each.by)} | {_shown_by(each.by)} |\n"


def _says(statement: Statement) -> str:
    if statement.but is None:
        return statement.says
    return f"{statement.says} **{WORDS[type(statement.but)]}:** {statement.but.reason}"


def _kept_by(evidence: Evidence) -> str:
    return ", ".join(_code(name) if kind == "code" else f"`{name}`" for kind, name in evidence.keepers())


def _code(place: str) -> str:
    path, _, name = place.partition("::")
    return f"[`{name or path}`](../mlc_dagster/{path})"


def _shown_by(evidence: Evidence) -> str:
    return "<br>".join(_test(node) for node in evidence.tests)


def _test(node: str) -> str:
    """A test's name is a sentence: it is read as one."""
    path, _, name = node.partition("::")
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../mlc_dagster_tests/{path})"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
