"""What two people asked for on the review page is carried out by a run: as `mlc restore` and its like do it, told as
theirs. Of another content than they decided on it is void.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mlc_dagster.core.errors import Misconfigured, MlcError, RecordRejected
from mlc_dagster.core.logs import logger
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.database import LedgerUnavailable
from mlc_dagster.ledger.records.action_requests import ActionRequest, Ended
from mlc_dagster.ledger.records.proposals import mark_of
from mlc_dagster.ledger.records.ways_back import Said, WordRefused
from mlc_dagster.pipeline.reversing import Reversed
from mlc_dagster.pipeline.taken_back import reversal_key, reversal_name
from mlc_dagster.pipeline.ways_back import NotSent, WaysBack

log = logger("mlc_dagster.requested_actions")

MOST_TRIES = 20  # of what no system answers; then people decide anew


@dataclass(frozen=True)
class Hands:
    """What a flow has to carry them out with. `reverse`: of one document; None: nothing of the flow can be reversed."""

    ways_back: Callable[[Said], WaysBack]
    reverse: Callable[[str], Reversed] | None = None


def carry_out(requests: Sequence[ActionRequest], hands: Mapping[str, Hands], ledger: Ledger, run: Run) -> Counter[str]:
    """How -> how many ended so; "put_off": no system answered. Each by itself: one keeps no other back.

    Raises LedgerUnavailable.
    """
    found: Counter[str] = Counter()
    for one in requests:
        if ledger.action_requests.take(one):
            found[_carried_out(one, hands[one.flow], ledger, run)] += 1
    return found


def _carried_out(one: ActionRequest, hands: Hands, ledger: Ledger, run: Run) -> str:
    if mark_of(*ledger.differences.open(one.flow, one.key)) != one.content:
        why = "what differs has changed since, or differs no more"
        return _ended(one, "void", f"{why}: nothing was done; it can be proposed anew", ledger, run)
    try:
        how, words = _done(one, hands, ledger)
    except LedgerUnavailable:
        raise
    except MlcError as error:
        return _not_done(one, error, ledger, run)
    return _ended(one, how, words, ledger, run)


def _not_done(one: ActionRequest, error: MlcError, ledger: Ledger, run: Run) -> str:
    """What the target, or we, said no to has ended. All else (no answer, a pause, rights) may be otherwise later."""
    says_no = isinstance(error, WordRefused | RecordRejected | Misconfigured)
    if says_no or (isinstance(error, NotSent) and error.is_final) or one.tries + 1 >= MOST_TRIES:
        return _ended(one, "not_done", str(error), ledger, run)
    ledger.action_requests.put_off(one, str(error))
    log.warning("%s of %s %s is tried again: %s", one.action, one.flow, one.key, error)
    return "put_off"


def _done(one: ActionRequest, hands: Hands, ledger: Ledger) -> tuple[Ended, str]:
    if one.action == "reverse":
        return _reversed(one, hands, ledger)
    ways = hands.ways_back(Said(one.who, one.reason))
    if one.action == "relink":
        return "done", ways.relink(one.key, one.argument).words
    act = {"restore": ways.restore, "recreate": ways.recreate, "forget": ways.forget}[one.action]
    return "done", act(one.key).words


def _reversed(one: ActionRequest, hands: Hands, ledger: Ledger) -> tuple[Ended, str]:
    if hands.reverse is None:
        return "not_done", "nothing of this flow can be reversed by us: reverse it by hand, and accept the difference"
    found = hands.reverse(one.key)
    if one.key in found.numbers:
        return "done", f"reversed by {found.numbers[one.key]}"
    own = reversal_name(one.flow)
    holds = [hold for hold in ledger.open_holds(own, limit=None) if hold.key == reversal_key(one.key)]
    reasons = "; ".join(problem.reason for hold in holds for problem in hold.problems)
    why = reasons or found.guarded or "the source does not say any more that it was taken back"
    return "not_done", f"{why} ({own} {reversal_key(one.key)})" if reasons else why


def _ended(one: ActionRequest, how: Ended, words: str, ledger: Ledger, run: Run) -> str:
    ledger.action_requests.end(one, how, words, run)
    log.info("%s of %s %s: %s: %s", one.action, one.flow, one.key, how, words)
    return how
