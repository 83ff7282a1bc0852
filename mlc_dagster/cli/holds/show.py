"""`mlc holds show`: one record on hold, and what can be done."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlc_dagster.cli.holds.options import FlowOption, JsonOption
from mlc_dagster.cli.holds.page import as_json
from mlc_dagster.cli.shared.expected_names import expect
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.tables import held, moment, table
from mlc_dagster.core import commands
from mlc_dagster.core.terminal import Terminal, plain, say_json, terminal
from mlc_dagster.rules import waiving

if TYPE_CHECKING:
    from mlc_dagster.ledger import Attempt, HoldEntry

REVERSED = "_reversed"  # how the ledger calls what reverses the documents of a flow

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: mlc holds show P00102 --flow cin7/purchases")
def show(
    key: Annotated[str, typer.Argument(help="The record's key.")], flow: FlowOption = None, json_: JsonOption = False
) -> None:
    """One record on hold: every problem in full, the record, its trail, and what can be done."""
    with ledger() as opened:
        expect(opened, flow=flow)
        hold = held(opened, key, flow)
        trail = opened.trail(hold.flow, hold.key)
    if json_:
        say_json({**as_json(hold), "record": hold.row, "trail": [_line(line) for line in trail]})
        return
    out = terminal()
    out.print(
        f"[bold]{plain(hold.flow)} {plain(hold.key)}[/]  partition {plain(hold.partition)}, on hold since "
        f"{moment(hold.opened_at)} UTC, version {hold.version or 'not known'}\n"
    )
    for problem in hold.problems:
        out.print(f"[yellow]{plain(problem.rule)}[/]  {plain(problem.reason)}")
    _print_record(hold, out)
    _print_trail(trail, out)
    _print_ways(hold, out)


def _print_record(hold: HoldEntry, out: Terminal) -> None:
    whose = "as it would be sent" if waiving.AT_THE_LOAD.issuperset(hold.rules) else "as it was read"
    fields = table("field", "value", title=f"\nThe record, {whose}")
    for name, value in hold.row.items():
        if not (isinstance(value, list) and value and isinstance(value[0], dict)):
            fields.add_row(plain(name), plain(_text(value)))
    out.print(fields)
    for name, value in hold.row.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            _print_lines(name, value, out)


def _print_lines(name: str, lines: list[dict[str, Any]], out: Terminal) -> None:
    columns = list(dict.fromkeys(field for line in lines for field in line))
    listed = table(*columns, title=f"\n{name}")
    for line in lines:
        listed.add_row(*(plain(_text(line.get(column))) for column in columns))
    out.print(listed)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _print_trail(trail: list[Attempt], out: Terminal) -> None:
    listed = table("at (UTC)", "event", "detail", "run", title="\nIts trail")
    for line in trail:
        listed.add_row(moment(line.at), str(line.event), plain(line.detail), line.run_id)
    out.print(listed)


def _print_ways(hold: HoldEntry, out: Terminal) -> None:
    """What can be done, with the commands ready."""
    tell = partial(out.print, soft_wrap=True)  # a command that is folded cannot be copied

    def offer(verb: str, *keys: str, **options: str) -> None:
        tell(f"    {plain(commands.offered(verb, *keys, **options))}")

    tell("\n[bold]What to do[/]")
    if hold.flow.endswith(REVERSED):
        tell("  Correct it where the reason says: each run of the flow tries it again. Where a person reversed it,")
        tell("  accept the difference; this hold then closes by itself.")
    else:
        tell("  Correct it where the reason says. The healing sensor sees it within minutes, where it is on; at once:")
        offer("replay", key=hold.key, flow=hold.flow)
    if kept := waiving.unwaivable(hold.rules):
        why = "; ".join(f"{rule} ({because})" for rule, because in kept.items())
        tell(f"  It cannot be released: {plain(why)}.")
    else:
        twice = "" if waiving.FOUR_EYES.isdisjoint(hold.rules) else "; two people say so, one after the other"
        tell(f"  Let it pass as it is, {_meaning(hold)}{twice}:")
        offer("holds release", hold.key, flow=hold.flow, reason=commands.REASON)
    tell("  Never send it as it is; if it changes at its source it is held again:")
    offer("holds discard", hold.key, flow=hold.flow, reason=commands.REASON)


def _meaning(hold: HoldEntry) -> str:
    if waiving.TAKEN_AS_KNOWN in hold.rules:
        return "which writes nothing: what was posted stays, and the change counts as known"
    if waiving.AT_THE_LOAD.issuperset(hold.rules):
        return "which tries it once more"
    return "for this content alone"


def _line(line: Attempt) -> dict[str, Any]:
    return {**{name: getattr(line, name) for name in line.__dataclass_fields__}, "at": line.at.isoformat()}
