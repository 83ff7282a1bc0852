"""What a person decides on one record on hold, or on many at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

import typer

from mlc_dagster.cli.shared.expected_names import expect
from mlc_dagster.cli.shared.lookup import NotFound
from mlc_dagster.cli.shared.tables import held, person
from mlc_dagster.core import commands
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.terminal import say, tell_error
from mlc_dagster.rules.waiving import FOUR_EYES

if TYPE_CHECKING:
    from mlc_dagster.ledger import Decision, HoldEntry, Ledger, Run

BY_HAND = "cli"  # stands in the trail where a run id would


def decide(
    opened: Ledger,
    decide: Callable[[HoldEntry, str, str, Run], Decision],
    word: str,
    which: tuple[str | None, str | None, str | None],
    by: tuple[str, str],
    yes: bool,
) -> tuple[list[Decision], int]:
    """The decisions that were written, and how many were refused. Raises NotFound and Misconfigured."""
    from mlc_dagster.ledger import Run

    key, flow, rule = which
    expect(opened, flow=flow, rule=rule)
    who, reason = person(by[0]), by[1]
    if key is not None and rule is None:
        hold = held(opened, key, flow)
        return [decide(hold, who, reason, Run(BY_HAND, hold.partition))], 0
    if key is not None or flow is None or rule is None:
        raise Misconfigured(
            "it is not said which records", cure=f"mlc holds {word} KEY, or --rule R together with --flow F."
        )
    number = opened.history.count_open(flow=flow, rule=rule).holds
    if not number:
        raise NotFound(
            f"nothing of {flow} is held by {rule}",
            cure=f"`{commands.offered('holds list', flow=flow)}` shows what is held.",
        )
    if word == "release" and rule in FOUR_EYES:
        cure = f"Look at each: {commands.offered('holds list', flow=flow, rule=rule)}"
        raise Misconfigured(f"{rule} is released one by one, by two people each, and never in bulk", cure=cure)
    if not yes:
        typer.confirm(f"{word} {number} record(s) of {flow} that are held by {rule}?", abort=True)
    return _all(decide, opened.history.each_open(flow, rule), who, reason, alone=FOUR_EYES if word == "release" else ())


def _all(
    decide: Callable[[HoldEntry, str, str, Run], Decision],
    found: Iterable[HoldEntry],
    who: str,
    reason: str,
    *,
    alone: Collection[str] = (),
) -> tuple[list[Decision], int]:
    """`alone`: rules whose holds are decided on one by one."""
    from mlc_dagster.ledger import Run
    from mlc_dagster.ledger.records.decisions import DecisionRefused

    decided, refused = [], 0
    for hold in found:
        if some := [rule for rule in hold.rules if rule in alone]:
            refused += 1
            words = f"{hold.flow} {hold.key} is held by {', '.join(some)} too"
            tell_error(Misconfigured(words, cure="It is released alone, by two people."))
            continue
        try:
            decided.append(decide(hold, who, reason, Run(BY_HAND, hold.partition)))
        except DecisionRefused as error:
            refused += 1
            tell_error(error)
    return decided, refused


def end(refused: int) -> None:
    """Exit 1 where some of many were refused; the others stand."""
    if refused:
        say(f"{refused} could not be decided on; they are still on hold.", err=True)
        raise typer.Exit(1)
