"""What people filled in on a record that we did not make: it stays, and is told where it differs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlc_dagster.core.outcomes import Disagreement
from mlc_dagster.systems.hubspot.objects.known_records import KnownRecord
from mlc_dagster.systems.hubspot.objects.properties import MATCHED_BY

KEPT, MERGED = "kept_in_the_target", "merged_in_the_target"


def changes(
    row: Mapping[str, str], known: KnownRecord, written_by_us: str
) -> tuple[dict[str, str], list[Disagreement]]:
    """What is written into a record that is there, and what is told.

    `written_by_us`: a property of ours that every record has which we made.
    """
    theirs = known.properties
    if theirs.get(written_by_us) and not theirs.get(MATCHED_BY) and not known.was_merged:
        return dict(row), []  # we made it
    others = (name for name in row if not name.startswith("ifs_"))
    kept = {name: str(theirs.get(name)) for name in others if theirs.get(name) not in (None, "")}
    told = [Disagreement(KEPT, name, row[name], each) for name, each in kept.items() if each != row[name]]
    how = str(theirs.get(MATCHED_BY) or ("merge" if known.was_merged else "key"))
    return {**{name: text for name, text in row.items() if name not in kept}, MATCHED_BY: how}, told


def kept_values(told: Iterable[Disagreement]) -> dict[str, str | None]:
    """What people filled in and was left, as it is there: agreed, and no edit."""
    return {each.field: each.theirs for each in told if each.kind == KEPT}
