"""`mlc open`: what is open by cause, holds and differences together."""

from __future__ import annotations

from typing import Annotated

import typer

from mlc_dagster.cli.holds.options import FlowOption, JsonOption
from mlc_dagster.cli.shared.expected_names import expect
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.open_causes import causes_as_json, print_causes, totals_as_json, wanted
from mlc_dagster.core.terminal import say, say_json, terminal
from mlc_dagster.core.vocabulary import ERP

app = typer.Typer(add_completion=False)


@app.command("open", epilog="Examples: mlc open · mlc open --system cin7 --json")
def open_(
    flow: FlowOption = None,
    system: Annotated[str | None, typer.Option(help="What goes to a system or comes from it: cin7.")] = None,
    json_: JsonOption = False,
) -> None:
    """What is open by cause, holds and differences together: how many, how much, since when, whose it is."""
    with ledger() as opened:
        expect(opened, flow=flow, rule=None, system=system)
        found = opened.open_items.causes(wanted(opened, flow=flow, system=None if system == ERP else system))
        moved = opened.history.flows()
    if json_:
        say_json({"causes": causes_as_json(found), "totals": totals_as_json(found)})
    elif found:
        print_causes(found, terminal())
        say("One by one: mlc holds list, mlc differences list")
    else:
        say("Nothing is open, as far as was looked." if moved else "No record ever moved by this ledger.")
