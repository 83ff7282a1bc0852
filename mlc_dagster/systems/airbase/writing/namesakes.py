"""What people made in Airbase by hand and a supplier of the ERP is called like: one may stand for one key alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.outcomes import Draft
from mlc_dagster.systems.airbase.api import Document, id_of
from mlc_dagster.systems.airbase.writing.record_index import RecordIndex
from mlc_dagster.systems.shared.supplier_match import folded_name


@dataclass(frozen=True)
class Namesakes:
    """By name, folded: what Airbase has without a key of the ERP, and the keys of drafts that it does not have."""

    documents: dict[str, list[Document]] = field(default_factory=dict)
    keys: dict[str, list[str]] = field(default_factory=dict)

    def of(self, draft: Draft, what: str) -> list[Document]:
        """Raises RecordRejected where several keys may be one that is there: each of them waits for a person."""
        name = folded_name(draft.record.name)
        found, keys = self.documents.get(name, []), self.keys.get(name, [])
        if found and len(keys) > 1:
            raise RecordRejected(
                f"Airbase's {what} {id_of(found[0])} is one, and {' and '.join(keys)} match it by name. "
                "Enter the right key in Airbase."
            )
        return found


def namesakes_of(drafts: Iterable[Draft], index: RecordIndex) -> Namesakes:
    """Of drafts that Airbase has under no key and no id."""
    found = Namesakes()
    new = [draft for draft in drafts if draft.remote_id is None and not index.with_key(draft.key)]
    for row in index.unclaimed() if new else ():
        found.documents.setdefault(folded_name(row.get("name")), []).append(row)
    for draft in new:
        found.keys.setdefault(folded_name(draft.record.name), []).append(draft.key)
    return found
