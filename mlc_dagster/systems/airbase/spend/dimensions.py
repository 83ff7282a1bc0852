"""Which code part of the ERP a tag of Airbase stands for. Pure.

Recorded tags are {erp_reference_id, type_label, name}, on an entry and on its lines; the reference may be blank. The
label is what people call the dimension, so that case and spaces around it say nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from mlc_dagster.core.facts import Facts
from mlc_dagster.systems.airbase.spend.records import Spend, SpendLine, Tag

IGNORED = "ignored_tags"
"""The table of labels, folded, that mlc.yaml leaves out of the books."""


def folded(label: str | None) -> str:
    """A label without case and spaces around it; empty where there is none."""
    return (label or "").strip().casefold()


def by_label(names: Mapping[str, str]) -> dict[str, str]:
    """A table by folded label."""
    return {folded(name): value for name, value in names.items()}


def posted_lines(document: Spend) -> tuple[SpendLine, ...]:
    """The lines that are entered: a document without any is one line of its total."""
    return document.lines or (SpendLine(),)


def dimensions(document: Spend, line: SpendLine, facts: Facts) -> Iterator[tuple[str, Tag]]:
    """(code part, tag) of the labels that mlc.yaml names. The document's own tags count where the line has none."""
    parts = by_label(facts.table("dimensions"))
    for tag in _tags(document, line):
        if part := parts.get(folded(tag.group)):
            yield part, tag


def _tags(document: Spend, line: SpendLine) -> Iterator[Tag]:
    own = {folded(tag.group) for tag in line.tags}
    yield from line.tags
    yield from (tag for tag in document.tags if folded(tag.group) not in own)


def unmapped(document: Spend, facts: Facts) -> list[Tag]:
    """Tags whose label is neither a code part nor ignored, one for each label: they would vanish from the voucher."""
    known: Collection[str] = {*by_label(facts.table("dimensions")), *facts.table(IGNORED)}
    every = (*document.tags, *(tag for line in document.lines for tag in line.tags))
    return list({folded(tag.group): tag for tag in reversed(every) if folded(tag.group) not in known}.values())


def value_of(tag: Tag, facts: Facts) -> str | None:
    """The code part value that a tag stands for: by mlc.yaml, or where it has no table the ERP reference that Airbase
    gives the tag.
    """
    return facts.stands_for("cost_centers", (tag.code, tag.name), tag.code)
