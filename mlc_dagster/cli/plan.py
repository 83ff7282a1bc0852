"""`mlc plan`: what a load would do, field by field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from mlc_dagster.cli.shared.planning import planned, planned_together
from mlc_dagster.cli.shared.tables import table
from mlc_dagster.core import commands
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.terminal import Terminal, plain, say_json, terminal
from mlc_dagster.settings import file_modes as private

NAMED = 5  # days that were not read
PENDING = 2  # with --detailed-exitcode: there is something to write
EXAMPLES = """Examples: mlc plan --flow cin7/purchases --partition 2026-11-05 ·
mlc plan --flow cin7/purchases --partition 2026-11-05 --out plan.json, then mlc apply plan.json ·
mlc plan --partition 2026-11-01 --to 2026-11-05"""

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def plan(
    partition: Annotated[str, typer.Option(help="A day (2026-11-05) or a company.")],
    flow: Annotated[str | None, typer.Option(help="Such as cin7/purchases. Left out: all that are on, by day.")] = None,
    to: Annotated[str | None, typer.Option(help="The last of a range of days that begins with --partition.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the plan to this file, for mlc apply.")] = None,
    as_document: Annotated[bool, typer.Option("--json", help="The plan as JSON, and no table.")] = False,
    detailed: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 where there is something to write.")
    ] = False,
) -> None:
    """Say what a load of the stored rows would do, field by field. Writes nothing, anywhere."""
    if flow is None or to is not None:
        if out is not None:
            raise Misconfigured("--out writes a plan of one flow and day", cure="Give --flow and --partition alone.")
        found = planned_together(flow, partition, to or partition)
    else:
        found = planned(flow, partition)
    if out is not None:
        private.write_text(out, json.dumps(found, ensure_ascii=False, indent=2))
    if as_document:
        say_json(found)
    elif "plans" in found:
        _show_all(found, terminal())
    else:
        _show(found, terminal(), out)
    if detailed and found["writes"]:
        raise typer.Exit(PENDING)


def _show_all(found: Mapping[str, Any], out: Terminal) -> None:
    for each in found["plans"]:
        _show(each, out, None)
    if unread := found["unread"]:
        days = ", ".join(f"{flow} {day}" for flow, day in unread[:NAMED])
        more = f" and {len(unread) - NAMED} more" if len(unread) > NAMED else ""
        out.print(plain(f"Not read, and so not planned: {days}{more}."), soft_wrap=True)
    out.print(f"{found['writes']} would be written in all. Nothing was written.")


def _show(found: Mapping[str, Any], out: Terminal, file: Path | None) -> None:
    listed = table("record", "does", "field", "before", "after")
    for step in found["steps"]:
        if step["does"] in ("nothing", "superseded", "out of scope", "discarded"):
            continue
        rows = step["changes"] or [{"field": step["why"], "before": None, "after": None}]
        for place, change in enumerate(rows):
            does = f"{step['does']} after {', '.join(step['after'])}" if step.get("after") else step["does"]
            first = (step["key"], does) if place == 0 else ("", "")
            listed.add_row(*map(plain, (*first, change["field"], change["before"] or "", change["after"] or "")))
    if listed.row_count:
        out.print(listed)
    counts = ", ".join(f"{count} {does}" for does, count in found["counts"].items()) or "no rows"
    out.print(f"{found['flow']} {found['partition']}: {counts}. Nothing was written.")
    if file is not None:
        out.print(f"To do just this: {plain(commands.offered('apply', str(file)))}", soft_wrap=True)
