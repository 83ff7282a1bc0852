"""What a person decides on one record: offered where it can be, refused in words where it cannot."""

from __future__ import annotations

from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger import Run
from mlc_dagster.ledger.records.action_requests import RequestRefused
from mlc_dagster.ledger.records.decisions import DecisionRefused
from mlc_dagster.ledger.records.ways_back import Said, WordRefused
from mlc_dagster.rules.waiving import unwaivable
from mlc_dagster.web.review import difference_actions
from mlc_dagster.web.review.bulk_run import REVIEW, TAKEN_UP
from mlc_dagster.web.review.difference_actions import REQUESTED
from mlc_dagster.web.review.offers import needs_two
from mlc_dagster.web.review.open_record import OpenRecord
from mlc_dagster.web.review.visits import Refused, Visit, tell

SHORTEST = 10  # signs of a reason


DECISIONS = ("release", "discard", "accept", *REQUESTED)


def decide(visit: Visit, record: OpenRecord, action: str, reason: str, argument: str = "") -> str:
    """Decide, or propose where two people are needed; what came of it, in words. Raises Refused.

    `argument`: of a relink, the id in the target.
    """
    visit.expect("decide", record.company)
    expect_possible(visit, record, action)
    if not needs_two(visit, record, action):
        return carry_out(visit, record, action, visit.user.name, reason)
    visit.ledger.proposals.propose(
        record.flow,
        record.key,
        action,
        record.mark(action),
        record.company,
        (visit.user.name, reason),
        argument=argument,
        shown=record.looked_at,
    )
    return f"Proposed to {action} it: it waits for a second person."


def expect_possible(visit: Visit, record: OpenRecord, action: str) -> None:
    """Raises Refused: 403 for a rule that nobody waives, 404 for an action that is none, 409 for one that cannot be."""
    if action not in DECISIONS:
        raise Refused(404, "There is no such action.")
    if action == "release" and record.hold and (kept := unwaivable(record.hold.rules)):
        tell("refused", visit.request, who=visit.user.name, why=f"release of {', '.join(kept)}")
        why = "; ".join(f"{rule} cannot be waived: {because}" for rule, because in kept.items())
        raise Refused(403, "This cannot be released by anybody.", f"{why}. Put it right where it comes from.")
    if action in REQUESTED:
        offered = next((one for one in difference_actions.possible(visit, record) if one.action == action), None)
        if offered is None or offered.why_not:
            why = offered.why_not if offered else "what differs does not ask for it"
            raise Refused(409, f"This cannot be done: {why}.")


def carry_out(
    visit: Visit,
    record: OpenRecord,
    action: str,
    who: str,
    reason: str,
    confirmed: bool = False,
    argument: str = "",
) -> str:
    """Written to the ledger and its work list; Dagster's sensors take it up. Raises Refused: 409."""
    try:
        if action in REQUESTED:
            content = record.mark(action)
            visit.ledger.action_requests.ask(record.flow, record.key, action, argument, content, (who, reason))
            return f"Asked of a run, which begins in about half a minute: {action}."
        if action == "accept":
            said = Said(who, reason)
            number = visit.ledger.people.accept_as_seen(record.flow, record.key, said, Run(REVIEW))
            return f"Accepted: {number} difference(s) closed."
        assert record.hold is not None
        run = Run(REVIEW, record.hold.partition)
        if action == "discard":
            visit.ledger.decisions.discard(record.hold, who, reason, run)
            return "Discarded: it is never sent as it is now."
        visit.ledger.decisions.release(record.hold, who, reason, run, confirmed=confirmed)
    except (DecisionRefused, WordRefused, RequestRefused) as error:
        raise _conflict(error) from None
    ask_for(visit, record, f"released by {who}", TAKEN_UP)
    return "Released: taken up by the next run, in about a minute."


def ask_for(visit: Visit, record: OpenRecord, why: str, soon: float = 0.0) -> None:
    if record.hold is not None and record.hold.partition:
        visit.ledger.work.ask(record.flow, [record.hold.partition], why, soon=soon)


def _conflict(error: MlcError) -> Refused:
    return Refused(409, "Nothing was decided.", str(error))
