"""`mlc restore`: a person's way back for one delivered record."""

from __future__ import annotations

import typer

from mlc_dagster.cli.records.ways import FlowArgument, KeyArgument, ReasonOption, WhoOption, tell_done, ways
from mlc_dagster.cli.shared.two_people import expect_one_is_enough

EXAMPLES = 'Example: mlc restore cin7/purchases P00102 --reason "agreed with the buyer"'

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def restore(flow: FlowArgument, key: KeyArgument, reason: ReasonOption, who: WhoOption = "") -> None:
    """Ours is right: send what was delivered again, as it was then.

    Of this record alone. What people deleted is not made again: mlc recreate does that.
    """
    with ways(flow, who, reason) as ways_back:
        said = (ways_back.said.who, ways_back.said.reason)
        expect_one_is_enough(ways_back.asked.ledger, flow, key, said, "restore")
        tell_done(ways_back.restore(key))
