"""What can be done with a record, as its page offers it: with what it does, what way back there is, who is needed."""

from __future__ import annotations

from typing import NamedTuple

from mlc_dagster.pipeline.guards import RULE as GUARD
from mlc_dagster.rules.waiving import FOUR_EYES, unwaivable
from mlc_dagster.web.review import difference_actions
from mlc_dagster.web.review.difference_actions import REQUESTED
from mlc_dagster.web.review.open_record import OpenRecord
from mlc_dagster.web.review.visits import Visit


class Offer(NamedTuple):
    """An action on the record's page."""

    action: str
    label: str
    says: str  # what it does, and whether there is a way back
    why_not: str = ""  # it is not possible
    two_people: bool = False
    mark: str = ""  # of the content


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
        says += " It can be taken back until the next delivery."
        found.append(_offer(visit, record, "accept", "Accept theirs", says))
        found += [_offer(visit, record, *each) for each in difference_actions.possible(visit, record)]
    return found


def _offer(visit: Visit, record: OpenRecord, action: str, label: str, says: str, why_not: str = "") -> Offer:
    return Offer(action, label, says, why_not, needs_two(visit, record, action), record.mark(action))


def needs_two(visit: Visit, record: OpenRecord, action: str) -> bool:
    """Always for what is written to a target by a person's word, for bank details, and for what a guard stopped."""
    if action in REQUESTED:
        return True
    if action == "release" and record.hold and not (FOUR_EYES | {GUARD}).isdisjoint(record.hold.rules):
        return True
    policy = visit.site.settings.policies.two_people
    return policy is not None and policy.asks(action, record.company, *record.money)
