"""What mlc.yaml wants two people for: the shell proposes it, and a second person confirms it on the review page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mlc_dagster.cli.shared.lookup import settings_here
from mlc_dagster.core.amounts import parsed
from mlc_dagster.core.inert import inert

if TYPE_CHECKING:
    from mlc_dagster.ledger import Decision, HoldEntry, Ledger, Run

Decide = Callable[["HoldEntry", str, str, "Run"], "Decision"]
CURE = "Another person confirms it on the review page, signed in."


def by_policy(opened: Ledger, decide: Decide, action: str) -> Decide:
    """As `decide`, but that what `policies.two_people` names is proposed. Raises NeedsSecondPerson then."""
    from mlc_dagster.ledger.records.decisions import NeedsSecondPerson
    from mlc_dagster.ledger.records.proposals import mark_of
    from mlc_dagster.rules.waiving import FOUR_EYES, unwaivable

    settings = settings_here()
    policy = settings.policies.two_people if settings else None

    def decided(hold: HoldEntry, who: str, reason: str, run: Run) -> Decision:
        refused = action == "release" and (unwaivable(hold.rules) or not FOUR_EYES.isdisjoint(hold.rules))
        if policy is None or refused or not policy.asks(action, hold.company, parsed(hold.amount), hold.currency):
            return decide(hold, who, reason, run)
        opened.proposals.propose(hold.flow, hold.key, action, mark_of(hold), hold.company, (who, reason))
        words = f"{hold.flow} {inert(hold.key)} is still on hold: {who} has proposed to {action} it"
        raise NeedsSecondPerson(words, cure=CURE)

    return decided


def expect_one_is_enough(opened: Ledger, flow: str, key: str, said: tuple[str, str]) -> None:
    """For accepting theirs. Raises NeedsSecondPerson where it is proposed instead."""
    from mlc_dagster.ledger.records.decisions import NeedsSecondPerson
    from mlc_dagster.ledger.records.proposals import mark_of

    settings = settings_here()
    policy = settings.policies.two_people if settings else None
    items = [one for one in opened.open_items.of(flow, key) if one.cause.differs]
    asked = [policy.asks("accept", one.cause.company, parsed(one.amount), one.currency) for one in items if policy]
    if any(asked):
        mark = mark_of(*opened.differences.open(flow, key))
        opened.proposals.propose(flow, key, "accept", mark, items[0].cause.company, said)
        raise NeedsSecondPerson(f"{flow} {inert(key)} differs still: {said[0]} has proposed to accept it", cure=CURE)
