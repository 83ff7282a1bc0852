"""Drafts one after the other, for systems without batches: what goes wrong with one is its own outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mlc_dagster.core.errors import OutcomeUnknown, RecordRejected, StaleRecord, StillInDoubt
from mlc_dagster.core.outcomes import Draft, Outcome, Refused, Unanswered
from mlc_dagster.systems.shared.three_way_merge import AGREE, DisagreementError


def one_by_one(save: Callable[[Draft], Iterator[Outcome]], drafts: Iterable[Draft]) -> Iterator[Outcome]:
    """Raises what stops the run: AccessDenied, Misconfigured, TransientError and the like."""
    for draft in drafts:
        try:
            yield from save(draft)
        except DisagreementError as error:
            yield Refused(draft, error.message, AGREE)
        except (RecordRejected, StaleRecord) as error:
            yield Refused(draft, error.message, in_doubt=isinstance(error, StillInDoubt))
        except OutcomeUnknown as error:
            yield Unanswered(draft, error.message)
