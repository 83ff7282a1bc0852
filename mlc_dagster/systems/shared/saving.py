"""Drafts one after the other, for systems without batches: what goes wrong with one is its own outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mlc_dagster.core.difference_kinds import CHANGED_AFTER_POSTING
from mlc_dagster.core.errors import MlcError, OutcomeUnknown, PastChange, RecordRejected, StaleRecord, StillInDoubt
from mlc_dagster.core.outcomes import ACCEPTED, Disagreement, Draft, Outcome, Refused, Unanswered
from mlc_dagster.rules.waiving import DELETED, TAKEN_AS_KNOWN
from mlc_dagster.systems.shared.three_way_merge import AGREE, DisagreementError


class GoneError(RecordRejected):
    """What was delivered is not in the target any more: it is not made again by itself."""

    def __init__(self, title: str, what: str, detail: str = "") -> None:
        super().__init__(
            f"{what} was deleted in {title}. Restore it there, have it made again with mlc recreate or by releasing "
            "this hold, or discard this hold"
        )
        self.what, self.detail = what, detail


def one_by_one(save: Callable[[Draft], Iterator[Outcome]], drafts: Iterable[Draft]) -> Iterator[Outcome]:
    """Raises what stops the run: AccessDenied, Misconfigured, TransientError and the like."""
    for draft in drafts:
        try:
            yield from save(draft)
        except DisagreementError as error:
            yield Refused(draft, error.message, AGREE)
        except GoneError as error:
            told = Disagreement(DELETED, "", error.what, error.detail or None)
            yield Refused(draft, error.message, DELETED, disagreements=(told,))
        except PastChange as error:
            yield _past_change(draft, error)
        except (RecordRejected, StaleRecord) as error:
            yield Refused(draft, error.message, rule_of(error), isinstance(error, StillInDoubt))
        except OutcomeUnknown as error:
            yield Unanswered(draft, error.message)


def rule_of(error: MlcError) -> str:
    """The rule under which a record is held for this error: its own, where it has one."""
    return str(getattr(error, "rule", ACCEPTED))


def _past_change(draft: Draft, error: PastChange) -> Refused:
    """Held, and told as a difference until both sides agree; released, what the source says counts as known."""
    told = (CHANGED_AFTER_POSTING, "", error.ours, error.theirs, error.amount, error.currency)
    return Refused(draft, error.message, TAKEN_AS_KNOWN, disagreements=(Disagreement(*told),))
