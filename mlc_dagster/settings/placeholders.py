"""Values that mlc.example.yaml has only to show what goes where: a copy is filled in before it is used.

Each system says which of its values those are: `SystemConnection.placeholders`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from mlc_dagster.settings.mistakes import Mistake, Place, found
from mlc_dagster.settings.section import Placeholder
from mlc_dagster.settings.sections import Sections, connections_in


def mistakes(content: Any, sections: Sections) -> Iterator[Mistake]:
    """Every value of a connection that is still the example's."""
    for connection, system in connections_in(content, sections).items():
        section = content.get(connection) if isinstance(content, dict) else None
        yield from _in(section, sections[system].section.placeholders, (connection,))


def _in(content: Any, known: Sequence[Placeholder], path: Place) -> Iterator[Mistake]:
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _in(value, known, (*path, name))
    elif isinstance(content, list):
        for number, value in enumerate(content):
            yield from _in(value, known, (*path, number))
    elif expected := " and ".join(each.expected for each in known if _is(each, str(content), path)):
        yield Mistake(path, f"{found(path, content)}: this is still the example's value; expected {expected}")


def _is(each: Placeholder, text: str, path: Place) -> bool:
    return path[-1] in each.settings and bool(re.search(each.pattern, text, re.I))
