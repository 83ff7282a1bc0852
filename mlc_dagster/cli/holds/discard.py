"""`mlc holds discard`: a record is never sent as it is now."""

from __future__ import annotations

import typer

from mlc_dagster.cli.holds.deciding import decide, end
from mlc_dagster.cli.holds.options import FlowOption, KeyArgument, ReasonOption, RuleOption, WhoOption, YesOption
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.two_people import by_policy
from mlc_dagster.core.terminal import say

app = typer.Typer(add_completion=False)


@app.command(epilog='Example: mlc holds discard P00102 --reason "paid by hand on 3 November"')
def discard(
    reason: ReasonOption,
    key: KeyArgument = None,
    flow: FlowOption = None,
    rule: RuleOption = None,
    who: WhoOption = "",
    yes: YesOption = False,
) -> None:
    """Never send a record as it is now. One KEY, or all of a --rule in a --flow."""
    with ledger(writes=True) as opened:
        discard_ = by_policy(opened, opened.decisions.discard, "discard")
        decided, refused = decide(opened, discard_, "discard", (key, flow, rule), (who, reason), yes)
    for decision in decided:
        say(f"{decision.flow} {decision.key} is discarded by {decision.who}: it is never sent as it is now.")
    end(refused)
