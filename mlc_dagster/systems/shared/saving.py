"""Drafts one after the other, for systems without batches: what goes wrong with one is its own outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mlc_dagster.core.errors import MlcError, OutcomeUnknown, RecordRejected, StaleRecord, StillInDoubt
from mlc_dagster.core.outcomes import ACCEPTED, Draft, Outcome, Refused, Unanswered


def one_by_one(save: Callable[[Draft], Iterator[Outcome]], drafts: Iterable[Draft]) -> Iterator[Outcome]:
    """Raises what stops the run: AccessDenied, Misconfigured, TransientError and the like."""
    for draft in drafts:
        try:
            yield from save(draft)
        except (RecordRejected, StaleRecord) as error:
            yield Refused(draft, error.message, rule_of(error), isinstance(error, StillInDoubt))
        except OutcomeUnknown as error:
            yield Unanswered(draft, error.message)


def rule_of(error: MlcError) -> str:
    """The rule under which a record is held for this error: its own, where it has one."""
    return str(getattr(error, "rule", ACCEPTED))
