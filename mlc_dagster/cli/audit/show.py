"""`mlc audit show`: everything that ever happened to a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlc_dagster.cli.shared.expected_names import expect
from mlc_dagster.cli.shared.lookup import ledger, settings_here
from mlc_dagster.cli.shared.tables import moment, nothing, table
from mlc_dagster.core.terminal import Terminal, plain, say_json, terminal

if TYPE_CHECKING:
    from mlc_dagster.pipeline.auditing import Story

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: mlc audit show P00102 --json")
def show(
    key: Annotated[str, typer.Argument(help="The record's key: of an order its number.")],
    flow: Annotated[str | None, typer.Option("--flow", help="Of this flow alone, such as cin7/purchases.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="JSON, and no table.")] = False,
) -> None:
    """Every read, hold, decision, attempt and answer of a record, by flow, the oldest first. Times are UTC."""
    from mlc_dagster.pipeline.auditing import stories
    from mlc_dagster.systems.configuration import known_flows

    with ledger() as opened:
        expect(opened, flow=flow)
        found = [story for story in stories(opened, key, known_flows(settings_here())) if flow in (None, story.flow)]
        if not found:
            raise nothing(
                opened, f"nothing ever happened to a record {key!r}{f' in {flow}' if flow else ''}", key, flow
            )
    if json_:
        say_json({"key": key, "flows": [story.as_json() for story in found]})
        return
    out = terminal()
    for story in found:
        _print(story, key, out)


def _print(story: Story, key: str, out: Terminal) -> None:
    listed = table("at (UTC)", "what", "detail", "remote id", "version", "partition", "run")
    listed.title, listed.title_style = f"\n{plain(story.flow)} {plain(key)}", "bold"
    for each in story.happened:
        cells = (moment(each.at), each.what, each.detail, each.remote_id, each.version, each.partition, each.run_id[:8])
        listed.add_row(*map(plain, cells))
    out.print(listed)
    for hold in story.holds:
        end = f"{hold.closed_how} {moment(hold.closed_at)}" if hold.closed_at else "[yellow]still open[/]"
        out.print(f"  on hold {moment(hold.opened_at)} by {plain(', '.join(hold.rules))}: {end}")
    if decision := story.decision:
        words = f"{decision.verdict} by {decision.who} on {moment(decision.at)}: {decision.reason}"
        out.print(f"  decision that stands: {plain(words)}")
