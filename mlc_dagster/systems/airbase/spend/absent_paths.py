"""Which paths lead nowhere in any document that was read: a cost centre looked for in the wrong place is none. Pure.

A place that is there and empty proves nothing; a place below one that is null is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.systems.airbase.api import Document
from mlc_dagster.systems.airbase.spend.fields import value_at


def absent_paths(documents: Sequence[Document], paths: Mapping[str, str]) -> list[str]:
    """The fields whose path is in none of the documents, though the place for it is there. An empty path is none."""
    return [name for name, path in paths.items() if path and _is_absent(_owners(name, documents, paths), path)]


def configured_paths_lead_somewhere(
    documents: Sequence[Document], paths: Mapping[str, str], own: Mapping[str, str], setting: str
) -> None:
    """Raises Misconfigured for a path that mlc.yaml names (`own`) and that no document has."""
    wrong = [name for name in absent_paths(documents, {**paths, **own}) if name in own]
    if wrong:
        named = ", ".join(f"{setting}.{name}: {own[name]}" for name in wrong)
        cure = "Correct the path, or leave it empty where your tenant has no such field."
        raise Misconfigured(f"{named} is in none of {len(documents)} documents that Airbase gave", cure=cure)


def _owners(name: str, documents: Sequence[Document], paths: Mapping[str, str]) -> Iterator[Any]:
    """Where a field would stand: in each document, in each of its lines, or in each of their tags."""
    lines = [line for document in documents for line in _rows(document, paths["lines"])]
    if name.startswith("tag_"):
        yield from (tag for document in documents for tag in _rows(document, paths["tags"]))
        yield from (tag for line in lines for tag in _rows(line, paths["line_tags"]))
    else:
        yield from lines if name.startswith("line_") else documents


def _rows(document: Document, path: str) -> list[Any]:
    rows = value_at(document, path)
    return rows if isinstance(rows, list) else []


def _is_absent(owners: Iterable[Any], path: str) -> bool:
    found = {_has(owner, path) for owner in owners}
    return False in found and True not in found


def _has(owner: Any, path: str) -> bool | None:
    """None: a place above it is empty, so that nothing can be said."""
    for name in path.split("."):
        if not isinstance(owner, Mapping):
            return None
        if name not in owner:
            return False
        owner = owner[name]
    return True
