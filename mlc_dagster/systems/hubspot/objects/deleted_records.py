"""Records that people deleted in HubSpot: held and told, or made anew and told, as hubspot.on_deleted says.

Only a user restores an archived record, within 90 days; the API merely sees it (facts/saas-doubts.md, 2.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlc_dagster.core.outcomes import Disagreement, Draft
from mlc_dagster.rules.waiving import DELETED as DELETED
from mlc_dagster.systems.hubspot.objects.known_records import KnownRecord


def deletion(draft: Draft, known: KnownRecord) -> Disagreement | None:
    """What is told of a record that HubSpot had whole and has no more; None where it has it, or never had it, or a
    person asked for it again.
    """
    if known.remote_id or not draft.was_delivered or draft.anew:
        return None
    return Disagreement(DELETED, "", draft.remote_id, f"archived as {known.archived_id}" if known.archived_id else None)


def gone(rule: str, told: Iterable[Disagreement]) -> tuple[Disagreement, ...]:
    """What is told of a record that is held for being deleted: of one that is refused for another reason, nothing."""
    return tuple(each for each in told if each.kind == DELETED) if rule == DELETED else ()


def stays_deleted(options: Mapping[str, str]) -> bool:
    return options.get("on_deleted", "hold") == "hold"


def deletion_refused(draft: Draft, known: KnownRecord) -> str:
    where = "It lies in the recycle bin: restore it there" if known.archived_id else "Restore it"
    return (
        f"Record {draft.remote_id} was deleted in HubSpot. {where} (users can, for 90 days), or have it made again: "
        f"mlc recreate, or release this hold; hubspot.on_deleted: recreate in mlc.yaml does so of all"
    )
