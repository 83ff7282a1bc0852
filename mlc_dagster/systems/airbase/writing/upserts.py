"""Saves drafts of one kind: what is there is adopted, the rest goes in bulk upserts, whose errors are taken apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from mlc_dagster.core.errors import OutcomeUnknown, RecordRejected, StaleRecord
from mlc_dagster.core.outcomes import Agreed, Disagreement, Draft, Outcome, Refused, Saved, Shown, Unanswered
from mlc_dagster.systems.airbase.api import AirbaseApi, Document, covers, id_of, reference_of
from mlc_dagster.systems.airbase.vendors.supplier_fields import VendorMatching
from mlc_dagster.systems.airbase.writing.kept_fields import lost_fields, words
from mlc_dagster.systems.airbase.writing.namesakes import Alike, Namesakes, namesakes_of
from mlc_dagster.systems.airbase.writing.read_back import ended
from mlc_dagster.systems.airbase.writing.record_index import RecordIndex
from mlc_dagster.systems.shared.cancelled_documents import WasCancelledError, WasDeletedError, cancelled_words
from mlc_dagster.systems.shared.outward_bank import OutwardBank
from mlc_dagster.systems.shared.saving import rule_of
from mlc_dagster.systems.shared.supplier_match import SupplierMatch
from mlc_dagster.transport.error_messages import sentence

Body = Callable[[Any, Document | None], dict[str, Any]]
Judge = Callable[[Any, Document], str]


@dataclass(frozen=True)
class UpsertKind:
    """What vendors, orders and bills differ in."""

    name: str  # "vendor", for reasons
    body: Body  # (record, theirs or None) -> what is sent
    bulk: str  # path; empty: one by one
    alike: Alike | None = None  # what was made by hand and is the same; None: nothing is, without its key
    fault: Judge = lambda record, document: ""  # what is wrong with what Airbase kept; empty: nothing
    cure: str = "Enter it there by hand."  # where Airbase takes it and does not keep all of it
    two_way: VendorMatching | None = None  # people change them on both sides
    otherwise: Callable[[Any, Document], Shown] = lambda record, document: {}  # what is shown and was not sent so
    bank: OutwardBank | None = None  # of vendors: where the ERP's bank details go


@dataclass(frozen=True)
class _Upsert:
    """A draft with what is sent for it."""

    draft: Draft
    body: dict[str, Any]
    theirs: Document | None
    match: SupplierMatch | None = None  # of those that people change on both sides


@dataclass(frozen=True)
class _NotAsSent:
    """Airbase's answer does not say all that was sent: it may be short, or have dropped something."""

    upsert: _Upsert
    document: Document
    updated: bool


Written = Outcome | _NotAsSent

INACTIVE = "inactive_in_the_target"
"""The kind of difference: a supplier that may be bought from is a vendor that is not active."""


class UpsertWriter:
    """Airbase matches what it is sent by `airbase_id`, else by `erp_reference_id`: sent twice, it is still one."""

    def __init__(self, api: AirbaseApi, kind: UpsertKind, index: RecordIndex, batch: int) -> None:
        self._api, self._kind, self._index, self._batch = api, kind, index, batch

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        """One outcome for each draft. Raises AccessDenied, Misconfigured, TransientError for those not yet answered."""
        found = self._saved(drafts)
        return self._kind.bank.concealed(found) if self._kind.bank else found

    def _saved(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        upserts: list[_Upsert] = []
        self._index.refresh({draft.key for draft in drafts}, _latest(drafts))
        namesakes = namesakes_of(drafts, self._index, self._kind.alike)
        for draft in drafts:
            try:
                upsert = self._upsert(draft, namesakes)
            except RecordRejected as error:
                yield Refused(draft, error.message, rule_of(error))
                continue
            if upsert.theirs is not None and self._is_left_alone(upsert.theirs):
                yield self._left(draft, upsert.theirs)
            elif upsert.theirs is not None and covers(upsert.theirs, upsert.body):
                yield self._kept(upsert, upsert.theirs, "adopted")
            else:
                upserts.append(upsert)
        for start in range(0, len(upserts), self._batch):
            yield from self._send(upserts[start : start + self._batch])

    def _is_left_alone(self, theirs: Document) -> bool:
        """A linked vendor that is not active in Airbase is out of scope, both ways: neither changed nor activated."""
        return self._kind.two_way is not None and theirs.get("is_active") is False and bool(reference_of(theirs))

    def _left(self, draft: Draft, theirs: Document) -> Saved:
        """Where the ERP's supplier is not blocked, that is told: who deactivated it cannot be known."""
        told = (Disagreement(INACTIVE, "is_active", "true", "false"),) if draft.record.is_active else ()
        detail = f"{theirs.get('name')}, not active in Airbase"
        found = Saved(draft, id_of(theirs), "adopted", detail, disagreements=told, looked_for=(INACTIVE,))
        return replace(found, shown=self._kind.otherwise(draft.record, theirs))

    def _upsert(self, draft: Draft, namesakes: Namesakes) -> _Upsert:
        theirs = self._found(draft, namesakes)
        self._refuse_ended(draft, theirs)
        if theirs is not None and reference_of(theirs) not in ("", draft.key):
            raise RecordRejected(
                f"Airbase's {self._kind.name} {id_of(theirs)} carries the key {reference_of(theirs)}, not {draft.key}. "
                "Two cannot be one: correct the key in Airbase."
            )
        record, match = self._kind.two_way.match(draft, theirs) if self._kind.two_way else (draft.record, None)
        body = self._kind.body(record, theirs)
        if draft.anew and theirs is not None and ended(theirs):
            body = {**body, "status": "open"}
        if self._kind.two_way:
            body = self._kind.two_way.with_details(body, match, theirs)
        if self._kind.bank:
            body = self._kind.bank.added(draft, theirs, id_of(theirs) if theirs else "", body)
        return _Upsert(draft, body, theirs, match)

    def _refuse_ended(self, draft: Draft, theirs: Document | None) -> None:
        """Raises WasDeletedError, WasCancelledError: nothing that people ended in Airbase comes back by itself."""
        named = f"{self._kind.name} {draft.remote_id or ''}".strip()
        if draft.anew:
            return
        if theirs is None and draft.was_delivered:
            raise WasDeletedError(
                f"Airbase does not have {named} any more, which was delivered for {draft.key}. Restore it there, then "
                "release this hold; or discard it."
            )
        if theirs is not None and (state := ended(theirs)) and state != (getattr(draft.record, "status", None) or ""):
            link = str(theirs.get("airbase_url") or "")
            shown = f"{self._kind.name} {id_of(theirs)}{f' ({link})' if link else ''}"
            raise WasCancelledError(cancelled_words("Airbase", shown, state, draft.key, "set it back to open there"))

    def _found(self, draft: Draft, namesakes: Namesakes) -> Document | None:
        """By the ERP's key, by Airbase's id, then by what it is like. Raises RecordRejected for two."""
        found: Sequence[Document] = self._index.with_key(draft.key)
        if not found and (theirs := self._index.with_id(draft.remote_id)):
            return theirs
        if not found and draft.was_delivered:  # the list may be older than the delivery
            self._index.invalidate()
            self._index.refresh({draft.key}, None)
            found = self._index.with_key(draft.key)
        if not found and draft.remote_id is None:
            found = namesakes.of(draft, self._kind.name)
        if len(found) > 1:
            named = " and ".join(id_of(row) for row in found)
            raise RecordRejected(f"Airbase has two {self._kind.name}s for {draft.key}: {named}. Remove or rename one.")
        return found[0] if found else None

    # --- sending ------------------------------------------------------------------------------------------------------

    def _send(self, upserts: Sequence[_Upsert]) -> Iterator[Outcome]:
        doubtful: list[_NotAsSent] = []
        try:
            for each in self._in_bulk(upserts) if self._kind.bulk else self._one_by_one(upserts):
                if isinstance(each, _NotAsSent):
                    doubtful.append(each)
                else:
                    yield each
        finally:
            if any(self._index.with_key(upsert.draft.key) == [] for upsert in upserts):
                self._index.invalidate()  # something was refused or not answered: what we know may be what is wrong
        yield from self._read_back(doubtful)

    def _read_back(self, doubtful: Sequence[_NotAsSent]) -> Iterator[Outcome]:
        """What is there counts: a field that is not kept is not delivered."""
        if doubtful:
            self._index.invalidate()
            self._index.refresh({each.upsert.draft.key for each in doubtful}, None)
        for each in doubtful:
            document = next(iter(self._index.with_key(each.upsert.draft.key)), each.document)
            if lost := lost_fields(each.upsert.body, document):
                found = words(each.upsert.body, document, lost)
                yield Refused(
                    each.upsert.draft,
                    f"Airbase took the {self._kind.name} and did not keep it: {found}. {self._kind.cure}",
                )
            else:
                yield self._kept(each.upsert, document, "updated" if each.updated else "created")

    def _one_by_one(self, upserts: Iterable[_Upsert]) -> Iterator[Written]:
        for upsert in upserts:
            try:
                yield self._answered(upsert, self._write_one(upsert), updated=upsert.theirs is not None)
            except (RecordRejected, StaleRecord) as error:
                yield Refused(upsert.draft, error.message)
            except OutcomeUnknown as error:
                self._index.invalidate()
                yield Unanswered(upsert.draft, error.message)

    def _write_one(self, upsert: _Upsert) -> Document:
        """Airbase takes no change of a key, so a key that is there is not sent."""
        if upsert.theirs is None:
            made: Document = self._api.post(self._index.path, upsert.body)
            return made
        kept = "erp_reference_id" if reference_of(upsert.theirs) else ""
        body = {name: each for name, each in upsert.body.items() if name != kept}
        changed: Document = self._api.patch(f"{self._index.path}{id_of(upsert.theirs)}/", body)
        return changed

    def _in_bulk(self, upserts: Sequence[_Upsert]) -> Iterator[Written]:
        """The whole batch in one call; those that Airbase names are refused, and the others are sent without them."""
        if not upserts:
            return
        try:
            answer = self._api.post(self._kind.bulk, {"entities": [_entity(upsert) for upsert in upserts]})
        except OutcomeUnknown as error:
            self._index.invalidate()
            yield from (Unanswered(upsert.draft, error.message) for upsert in upserts)
        except (RecordRejected, StaleRecord) as error:
            yield from self._without_refused(upserts, error)
        else:
            yield from self._by_answer(upserts, answer or {})

    def _without_refused(self, upserts: Sequence[_Upsert], error: RecordRejected | StaleRecord) -> Iterator[Written]:
        """A refused batch: by the places that the answer names; where it names none, half and half."""
        named = _faults(getattr(error, "body", None), len(upserts))
        if named:
            yield from (Refused(upserts[place].draft, f"Airbase: {why}") for place, why in named.items())
            yield from self._in_bulk([upsert for place, upsert in enumerate(upserts) if place not in named])
        elif len(upserts) == 1:
            yield Refused(upserts[0].draft, error.message)
        else:
            middle = len(upserts) // 2
            yield from self._in_bulk(upserts[:middle])
            yield from self._in_bulk(upserts[middle:])

    def _by_answer(self, upserts: Sequence[_Upsert], answer: Document) -> Iterator[Written]:
        """What was made, what was changed, and what was refused beside them; silence is no answer."""
        named = _faults(answer, len(upserts))
        rows = {
            mark: (row, what == "updated")
            for what in ("created", "updated")
            for row in answer.get(what) or []
            for mark in (id_of(row), f"key {reference_of(row)}")
        }
        for place, upsert in enumerate(upserts):
            theirs = id_of(upsert.theirs) if upsert.theirs else ""
            found = rows.get(f"key {upsert.draft.key}") or rows.get(theirs or "-")
            if found:
                yield self._answered(upsert, *found)
            elif place in named:
                yield Refused(upsert.draft, f"Airbase: {named[place]}")
            else:
                self._index.invalidate()
                yield Unanswered(upsert.draft, f"Airbase's answer to the bulk does not name {upsert.draft.key}")

    def _answered(self, upsert: _Upsert, row: Document, updated: bool) -> Written:
        document = {**(upsert.theirs or {}), **row}
        self._index.keep(document)
        if fault := self._kind.fault(upsert.draft.record, document):
            return Refused(upsert.draft, fault)
        if lost_fields(upsert.body, row):
            return _NotAsSent(upsert, document, updated)
        return self._kept(upsert, document, "updated" if updated else "created")

    def _kept(self, upsert: _Upsert, row: Document, action: Literal["created", "updated", "adopted"]) -> Saved:
        detail = str(row.get("po_number") or row.get("name") or "")
        link, agreed = str(row.get("airbase_url") or ""), self._agreed(upsert, row, wrote=action == "updated")
        looked_for = (INACTIVE,) if self._kind.two_way else ()
        shown = self._kind.otherwise(upsert.draft.record, row)
        shown = upsert.match.without_taken(shown, {}) if upsert.match else shown
        found = Saved(upsert.draft, id_of(row), action, detail, link, agreed, looked_for=looked_for, shown=shown)
        if self._kind.bank is None or action == "adopted":
            return found
        return replace(found, bank=self._kind.bank.step(upsert.draft, upsert.theirs, upsert.body, id_of(row)))

    def _agreed(self, upsert: _Upsert, row: Document, *, wrote: bool) -> tuple[str, Agreed] | None:
        if self._kind.two_way is None or upsert.match is None:
            return None
        key, agreed = self._kind.two_way.agreed_values(upsert.draft, upsert.match, row, wrote=wrote)
        return key, {**agreed, **(self._kind.bank.agreed(upsert.draft, row) if self._kind.bank else {})}


def _entity(upsert: _Upsert) -> dict[str, Any]:
    return upsert.body if upsert.theirs is None else {"airbase_id": id_of(upsert.theirs), **upsert.body}


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
