"""Records that people deleted in HubSpot: made anew and told, or held, as hubspot.on_deleted says.

Only a user restores an archived record, within 90 days; the API merely sees it (facts/saas-doubts.md, 2.2).
"""

from __future__ import annotations

from mlc_dagster.core.outcomes import Disagreement, Draft
from mlc_dagster.systems.hubspot.objects.known_records import KnownRecord

DELETED = "deleted_in_the_target"


def deletion(draft: Draft, known: KnownRecord) -> Disagreement | None:
    """What is told of a record that HubSpot had whole and has no more; None where it has it, or never had it."""
    if known.remote_id or not draft.was_delivered:
        return None
    return Disagreement(DELETED, "", draft.remote_id, f"archived as {known.archived_id}" if known.archived_id else None)


def deletion_refused(draft: Draft, known: KnownRecord) -> str:
    where = "It lies in the recycle bin: restore it there" if known.archived_id else "Restore it"
    return (
        f"Record {draft.remote_id} was deleted in HubSpot. {where} (users can, for 90 days), or set "
        "hubspot.on_deleted: recreate in mlc.yaml and replay"
    )
