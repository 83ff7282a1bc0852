"""`mlc audit`: everything that ever happened to a record, and whether the trail is as it was written."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from mlc_dagster.cli.places import NotFound, expect, ledger, settings_here
from mlc_dagster.cli.tables import moment, nothing, table
from mlc_dagster.core.terminal import Terminal, plain, say_json, terminal
from mlc_dagster.ledger import Fault, Verification
from mlc_dagster.pipeline.auditing import Story, stories
from mlc_dagster.systems.configuration import known_flows

app = typer.Typer(
    help="The trail: lines are added to it, never changed, never deleted.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # they would hold secrets
)


@app.command(epilog="Example: mlc audit show P00102 --json")
def show(
    key: Annotated[str, typer.Argument(help="The record's key: of an order its number.")],
    flow: Annotated[str | None, typer.Option("--flow", help="Of this flow alone, such as cin7/purchases.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="JSON, and no table.")] = False,
) -> None:
    """Every read, hold, decision, attempt and answer of a record, by flow, the oldest first. Times are UTC."""
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


FAULTS_SHOWN = 1000  # of a trail that was rewritten as a whole every line is one


@app.command(epilog="Example: mlc audit verify --flow cin7/purchases")
def verify(
    flow: Annotated[str | None, typer.Option("--flow", help="Of this flow alone, such as cin7/purchases.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="JSON, and no table; with the last hash of each flow.")] = False,
) -> None:
    """Whether a line of the trail was changed, removed, slipped in or moved since it was written; exit 1 if so.

    Each line carries a hash over itself and the one before it. Who can write to the database can rewrite all of them:
    keep the last hashes (--json) elsewhere to notice that.
    """
    with ledger() as opened:
        expect(opened, flow=flow)
        verification = opened.history.verify(flow)
        faults = _counted(verification)
        if not verification.lines and not faults[0]:
            raise _no_line(flow)
    if json_:
        say_json(_verdict(verification, *faults))
    else:
        _print_verdict(verification, *faults)
    if faults[0]:
        raise typer.Exit(1)


def _no_line(flow: str | None) -> NotFound:
    """Nothing is not intact: there is nothing to look at."""
    if flow is None:
        return NotFound("the trail has no line: no record ever moved by this ledger", cure="Is it the right ledger?")
    return NotFound(f"the trail has no line of {flow}", cure="`mlc audit verify` looks at every flow.")


def _counted(verification: Verification) -> tuple[int, list[Fault]]:
    """How many faults, and the first of them."""
    count, shown = 0, []
    for fault in verification:
        count += 1
        if count <= FAULTS_SHOWN:
            shown.append(fault)
    return count, shown


def _verdict(verification: Verification, count: int, faults: list[Fault]) -> dict[str, object]:
    return {
        "intact": not count,
        "lines": verification.lines,
        "heads": {flow: {"line": head.seq, "hash": head.hash} for flow, head in verification.heads.items()},
        "faults": count,
        "found": [asdict(fault) for fault in faults],
    }


def _print_verdict(verification: Verification, count: int, faults: list[Fault]) -> None:
    counted = f"{verification.lines:,} lines of {len(verification.heads):,} flows"
    if not count:
        terminal().print(f"{counted}: intact")
        return
    listed = table("flow", "line", "id", "what", "key", "written (UTC)")
    for fault in faults:
        cells = (fault.flow, _lines(fault), str(fault.id or ""), fault.what, fault.key, fault.at)
        listed.add_row(*map(plain, cells))
    out = terminal()
    out.print(listed)
    more = f"; the first {len(faults):,} are shown" if count > len(faults) else ""
    out.print(f"{counted}: NOT intact, {count:,} {'faults' if count > 1 else 'fault'}{more}")


def _lines(fault: Fault) -> str:
    last = "" if fault.until in (None, fault.seq) else f"-{fault.until}"
    return f"{'' if fault.seq is None else fault.seq}{last}"
