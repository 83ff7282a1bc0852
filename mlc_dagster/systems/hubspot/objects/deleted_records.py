"""Records that people deleted in HubSpot: held and told, or made anew and told, as hubspot.on_deleted says.

Only a user restores an archived record, within 90 days; the API merely sees it (facts/saas-doubts.md, 2.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.core.logs import logger
from mlc_dagster.core.outcomes import Disagreement, Draft
from mlc_dagster.rules.waiving import DELETED as DELETED
from mlc_dagster.systems.hubspot.api import HubspotApi
from mlc_dagster.systems.hubspot.objects.known_records import KnownRecord
from mlc_dagster.systems.hubspot.objects.properties import KEY
from mlc_dagster.systems.shared.cancelled_documents import cancelled_words

log = logger("mlc_dagster.hubspot")


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


def archived_under(api: HubspotApi, kind: str, keys: Sequence[str]) -> dict[str, str]:
    """Our key -> the id of what lies in the recycle bin under it, of at most 100 keys that no live record carries.

    Whether the bin can be read by a property nobody has published: where HubSpot refuses it, that is logged, once for
    each batch, and nothing is known.
    """
    try:
        found = api.read(kind, sorted(keys), KEY, by=KEY, archived=True)
    except RecordRejected as error:
        log.warning("HubSpot does not show which %s lie in its recycle bin under our keys: %s", kind, error.message)
        return {}
    by_key = {str(row.get(KEY) or "").casefold(): remote_id for remote_id, row in found.items()}
    return {key: by_key[key.casefold()] for key in keys if key.casefold() in by_key}


def archived_words(kind: str, remote_id: str, key: str) -> str:
    """Why a record that somebody deleted, and that this ledger never delivered, is not made a second time."""
    shown, state = f"{kind} {remote_id}", "in the recycle bin"
    return cancelled_words("HubSpot", shown, state, key, "restore it there (users can, for 90 days)")


def stays_deleted(options: Mapping[str, str]) -> bool:
    return options.get("on_deleted", "hold") == "hold"


def deletion_refused(draft: Draft, known: KnownRecord) -> str:
    where = "It lies in the recycle bin: restore it there" if known.archived_id else "Restore it"
    return (
        f"Record {draft.remote_id} was deleted in HubSpot. {where} (users can, for 90 days), or have it made again: "
        f"mlc recreate, or release this hold; hubspot.on_deleted: recreate in mlc.yaml does so of all"
    )
