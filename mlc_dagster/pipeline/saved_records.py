"""What follows from saved records: what they take the place of, and what of them the target keeps otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.logs import logger
from mlc_dagster.core.outcomes import Outcome, Ready, Saved
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.records.differences import Found

log = logger("mlc_dagster.pipeline")

LastWords = Sequence[tuple[Ready, Outcome]]


def taken_place_of(flow: Flow, last_words: LastWords) -> dict[str, dict[str, str]]:
    """{flow: {key: key of what took its place}}, of what was saved."""
    found: dict[str, dict[str, str]] = {}
    if flow.supersedes:
        for one, outcome in last_words:
            if isinstance(outcome, Saved):
                for other, keys in flow.supersedes(one.record).items():
                    found.setdefault(flow.here(other), {}).update(dict.fromkeys(keys, f"{flow.name} {one.key}"))
    return found


def note_differences(flow: Flow, last_words: LastWords, ledger: Ledger) -> int:
    """Open what the target keeps otherwise, close what it does not any more; how many records differ."""
    looked = [(one.key, outcome) for one, outcome in last_words if isinstance(outcome, Saved) and outcome.looked_for]
    if not looked:
        return 0
    found = [Found(key, *each) for key, outcome in looked for each in outcome.differs]
    for each in found:
        log.warning(
            "%s %s: %s is %s in the target, and %s in the ERP (%s)",
            *(flow.name, each.key, each.field, each.theirs, each.ours, each.kind),
        )
    kinds = sorted({kind for _, outcome in looked for kind in outcome.looked_for})
    ledger.differences.agree(flow.name, [key for key, _ in looked], kinds, found)
    ledger.differences.see(flow.name, found)
    return len({each.key for each in found})
