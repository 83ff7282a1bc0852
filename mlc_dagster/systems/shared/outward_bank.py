"""Bank details of suppliers on their one way, outwards from the ERP: opened for the request, written over nothing.

What is sent is known by a keyed hash of all bank details that the other side shows. Where these are neither what was
agreed on nor none, somebody else entered them: nothing is written, and the record waits for two people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlc_dagster.core.bank_details import BankStep, in_words, mark_of, shown
from mlc_dagster.core.errors import MlcError, RecordRejected
from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Unanswered
from mlc_dagster.rules.waiving import BANK_DETAILS_DIFFER

AGREED, BESIDE = "bank_details", "bank_details_beside"
"""Under which the ledger keeps, as marks, what both sides agree on: all of them, and all but what we send."""


class BankDetailsDifferError(RecordRejected):
    """Somebody else entered them on the other side."""

    rule = BANK_DETAILS_DIFFER


class OutwardBank:
    """Of one SaaS. `path`: where they go in its record; empty: nowhere."""

    def __init__(
        self, path: Sequence[str], title: str, salt: Callable[[], bytes], opened: Callable[[str], str | None]
    ) -> None:
        """`opened`: what a mark of the ERP's stands for; None where it was not kept."""
        self._path, self._title, self._salt, self._opened_by = tuple(path), title, salt, opened
        self._in_hand: set[str] = set()

    def added(
        self, draft: Draft, theirs: Mapping[str, Any] | None, their_id: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        """The body with them, where the other side is to have them. Raises BankDetailsDifferError, RecordRejected."""
        mark: str | None = draft.record.bank_mark
        if not self._path or not mark:
            return body
        ours, there = self._opened(draft, mark), _at(theirs or {}, self._path)
        whole, beside = self.mark(theirs, draft.key) or "", self._beside(theirs, draft.key)
        known = draft.agreed(draft.key) or {}
        is_ours = _plain(there) == _plain(ours)
        as_agreed = whole == known.get(AGREED, "") or (is_ours and beside == known.get(BESIDE, beside))
        if whole and not as_agreed:
            raise self._differ(draft, their_id, whole)
        return body if is_ours else _placed(body, theirs or {}, self._path, ours)

    def _beside(self, document: Mapping[str, Any] | None, key: str) -> str:
        """The mark of all others that it shows."""
        return self.mark(_without(document or {}, self._path), key) or ""

    def _opened(self, draft: Draft, mark: str) -> str:
        value = self._opened_by(mark)
        if value is None:
            raise RecordRejected(
                f"The {in_words(mark)} of supplier {draft.key} are not in the vault, so they cannot be sent. Read the "
                "supplier again: materialize its day of ifs/supplier_set."
            )
        self._in_hand.add(value)
        return value

    def _differ(self, draft: Draft, their_id: str, now: str) -> BankDetailsDifferError:
        return BankDetailsDifferError(
            f"{self._title} has {in_words(now)} for supplier {draft.key} ({their_id}), and neither the ERP nor we "
            f"entered them: the ERP has {in_words(draft.record.bank_mark)}. Nothing is written over them. Call the "
            "supplier by a number that you know, and correct the side that is wrong by hand: two people release this "
            "hold, one after the other, and it is compared anew."
        )

    def mark(self, document: Mapping[str, Any] | None, key: str) -> str | None:
        """Of all bank details that a document shows; None where it shows none."""
        return mark_of(document, self._salt(), key) if document else None

    def agreed(self, draft: Draft, row: Mapping[str, Any]) -> dict[str, str]:
        """What both sides agree on from now on, as a mark."""
        is_sent = bool(self._path and draft.record.bank_mark)
        found = self.mark(row, draft.key) if is_sent else None
        return {AGREED: found, BESIDE: self._beside(row, draft.key)} if found else {}

    def step(
        self, draft: Draft, before: Mapping[str, Any] | None, body: Mapping[str, Any], their_id: str
    ) -> BankStep | None:
        """What our write made of them, for the flow that reads them: of our own change alone."""
        if not self._path or not draft.record.bank_mark or _at(body, self._path) is None:
            return None
        after = {**(before or {}), self._path[0]: body[self._path[0]]}
        return BankStep(their_id, self.mark(before, their_id) or "", self.mark(after, their_id) or "")

    def concealed(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """The same outcomes; what a SaaS said of the details that it was sent is shown by the last signs alone."""
        self._in_hand.clear()
        try:
            for outcome in outcomes:
                if isinstance(outcome, Refused | Unanswered):
                    yield replace(outcome, reason=self._hidden(outcome.reason))
                else:
                    yield outcome
        except MlcError as error:
            error.message = self._hidden(error.message)
            error.args = (error.message, *error.args[1:])
            raise
        finally:
            self._in_hand.clear()

    def _hidden(self, text: str) -> str:
        for value in self._in_hand:
            for written in (value, _plain(value)):
                text = text.replace(written, shown(value) or "…")
        return text


def _plain(value: Any) -> str:
    """Without the blanks that people group digits by, in one case."""
    return "".join(str(value or "").split()).upper()


def _at(document: Any, path: Sequence[str]) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _without(document: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any]:
    """The document but for what stands at a path."""
    first, rest = path[0], path[1:]
    below = document.get(first)
    kept = {name: value for name, value in document.items() if name != first}
    return {**kept, first: _without(below, rest)} if rest and isinstance(below, Mapping) else kept


def _placed(body: Mapping[str, Any], theirs: Mapping[str, Any], path: Sequence[str], value: str) -> dict[str, Any]:
    """The body with a value at a path; what stands beside it there is sent as it is."""
    if not path:
        raise ValueError("a path has at least one name")
    first, rest = path[0], path[1:]
    below = theirs.get(first)
    inner = below if isinstance(below, Mapping) else {}
    return {**body, first: _placed(inner, inner, rest, value) if rest else value}
