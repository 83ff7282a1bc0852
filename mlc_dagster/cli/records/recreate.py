"""`mlc recreate`: a person's way back for one delivered record."""

from __future__ import annotations

import typer

from mlc_dagster.cli.records.ways import FlowArgument, KeyArgument, ReasonOption, WhoOption, tell_done, ways
from mlc_dagster.cli.shared.two_people import expect_one_is_enough

EXAMPLES = 'Example: mlc recreate cin7/purchases P00102 --reason "agreed with the buyer"'

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def recreate(flow: FlowArgument, key: KeyArgument, reason: ReasonOption, who: WhoOption = "") -> None:
    """Make again what people deleted or voided in the target, from what was delivered.

    It is looked for by its key first, so that nothing stands there twice.
    """
    with ways(flow, who, reason) as ways_back:
        said = (ways_back.said.who, ways_back.said.reason)
        expect_one_is_enough(ways_back.asked.ledger, flow, key, said, "recreate")
        tell_done(ways_back.recreate(key))
