"""What a write's own look back found to differ in the target goes to the ledger, before the delivery itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from mlc_dagster.core.difference_kinds import ONE_FOR_A_FLOW
from mlc_dagster.core.logs import logger
from mlc_dagster.core.outcomes import Outcome, Ready, Refused, Saved
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.differences import Found

log = logger("mlc_dagster.pipeline")


def remember(flow: str, last_words: Sequence[tuple[Ready, Outcome]], ledger: Ledger, run: Run) -> int:
    """Open what was found, and close what the same look did not find any more. A run that dies after this tells it
    again, once. How many records differ.
    """
    told = any(
        each.kind in ONE_FOR_A_FLOW for _, one in last_words if isinstance(one, Saved) for each in one.disagreements
    )
    known = {kind for of, kind in ledger.differences.count() if of == flow and kind in ONE_FOR_A_FLOW} if told else ()
    saved = [(ready.key, outcome) for ready, outcome in last_words if isinstance(outcome, Saved)]
    found = [
        Found(ready.key, *each)
        for ready, outcome in last_words
        if isinstance(outcome, Saved | Refused)
        for each in outcome.disagreements
        if each.kind not in known
    ]
    if new := ledger.differences.see(flow, found, run):
        log.warning("%s: %d differences found in the target; they stay open until both sides agree", flow, new)
    looks = defaultdict[tuple[str, ...], list[str]](list)
    for key, outcome in saved:
        if outcome.looked_for:
            looks[outcome.looked_for].append(key)
    for kinds, keys in looks.items():
        ledger.differences.agree(flow, keys, kinds, found, run)
    delivered = {key for key, _ in saved}
    return len({each.key for each in found} & delivered)
