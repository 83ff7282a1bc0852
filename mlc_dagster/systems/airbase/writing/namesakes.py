"""What people made in Airbase by hand and a record of the ERP is called like: one may stand for one key alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.outcomes import Draft
from mlc_dagster.systems.airbase.api import Document, id_of
from mlc_dagster.systems.airbase.writing.record_index import RecordIndex


@dataclass(frozen=True)
class Alike:
    """What a record and a document have in common that are the same; an empty text is like nothing."""

    of_record: Callable[[Any], str]
    of_document: Callable[[Document], str]
    what: str  # "by name", for reasons
    claimed_too: bool = False  # documents that carry another key count as well: two of them would be paid twice
    why_not: Callable[[Any, Document], str] = lambda record, document: ""
    """Why such a document is not taken for the record's after all; empty: it is."""


@dataclass(frozen=True)
class Namesakes:
    """By what they have in common: what Airbase has, and the keys of drafts that it does not have."""

    alike: Alike | None = None
    documents: dict[str, list[Document]] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)

    def of(self, draft: Draft, what: str) -> Sequence[Document]:
        """Raises RecordRejected where several keys may be one that is there, or it says otherwise: a person decides."""
        if self.alike is None or not (name := self.alike.of_record(draft.record)):
            return ()
        found, keys = self.documents.get(name, []), self.keys.get(name, [])
        if self.alike.claimed_too and not found and len(keys) > 1:
            raise RecordRejected(
                f"{' and '.join(keys)} are one {what} {self.alike.what}: sent, it would stand there twice. Cancel the "
                "one in IFS that is too many, then this follows by itself."
            )
        if found and len(keys) > 1:
            raise RecordRejected(
                f"Airbase's {what} {id_of(found[0])} is one, and {' and '.join(keys)} match it {self.alike.what}. "
                "Enter the right key in Airbase."
            )
        if len(found) == 1 and (why := self.alike.why_not(draft.record, found[0])):
            raise RecordRejected(why)
        return found


def namesakes_of(drafts: Iterable[Draft], index: RecordIndex, alike: Alike | None) -> Namesakes:
    """Of drafts that Airbase has under no key and no id."""
    found = Namesakes(alike)
    if alike is None:
        return found
    new = [draft for draft in drafts if draft.remote_id is None and not index.with_key(draft.key)]
    rows = (index.every() if alike.claimed_too else index.unclaimed()) if new else ()
    for row in rows:
        found.documents.setdefault(alike.of_document(row), []).append(row)
    for draft in new:
        found.keys.setdefault(alike.of_record(draft.record), []).append(draft.key)
    return found
