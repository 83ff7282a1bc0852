"""What a person decides on one record: offered where it can be, refused in words where it cannot."""

from __future__ import annotations

from typing import NamedTuple

from mlc_dagster.core.errors import MlcError
from mlc_dagster.ledger import Run
from mlc_dagster.ledger.records.decisions import DecisionRefused
from mlc_dagster.ledger.records.ways_back import Said, WordRefused
from mlc_dagster.rules.waiving import FOUR_EYES, unwaivable
from mlc_dagster.web.review.bulk_run import REVIEW, TAKEN_UP
from mlc_dagster.web.review.open_record import OpenRecord
from mlc_dagster.web.review.visits import Refused, Visit, tell

SHORTEST = 10  # signs of a reason


class Offer(NamedTuple):
    """An action on the record's page."""

    action: str
    label: str
    says: str  # what it does
    why_not: str = ""  # it is not possible
    two_people: bool = False
    mark: str = ""  # of the content


DECISIONS = ("release", "discard", "accept")


def offers(visit: Visit, record: OpenRecord) -> list[Offer]:
    found = []
    if record.hold is not None:
        kept = unwaivable(record.hold.rules)
        why_not = "; ".join(f"{rule} cannot be waived: {why}" for rule, why in kept.items())
        rules = ", ".join(record.hold.rules)
        says = f"This content passes {rules}, and is sent by the next run. Content that changes is judged anew."
        found.append(_offer(visit, record, "release", "Release", says, why_not))
        says = "It is never sent as it is; if it changes where it comes from, it is held again."
        found.append(_offer(visit, record, "discard", "Discard", says))
    if record.differences:
        says = "What the other system has counts from now on, for every field that differs here."
        found.append(_offer(visit, record, "accept", "Accept theirs", says))
    return found


def _offer(visit: Visit, record: OpenRecord, action: str, label: str, says: str, why_not: str = "") -> Offer:
    return Offer(action, label, says, why_not, needs_two(visit, record, action), record.mark(action))


def needs_two(visit: Visit, record: OpenRecord, action: str) -> bool:
    if action == "release" and record.hold and not FOUR_EYES.isdisjoint(record.hold.rules):
        return True
    policy = visit.site.settings.policies.two_people
    return policy is not None and policy.asks(action, record.company, *record.money)


def decide(visit: Visit, record: OpenRecord, action: str, reason: str) -> str:
    """Decide, or propose where two people are needed; what came of it, in words. Raises Refused."""
    visit.expect("decide", record.company)
    expect_possible(visit, record, action)
    if needs_two(visit, record, action):
        said = (visit.user.name, reason)
        visit.ledger.proposals.propose(record.flow, record.key, action, record.mark(action), record.company, said)
        return f"Proposed to {action} it: it waits for a second person."
    return carry_out(visit, record, action, visit.user.name, reason)


def expect_possible(visit: Visit, record: OpenRecord, action: str) -> None:
    """Raises Refused: 403 for a rule that nobody waives, 404 for an action that is none."""
    if action not in DECISIONS:
        raise Refused(404, "There is no such action.")
    if action == "release" and record.hold and (kept := unwaivable(record.hold.rules)):
        tell("refused", visit.request, who=visit.user.name, why=f"release of {', '.join(kept)}")
        why = "; ".join(f"{rule} cannot be waived: {because}" for rule, because in kept.items())
        raise Refused(403, "This cannot be released by anybody.", f"{why}. Put it right where it comes from.")


def carry_out(visit: Visit, record: OpenRecord, action: str, who: str, reason: str, confirmed: bool = False) -> str:
    """Written to the ledger and its work list; Dagster's sensors take it up. Raises Refused: 409."""
    try:
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
    except (DecisionRefused, WordRefused) as error:
        raise _conflict(error) from None
    ask_for(visit, record, f"released by {who}", TAKEN_UP)
    return "Released: taken up by the next run, in about a minute."


def ask_for(visit: Visit, record: OpenRecord, why: str, soon: float = 0.0) -> None:
    if record.hold is not None and record.hold.partition:
        visit.ledger.work.ask(record.flow, [record.hold.partition], why, soon=soon)


def _conflict(error: MlcError) -> Refused:
    return Refused(409, "Nothing was decided.", str(error))
