"""`mlc relink`: a delivered record is another one in the target than the ledger says."""

from __future__ import annotations

from typing import Annotated

import typer

from mlc_dagster.cli.records.ways import FlowArgument, KeyArgument, ReasonOption, WhoOption, tell_done, ways
from mlc_dagster.cli.shared.two_people import expect_one_is_enough

EXAMPLES = 'Example: mlc relink hubspot/supplier_companies 10001 51234567 --reason "merged by sales" --shared'

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def relink(
    flow: FlowArgument,
    key: KeyArgument,
    remote_id: Annotated[str, typer.Argument(help="Its id in the target.")],
    reason: ReasonOption,
    shared: Annotated[bool, typer.Option("--shared", help="Two of ours are this one there.")] = False,
    who: WhoOption = "",
) -> None:
    """Say which record of the target a delivered one is: after a merge, or a copy by hand.

    One that another record of the flow is already is refused, unless both are meant to share it.
    """
    with ways(flow, who, reason) as ways_back:
        said = (ways_back.said.who, ways_back.said.reason)
        expect_one_is_enough(ways_back.asked.ledger, flow, key, said, "relink", remote_id)
        tell_done(ways_back.relink(key, remote_id, shared=shared))
