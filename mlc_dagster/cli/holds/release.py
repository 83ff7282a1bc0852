"""`mlc holds release`: lets a record pass as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from mlc_dagster.cli.holds.deciding import decide, end
from mlc_dagster.cli.holds.options import FlowOption, KeyArgument, ReasonOption, RuleOption, WhoOption, YesOption
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.two_people import by_policy
from mlc_dagster.core import commands
from mlc_dagster.core.terminal import say

if TYPE_CHECKING:
    from mlc_dagster.ledger import Decision

app = typer.Typer(add_completion=False)


@app.command(epilog='Example: mlc holds release P00102 --reason "the buyer confirmed it, ticket 4711"')
def release(
    reason: ReasonOption,
    key: KeyArgument = None,
    flow: FlowOption = None,
    rule: RuleOption = None,
    who: WhoOption = "",
    yes: YesOption = False,
) -> None:
    """Let a record pass as it is: these rules, this content. One KEY, or all of a --rule in a --flow."""
    with ledger(writes=True) as opened:
        release_ = by_policy(opened, opened.decisions.release, "release")
        decided, refused = decide(opened, release_, "release", (key, flow, rule), (who, reason), yes)
    for decision in decided:
        say(f"{decision.flow} {decision.key} is released by {decision.who}.")
    if decided:
        say(f"The healing sensor loads it within minutes, where it is on; at once: {_replay(decided)}")
    end(refused)


def _replay(decided: list[Decision]) -> str:
    if len(decided) == 1:
        return commands.offered("replay", flow=decided[0].flow, key=decided[0].key)
    return f"{commands.offered('replay', flow=decided[0].flow)} --partition ..."
