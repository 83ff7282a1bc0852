"""What a person cancelled or deleted in the target is a decision, which no load takes back."""

from __future__ import annotations

from mlc_dagster.core.difference_kinds import DELETED_IN_THE_TARGET
from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.rules.waiving import WAS_CANCELLED


class WasCancelledError(RecordRejected):
    """A document under our own reference is cancelled in the target. Nothing was written."""

    rule = WAS_CANCELLED


class WasDeletedError(RecordRejected):
    """What was delivered is not there any more. Nothing was written."""

    rule = DELETED_IN_THE_TARGET


def cancelled_words(system: str, document: str, state: str, reference: str, cure: str) -> str:
    """Why it is not entered a second time, and what a person can do.

    `document`: its number and link, "voucher 0010/M/2026/88"; `cure`: how it is made to stand after all.
    """
    return (
        f"{system} has {document} for {reference}, and it is {state} there. That is taken for a decision: it is not "
        f"entered a second time. If it is to stand after all, {cure}, then release this hold; else discard it."
    )
