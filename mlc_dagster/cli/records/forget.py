"""`mlc forget`: a person's way back for one delivered record."""

from __future__ import annotations

import typer

from mlc_dagster.cli.records.ways import FlowArgument, KeyArgument, ReasonOption, WhoOption, tell_done, ways
from mlc_dagster.cli.shared.two_people import expect_one_is_enough

EXAMPLES = 'Example: mlc forget cin7/purchases P00102 --reason "agreed with the buyer"'

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def forget(flow: FlowArgument, key: KeyArgument, reason: ReasonOption, who: WhoOption = "") -> None:
    """What the target has of a record is none of ours any more.

    It is left there as it is. The next load of the record finds it new, and looks for it first.
    """
    with ways(flow, who, reason) as ways_back:
        said = (ways_back.said.who, ways_back.said.reason)
        expect_one_is_enough(ways_back.asked.ledger, flow, key, said, "forget")
        tell_done(ways_back.forget(key))
