"""What became of a draft that was sent in a batch."""

from __future__ import annotations

from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Saved, Unanswered
from mlc_dagster.systems.hubspot.objects.batch_answers import BatchResult
from mlc_dagster.systems.hubspot.portal import Portal


def outcome(draft: Draft, sent: BatchResult, trace: str, detail: str, portal: Portal, type_id: str) -> Outcome:
    """What became of a draft. One that HubSpot's answer does not name is looked up: its key finds it."""
    if trace in sent.refused:
        return Refused(draft, sent.refused[trace])
    if trace not in sent.results:
        return Unanswered(draft, "HubSpot's answer did not name it")
    row = sent.results[trace]
    remote_id = str(row["id"])
    return saved(draft, remote_id, detail, portal.link(type_id, remote_id), new=bool(row.get("new")))


def saved(draft: Draft, remote_id: str, detail: str, link: str, *, new: bool) -> Saved:
    """Adopted: it was there under our key, and the ledger did not know."""
    if new:
        return Saved(draft, remote_id, "created", detail, link)
    return Saved(draft, remote_id, "updated" if draft.remote_id else "adopted", detail, link)
