"""`mlc accept`: a person's way back for one delivered record."""

from __future__ import annotations

import typer

from mlc_dagster.cli.records.ways import FlowArgument, KeyArgument, ReasonOption, WhoOption, tell_done, ways
from mlc_dagster.cli.shared.two_people import expect_one_is_enough

EXAMPLES = 'Example: mlc accept cin7/purchases P00102 --reason "agreed with the buyer"'

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def accept(flow: FlowArgument, key: KeyArgument, reason: ReasonOption, who: WhoOption = "") -> None:
    """The target is right: its values are what is agreed from now on.

    No later load writes over them, unless the source changes that very field.
    """
    with ways(flow, who, reason) as ways_back:
        expect_one_is_enough(ways_back.asked.ledger, flow, key, (ways_back.said.who, ways_back.said.reason))
        tell_done(ways_back.accept(key))
