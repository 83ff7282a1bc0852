"""What is delivered is remembered by its worth and its document: told when its source does not have it any more."""

from __future__ import annotations

from collections.abc import Sequence

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Outcome, Ready, Saved
from mlc_dagster.core.stakes import stake_of
from mlc_dagster.ledger import Ledger


def remember(flow: Flow, last_words: Sequence[tuple[Ready, Outcome]], ledger: Ledger) -> None:
    """Of what the target took. A run that dies after this, and before the delivery is written down, does no harm."""
    saved = [one for one, outcome in last_words if isinstance(outcome, Saved)]
    document = flow.document or flow.twin or (lambda record: None)
    ledger.stakes.note(flow.name, {one.key: stake_of(one.record, document(one.record)) for one in saved})
