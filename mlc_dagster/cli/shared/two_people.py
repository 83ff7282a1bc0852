"""`policies.two_people` in the shell: what needs two people is proposed here, and confirmed on the review page alone.

Whoever signs in there is known; who types --who is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mlc_dagster import settings as settings_file
from mlc_dagster.core.inert import inert

if TYPE_CHECKING:
    from decimal import Decimal

    from mlc_dagster.ledger import Decision, HoldEntry, Ledger, Run
    from mlc_dagster.ledger.records.decisions import NeedsSecondPerson
    from mlc_dagster.ledger.records.differences import Difference
    from mlc_dagster.settings.review import TwoPeople

    Decide = Callable[[HoldEntry, str, str, Run], Decision]


def policy() -> TwoPeople | None:
    """What mlc.yaml says; None: nothing. Raises Misconfigured where it has mistakes: who may decide is not known."""
    from mlc_dagster.systems import configuration

    path = settings_file.environment().config
    return configuration.load(path).policies.two_people if path.is_file() else None


def by_policy(opened: Ledger, decide: Decide, action: str) -> Decide:
    """`decide`, which proposes instead, and raises NeedsSecondPerson, where two people are needed."""
    from mlc_dagster.pipeline.guards import RULE as GUARD
    from mlc_dagster.rules.waiving import FOUR_EYES, unwaivable

    asked = policy()

    def decided(hold: HoldEntry, who: str, reason: str, run: Run) -> Decision:
        by_itself = action == "release" and (unwaivable(hold.rules) or not FOUR_EYES.isdisjoint(hold.rules))
        if action == "release" and GUARD in hold.rules and not by_itself and opened.users.any():
            raise _proposed(opened, action, [hold], (who, reason))
        if asked is None or by_itself or not asked.asks(action, *_worth(opened, hold.flow, hold.key)):
            return decide(hold, who, reason, run)
        raise _proposed(opened, action, [hold], (who, reason))

    return decided


def expect_one_is_enough(
    opened: Ledger, flow: str, key: str, said: tuple[str, str], action: str = "accept", argument: str = ""
) -> None:
    """Raises NeedsSecondPerson, and has proposed it, where two people are needed: by the policy to accept theirs, for
    all else where people sign in at all.
    """
    asked, found = policy(), opened.differences.open(flow, key)
    if action != "accept":
        if opened.users.any():
            raise _proposed(opened, action, found, said, argument) if found else _nothing_differs(flow, key, action)
        return
    if asked is not None and found and asked.asks("accept", *_worth(opened, flow, key)):
        raise _proposed(opened, "accept", found, said)


def _worth(opened: Ledger, flow: str, key: str) -> tuple[str, Decimal | None, str]:
    """(company, amount, currency) as the page sees it."""
    from mlc_dagster.ledger.records.open_item_entries import most_money

    items = opened.open_items.of(flow, key)
    return next((one.cause.company for one in items), ""), *most_money(items)


def _proposed(
    opened: Ledger, action: str, found: Sequence[HoldEntry | Difference], said: tuple[str, str], argument: str = ""
) -> NeedsSecondPerson:
    from mlc_dagster.ledger.records.decisions import NeedsSecondPerson
    from mlc_dagster.ledger.records.proposals import mark_of

    one = found[0]
    opened.proposals.propose(one.flow, one.key, action, mark_of(*found), one.company, said, argument=argument)
    cure = "Another person confirms it on the review page, signed in: policies.two_people in mlc.yaml."
    if not opened.users.any():
        cure += " Nobody can sign in there yet: mlc users add."
    return NeedsSecondPerson(
        f"{one.flow} {inert(one.key)} is as it was: {said[0]} has proposed to {action} it", cure=cure
    )


def _nothing_differs(flow: str, key: str, action: str) -> NeedsSecondPerson:
    from mlc_dagster.ledger.records.decisions import NeedsSecondPerson

    words = f"to {action} {flow} {inert(key)} two people are needed, and the ledger knows of nothing that differs"
    return NeedsSecondPerson(words, cure=f"mlc reconcile --flow {flow} looks; then it is proposed for what it finds.")
