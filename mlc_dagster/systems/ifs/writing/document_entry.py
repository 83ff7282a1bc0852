"""Enters documents in the ERP's books: looked for first, entered whole, never changed behind an accountant's back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import msgspec

from mlc_dagster.core.errors import OutcomeUnknown, RecordRejected, StaleRecord
from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Saved, Shown, Unanswered, refuse_owned
from mlc_dagster.core.vocabulary import EntitySet, Row, key_text
from mlc_dagster.rules.waiving import WAS_CANCELLED
from mlc_dagster.systems.ifs.odata.changesets import Step
from mlc_dagster.systems.ifs.writing.alike_vouchers import FindsKeys
from mlc_dagster.systems.ifs.writing.document_references import Found as Found
from mlc_dagster.systems.ifs.writing.document_references import find_by_reference, why_not_entered
from mlc_dagster.systems.ifs.writing.document_sets import DocumentSets
from mlc_dagster.systems.ifs.writing.external_entry import ExternalEntry
from mlc_dagster.systems.shared.cancelled_documents import cancelled_words
from mlc_dagster.systems.shared.saving import rule_of

CANCELLED = "Cancelled"
"""The ObjState of a document that counts no more."""

METHOD_NOT_ALLOWED = 405
UNCHANGED_RULE = "not_changed_after_posting"


class DocumentClient(FindsKeys, Protocol):
    """What entering a document needs of the client."""

    documents_per_batch: int

    def create_document(self, entity: EntitySet, row: Mapping[str, Any], also: Sequence[Step] = ()) -> Found: ...
    def create_documents(
        self, entity: EntitySet, rows: Sequence[Mapping[str, Any]], also: Sequence[Step] = ()
    ) -> list[Found]: ...
    def find(self, entity: EntitySet, most: int = 10, *, latest_by: str = "", **conditions: object) -> list[Found]: ...
    def state_step(self, entity: EntitySet, key: Mapping[str, object], state: str, etag: str) -> Step: ...
    def change_state(self, entity: EntitySet, key: Mapping[str, object], state: str) -> Found: ...


@dataclass(frozen=True)
class DocumentKind:
    """What invoices, proposals and vouchers differ in."""

    entity: EntitySet
    name: str  # "invoice", for reasons
    setting: str = ""  # of mlc.yaml: by which way it goes into the books, where there are two


class DocumentWriter:
    """Documents of one kind, told apart by their external reference."""

    GONE = "is cancelled in IFS, or gone"

    def __init__(self, client: DocumentClient, kind: DocumentKind, by_load: ExternalEntry | None = None) -> None:
        """`by_load`: how new ones are entered where they are not posted directly."""
        self._client, self._kind, self._by_load = client, kind, by_load
        self._sets = DocumentSets(client, kind.entity)

    def why_not(self) -> str:
        """Why none of them can be entered; empty where they can."""
        return "" if self._by_load else why_not_entered(self._kind.entity, self._kind.name, self._kind.setting)

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        """One outcome for each draft, at most one Begun before it. Raises what concerns them all."""
        if why := self.why_not():
            yield from (Refused(draft, why) for draft in drafts)
            return
        there = self._there(drafts)
        if self._by_load:
            absent = [draft for draft in drafts if not there.get(draft.record.external_ref)]
            self._by_load.look([draft for draft in absent if not draft.was_delivered])
        self._sets.plan(self._rows_to_enter(drafts, there))
        for draft in drafts:
            rows = there.get(draft.record.external_ref, ())
            try:
                yield from self._saved(draft, self._one(draft, standing(rows)), cancelled(rows))
            except RecordRejected as error:
                yield Refused(draft, f"{error.message}{self._elsewhere(error)}", rule_of(error))
            except StaleRecord as error:
                yield Refused(draft, error.message)
            except OutcomeUnknown as error:
                yield Unanswered(draft, error.message)

    def _rows_to_enter(self, drafts: Sequence[Draft], there: Mapping[str, Sequence[Found]]) -> dict[str, Row]:
        """Reference -> row, of those of which nothing is there and nothing else is asked: they may go together."""
        new = (draft for draft in drafts if not self._by_load and self._is_entered(draft, there))
        return {draft.record.external_ref: row for draft in new if (row := self._row_to_enter(draft)) is not None}

    def _is_entered(self, draft: Draft, there: Mapping[str, Sequence[Found]]) -> bool:
        """Whether nothing is there under its reference that would be kept, or say no."""
        rows = there.get(draft.record.external_ref, ())
        return not standing(rows) and (draft.anew or not rows)

    def _row_to_enter(self, draft: Draft) -> Row | None:
        """The row of a document that is not there; None where it is not entered, or not without more ado."""
        return self.row(draft.record) if draft.anew or not draft.was_delivered else None

    def _entered(self, record: Any) -> Row:
        """With the others of its set, or alone."""
        found = self._sets.entered(record.external_ref)
        return (found or self._client.create_document(self._kind.entity, self.row(record)))[0]

    def _elsewhere(self, error: RecordRejected) -> str:
        """What to do where the set takes no documents at all."""
        if error.status != METHOD_NOT_ALLOWED:
            return ""
        other = f", or set {self._kind.setting}: external in mlc.yaml" if self._kind.setting else ""
        return f" It takes none. Name another set under ifs.entity_sets.{self._kind.entity.name}{other}."

    def _there(self, drafts: Sequence[Draft]) -> dict[str, list[Found]]:
        """External reference -> the documents that carry it, in whatever state."""
        return find_by_reference(self._client, self._kind.entity, {draft.record.external_ref: None for draft in drafts})

    def _one(self, draft: Draft, rows: Sequence[Found]) -> Found | None:
        """The one that is there. Raises RecordRejected for two: that is a matter for a person, who is told both."""
        if len(rows) > 1:
            named = " and ".join(self.remote_id(row) for row, _ in rows)
            raise RecordRejected(f"IFS has two documents for {draft.record.external_ref}: {named}. Cancel one of them.")
        if rows and draft.remote_id is None:
            number = self.remote_id(rows[0][0])
            refuse_owned(draft, number, number, "IFS")
        return rows[0] if rows else None

    def _saved(self, draft: Draft, found: Found | None, ended: Sequence[Row]) -> Iterator[Outcome]:
        """`ended`: what carries its reference and is cancelled: of that none is entered anew."""
        if found is not None:
            yield self._kept(draft, found[0])
        elif ended and not draft.anew:
            yield self._was_cancelled(draft, ended)
        elif draft.was_delivered and not draft.anew:
            away = "the record was changed since" if self._by_load else self.GONE
            yield self._refused(draft, f"{draft.remote_id} was entered, and {away}")
        elif self._by_load:
            yield self._by_load.enter(draft)
        else:
            yield self._said(draft, self._entered(draft.record), "created")

    def _kept(self, draft: Draft, row: Row) -> Saved | Refused:
        """What is there already: ours from an earlier attempt, or another by now."""
        different = self.differences(draft.record, row)
        if different:
            return self._refused(draft, f"{self.remote_id(row)} is entered, and {'; '.join(different)}")
        if draft.was_delivered:
            return self._refused(draft, f"{self.remote_id(row)} is entered, and the record was changed since")
        return self._said(draft, row, "adopted")

    def _refused(self, draft: Draft, why: str) -> Refused:
        cure = "Correct it in IFS by hand, then release this hold; or discard it."
        return Refused(draft, f"The {self._kind.name} {why}. {cure}", UNCHANGED_RULE)

    def _was_cancelled(self, draft: Draft, ended: Sequence[Row]) -> Refused:
        reference = draft.record.external_ref
        numbers = f"{self._kind.name} {' and '.join(self.remote_id(row) for row in ended)}"
        cure = f"enter it in IFS by hand under {reference}"
        return Refused(draft, cancelled_words("IFS", numbers, "cancelled", reference, cure), WAS_CANCELLED)

    def _said(self, draft: Draft, row: Row, action: Any) -> Saved:
        """With what a document that was there already, by another's hand, says otherwise."""
        saved = Saved(draft, self.remote_id(row), action, detail=self.remote_id(row))
        return replace(saved, shown=self.otherwise(draft.record, row)) if action == "adopted" else saved

    def otherwise(self, record: Any, row: Row) -> Shown:
        """What the row of a document shows otherwise than the record has it."""
        return {}

    def remote_id(self, row: Row) -> str:
        """ "0010/88001": the ERP's own key."""
        return key_text(*(row[name] for name in self._kind.entity.keys))

    def key(self, row: Row) -> dict[str, object]:
        return {name: row[name] for name in self._kind.entity.keys}

    def differences(self, record: Any, row: Row) -> list[str]:
        """What the two say otherwise. Lines are not compared: accountants code them anew."""
        return [
            f"its {name.replace('_', ' ')} is {row[name]} there and {ours} here"
            for name, ours in self.compared(record).items()
            if row.get(name) != ours
        ]

    def compared(self, record: Any) -> dict[str, Any]:
        return {"company": record.company}

    def row(self, record: Any) -> Row:
        """The record as a row of the entity set, with its lines."""
        raise TypeError(f"{type(record).__name__} is entered by nobody")


def standing(rows: Sequence[Found]) -> list[Found]:
    """Of the documents of one reference those that count."""
    return [each for each in rows if each[0]["obj_state"] != CANCELLED]


def cancelled(rows: Sequence[Found]) -> list[Row]:
    return [row for row, _ in rows if row["obj_state"] == CANCELLED]


def lines_of(record: Any) -> list[Row]:
    return [msgspec.structs.asdict(line) for line in record.lines]
