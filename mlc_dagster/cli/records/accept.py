"""`mlc accept`: a person's way back for one delivered record."""

from __future__ import annotations

import typer

from mlc_dagster.cli.records.ways import FlowArgument, KeyArgument, ReasonOption, WhoOption, tell_done, ways
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.tables import person
from mlc_dagster.cli.shared.two_people import expect_one_is_enough

EXAMPLES = 'Example: mlc accept cin7/purchases P00102 --reason "agreed with the buyer"'

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def accept(flow: FlowArgument, key: KeyArgument, reason: ReasonOption, who: WhoOption = "") -> None:
    """The target is right: its values are what is agreed from now on.

    No later load writes over them, unless the source changes that very field. Where two people are needed
    (policies.two_people) it is proposed: a second one confirms it on the review page.
    """
    with ledger(writes=True) as opened:
        expect_one_is_enough(opened, "accept", flow, key, (person(who), reason))
    with ways(flow, who, reason) as ways_back:
        tell_done(ways_back.accept(key))
