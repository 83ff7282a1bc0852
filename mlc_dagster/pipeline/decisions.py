"""What a person decided holds for the content that was decided on: a release waives rules, a discard keeps away."""

from __future__ import annotations

from typing import NamedTuple

from mlc_dagster.core.flows import Problem
from mlc_dagster.ledger import Decision
from mlc_dagster.ledger.entries import AsOf
from mlc_dagster.rules.waiving import unwaivable

NOT_DISCARDED = "not_discarded"


class Discarded(NamedTuple):
    """A record that is never sent."""

    key: str


def decided(
    decision: Decision, seen: AsOf, contents: tuple[str, ...], problems: tuple[Problem, ...]
) -> Discarded | tuple[Problem, ...]:
    """The problems that a decision leaves. `seen`: of when the record is; `contents`: its fingerprints, as it was read
    and as it is sent.

    What is older than the record that was discarded stays away with it; what is newer, or else differs, is held anew.
    What a release waived, and no release can waive any more, holds it again.
    """
    same = decision.content in contents
    if decision.verdict == "released":
        waived = set(decision.rules) - unwaivable(decision.rules).keys() if same else set()
        return tuple(problem for problem in problems if problem.rule not in waived)
    if same or seen.is_older(AsOf(decision.version, decision.read_number)):
        return Discarded(decision.key)
    said = f"was discarded by {decision.who} on {decision.at:%Y-%m-%d}: {decision.reason}, and has changed since."
    return (Problem(NOT_DISCARDED, f"{said} Release or discard it again.", decision.who), *problems)
