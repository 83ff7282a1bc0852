"""Tells Airbase that the ledger has a request or a payment: after a look, once, and never over another's word."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal
from urllib.parse import quote

from mlc_dagster.core.errors import OutcomeUnknown, RecordRejected, StaleRecord
from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Saved, Unanswered
from mlc_dagster.systems.airbase.api import AirbaseApi, Document, covers, reference_of
from mlc_dagster.systems.airbase.spend.records import Acknowledgement

DONE = "sync_complete"


class AcknowledgementWriter:
    """PATCHes requests and ledger entries; `paths` are those of their lists, by the name that records use."""

    def __init__(self, api: AirbaseApi, paths: Mapping[str, str], forget: Callable[[], None]) -> None:
        self._api, self._paths, self._forget = api, paths, forget

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        """One outcome for each draft. Raises AccessDenied, TransientError for those not yet answered."""
        for draft in drafts:
            try:
                yield self._saved(draft)
            except (RecordRejected, StaleRecord) as error:
                yield Refused(draft, error.message)
            except OutcomeUnknown as error:
                yield Unanswered(draft, error.message)

    def _saved(self, draft: Draft) -> Outcome:
        record: Acknowledgement = draft.record
        path, body = f"{self._paths[record.of]}{quote(record.key, safe='')}/", record.body()
        theirs = self._api.one(path)
        if covers(theirs, body):
            return _said(draft, theirs, "adopted")
        if record.content and (done := reference_of(theirs) or theirs.get("status") == DONE):
            return Refused(draft, f"Airbase has it as entered already ({done}): it is told of no failure.")
        if other := _anothers(record, theirs):
            cure = "One of the two vouchers is too many: cancel it, correct Airbase, and release this hold."
            return Refused(draft, f"Airbase has {other} already, and the ledger has {record.voucher}. {cure}")
        self._forget()
        answer = self._api.patch(path, body)
        now = answer if covers(answer, body) else self._api.one(path)
        if covers(now, body):
            return _said(draft, now, "updated" if draft.was_delivered else "created")
        kept = ", ".join(f"{name} {now.get(name)!r}" for name in body)
        return Refused(draft, f"Airbase took the acknowledgement and did not keep it: {kept}. See airbase.acknowledge.")


def _anothers(record: Acknowledgement, theirs: Document) -> str:
    """The voucher that stands where ours should, empty where none does."""
    for name, text in record.body().items():
        there = str(theirs.get(name) or "")
        if text and record.voucher and record.voucher in text and there not in ("", text):
            return f"{name} {there}"
    return ""


def _said(draft: Draft, row: Document, action: Literal["created", "updated", "adopted"]) -> Saved:
    return Saved(draft, draft.key, action, draft.record.voucher or "", str(row.get("airbase_url") or ""))
