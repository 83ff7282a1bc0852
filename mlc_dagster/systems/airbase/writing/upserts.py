"""Saves drafts of one kind: what is there is adopted, the rest goes in bulk upserts, whose errors are taken apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mlc_dagster.core.errors import OutcomeUnknown, RecordRejected, StaleRecord
from mlc_dagster.core.outcomes import ACCEPTED, Agreed, Draft, Outcome, Refused, Saved, Unanswered
from mlc_dagster.systems.airbase.api import AirbaseApi, Document, covers, id_of, reference_of
from mlc_dagster.systems.airbase.vendors.supplier_fields import Vendors
from mlc_dagster.systems.airbase.writing.lookup import Shelf
from mlc_dagster.systems.shared.supplier_match import Meeting
from mlc_dagster.systems.shared.three_way_merge import AGREE, DisagreementError
from mlc_dagster.transport.error_messages import sentence

Body = Callable[[Any, Document | None], dict[str, Any]]
Judge = Callable[[Any, Document], str]


@dataclass(frozen=True)
class Kind:
    """What vendors and orders differ in."""

    name: str  # "vendor", for reasons
    body: Body  # (record, theirs or None) -> what is sent
    bulk: str  # path; empty: one by one
    by_name: bool = False  # one without a key of the ERP, of the same name, is the same
    fault: Judge = lambda record, document: ""  # what is wrong with what Airbase kept; empty: nothing
    two_way: Vendors | None = None  # people change them on both sides


@dataclass(frozen=True)
class _Letter:
    """A draft with what is sent for it."""

    draft: Draft
    body: dict[str, Any]
    theirs: Document | None
    met: Meeting | None = None  # of those that people change on both sides


class Upserts:
    """Airbase matches what it is sent by `airbase_id`, else by `erp_reference_id`: sent twice, it is still one."""

    def __init__(self, api: AirbaseApi, kind: Kind, shelf: Shelf, batch: int) -> None:
        self._api, self._kind, self._shelf, self._batch = api, kind, shelf, batch

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        """One outcome for each draft. Raises AccessDenied, Misconfigured, TransientError for those not yet answered."""
        letters: list[_Letter] = []
        taken: dict[str, str] = {}  # Airbase's id -> the key that it is for
        self._shelf.look({draft.key for draft in drafts}, _latest(drafts))
        for draft in drafts:
            try:
                letter = self._letter(draft, taken)
            except RecordRejected as error:
                rule = AGREE if isinstance(error, DisagreementError) else ACCEPTED
                yield Refused(draft, error.message, rule)
                continue
            if letter.theirs is not None and covers(letter.theirs, letter.body):
                yield self._kept(letter, letter.theirs, "adopted")
            else:
                letters.append(letter)
        for start in range(0, len(letters), self._batch):
            yield from self._send(letters[start : start + self._batch])

    def _letter(self, draft: Draft, taken: dict[str, str]) -> _Letter:
        theirs = self._known(draft)
        if theirs is not None and taken.setdefault(id_of(theirs), draft.key) != draft.key:
            raise RecordRejected(
                f"Airbase's {self._kind.name} {id_of(theirs)} is one, and both {taken[id_of(theirs)]} and {draft.key} "
                "match it by name. Enter the right key in Airbase."
            )
        if theirs is not None and reference_of(theirs) not in ("", draft.key):
            raise RecordRejected(
                f"Airbase's {self._kind.name} {id_of(theirs)} carries the key {reference_of(theirs)}, not {draft.key}. "
                "Two cannot be one: correct the key in Airbase."
            )
        record, met = self._kind.two_way.meet(draft, theirs) if self._kind.two_way else (draft.record, None)
        return _Letter(draft, self._kind.body(record, theirs), theirs, met)

    def _known(self, draft: Draft) -> Document | None:
        """By the ERP's key, by Airbase's id, then by name among those without a key. Raises RecordRejected for two."""
        found = self._shelf.with_key(draft.key)
        if not found and (theirs := self._shelf.with_id(draft.remote_id)):
            return theirs
        if not found and self._kind.by_name and draft.remote_id is None:
            wanted = _folded(draft.record.name)
            found = [row for row in self._shelf.unclaimed() if _folded(row.get("name")) == wanted]
        if len(found) > 1:
            named = " and ".join(id_of(row) for row in found)
            raise RecordRejected(f"Airbase has two {self._kind.name}s for {draft.key}: {named}. Remove or rename one.")
        return found[0] if found else None

    # --- sending ------------------------------------------------------------------------------------------------------

    def _send(self, letters: Sequence[_Letter]) -> Iterator[Outcome]:
        try:
            yield from self._in_bulk(letters) if self._kind.bulk else self._one_by_one(letters)
        finally:
            if any(self._shelf.with_key(letter.draft.key) == [] for letter in letters):
                self._shelf.doubt()  # something was refused or not answered: what we know may be what is wrong

    def _one_by_one(self, letters: Iterable[_Letter]) -> Iterator[Outcome]:
        for letter in letters:
            try:
                yield self._answered(letter, self._write_one(letter), updated=letter.theirs is not None)
            except (RecordRejected, StaleRecord) as error:
                yield Refused(letter.draft, error.message)
            except OutcomeUnknown as error:
                self._shelf.doubt()
                yield Unanswered(letter.draft, error.message)

    def _write_one(self, letter: _Letter) -> Document:
        """Airbase takes no change of a key, so a key that is there is not sent."""
        if letter.theirs is None:
            made: Document = self._api.post(self._shelf.path, letter.body)
            return made
        kept = "erp_reference_id" if reference_of(letter.theirs) else ""
        body = {name: each for name, each in letter.body.items() if name != kept}
        changed: Document = self._api.patch(f"{self._shelf.path}{id_of(letter.theirs)}/", body)
        return changed

    def _in_bulk(self, letters: Sequence[_Letter]) -> Iterator[Outcome]:
        """The whole batch in one call; those that Airbase names are refused, and the others are sent without them."""
        if not letters:
            return
        try:
            answer = self._api.post(self._kind.bulk, {"entities": [_entity(letter) for letter in letters]})
        except OutcomeUnknown as error:
            self._shelf.doubt()
            yield from (Unanswered(letter.draft, error.message) for letter in letters)
        except (RecordRejected, StaleRecord) as error:
            yield from self._apart(letters, error)
        else:
            yield from self._sorted(letters, answer or {})

    def _apart(self, letters: Sequence[_Letter], error: RecordRejected | StaleRecord) -> Iterator[Outcome]:
        """A refused batch: by the places that the answer names; where it names none, half and half."""
        named = _faults(getattr(error, "body", None), len(letters))
        if named:
            yield from (Refused(letters[place].draft, f"Airbase: {why}") for place, why in named.items())
            yield from self._in_bulk([letter for place, letter in enumerate(letters) if place not in named])
        elif len(letters) == 1:
            yield Refused(letters[0].draft, error.message)
        else:
            middle = len(letters) // 2
            yield from self._in_bulk(letters[:middle])
            yield from self._in_bulk(letters[middle:])

    def _sorted(self, letters: Sequence[_Letter], answer: Document) -> Iterator[Outcome]:
        """What was made, what was changed, and what was refused beside them; silence is no answer."""
        named = _faults(answer, len(letters))
        rows = {
            mark: (row, what == "updated")
            for what in ("created", "updated")
            for row in answer.get(what) or []
            for mark in (id_of(row), f"key {reference_of(row)}")
        }
        for place, letter in enumerate(letters):
            theirs = id_of(letter.theirs) if letter.theirs else ""
            found = rows.get(f"key {letter.draft.key}") or rows.get(theirs or "-")
            if found:
                yield self._answered(letter, *found)
            elif place in named:
                yield Refused(letter.draft, f"Airbase: {named[place]}")
            else:
                self._shelf.doubt()
                yield Unanswered(letter.draft, f"Airbase's answer to the bulk does not name {letter.draft.key}")

    def _answered(self, letter: _Letter, row: Document, updated: bool) -> Outcome:
        document = {**(letter.theirs or {}), **row}
        self._shelf.keep(document)
        if fault := self._kind.fault(letter.draft.record, document):
            return Refused(letter.draft, fault)
        return self._kept(letter, document, "updated" if updated else "created")

    def _kept(self, letter: _Letter, row: Document, action: Literal["created", "updated", "adopted"]) -> Saved:
        detail = str(row.get("po_number") or row.get("name") or "")
        link, agreed = str(row.get("airbase_url") or ""), self._agreed(letter, row, wrote=action == "updated")
        return Saved(letter.draft, id_of(row), action, detail, link, agreed)

    def _agreed(self, letter: _Letter, row: Document, *, wrote: bool) -> tuple[str, Agreed] | None:
        if self._kind.two_way is None or letter.met is None:
            return None
        return self._kind.two_way.concluded(letter.met, row, wrote=wrote)


def _entity(letter: _Letter) -> dict[str, Any]:
    return letter.body if letter.theirs is None else {"airbase_id": id_of(letter.theirs), **letter.body}


def _faults(body: Any, count: int) -> dict[int, str]:
    """Place in the batch -> why it was refused; empty where the answer names no place."""
    errors = body.get("validation_errors") if isinstance(body, Mapping) else None
    found: dict[int, str] = {}
    for error in errors if isinstance(errors, list) else ():
        place = error.get("index") if isinstance(error, Mapping) else None
        if isinstance(place, int) and 0 <= place < count:
            found[place] = sentence({name: each for name, each in error.items() if name != "index"}) or "refused"
    return found


def _latest(drafts: Iterable[Draft]) -> Any:
    return max((draft.look_since for draft in drafts if draft.look_since), default=None)


def _folded(text: Any) -> str:
    return " ".join(str(text or "").split()).casefold()
