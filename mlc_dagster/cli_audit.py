"""`mlc audit`: everything that ever happened to a record."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from mlc_dagster.auditing import Story, stories
from mlc_dagster.cli_showing import as_json, console, ledger, moment, nothing, table
from mlc_dagster.moves import FLOWS

app = typer.Typer(
    help="The trail: lines are added to it, never changed, never deleted.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # they would hold secrets
)


@app.callback()
def _group() -> None:
    """Keeps `show` a word of its own while it is the only one."""


@app.command(epilog="Example: mlc audit show P00102 --json")
def show(
    key: Annotated[str, typer.Argument(help="The record's key: of an order its number.")],
    flow: Annotated[str | None, typer.Option("--flow", help="Of this flow alone, such as cin7/purchases.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="JSON, and no table.")] = False,
) -> None:
    """Every read, hold, decision, attempt and answer of a record, by flow, the oldest first. Times are UTC."""
    flows = {each.name: each for table in FLOWS.values() for each in table}
    with ledger() as opened:
        found = [story for story in stories(opened, key, flows) if flow in (None, story.flow)]
        if not found:
            raise nothing(
                opened, f"nothing ever happened to a record {key!r}{f' in {flow}' if flow else ''}", key, flow
            )
    if json_:
        as_json({"key": key, "flows": [story.as_json() for story in found]})
        return
    out = console()
    for story in found:
        _print(story, key, out)


def _print(story: Story, key: str, out: Console) -> None:
    listed = table("at (UTC)", "what", "detail", "remote id", "version", "partition", "run")
    listed.title, listed.title_style = f"\n{escape(story.flow)} {escape(key)}", "bold"
    for each in story.happened:
        cells = (moment(each.at), each.what, each.detail, each.remote_id, each.version, each.partition, each.run_id[:8])
        listed.add_row(*map(escape, cells))
    out.print(listed)
    for hold in story.holds:
        end = f"{hold.closed_how} {moment(hold.closed_at)}" if hold.closed_at else "[yellow]still open[/]"
        out.print(f"  on hold {moment(hold.opened_at)} by {escape(', '.join(hold.rules))}: {end}")
    if decision := story.decision:
        words = f"{decision.verdict} by {decision.who} on {moment(decision.at)}: {decision.reason}"
        out.print(f"  decision that stands: {escape(words)}")
