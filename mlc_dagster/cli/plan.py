"""`mlc plan`: what a load would do, field by field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from mlc_dagster.cli.shared.planning import planned
from mlc_dagster.cli.shared.tables import table
from mlc_dagster.core import commands
from mlc_dagster.core.terminal import Terminal, plain, say_json, terminal
from mlc_dagster.settings import file_modes as private

PENDING = 2  # with --detailed-exitcode: there is something to write
EXAMPLES = """Examples: mlc plan --flow cin7/purchases --partition 2026-11-05 ·
mlc plan --flow cin7/purchases --partition 2026-11-05 --out plan.json, then mlc apply plan.json"""

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def plan(
    flow: Annotated[str, typer.Option(help="Such as cin7/purchases.")],
    partition: Annotated[str, typer.Option(help="A day (2026-11-05) or a company.")],
    out: Annotated[Path | None, typer.Option(help="Write the plan to this file, for mlc apply.")] = None,
    as_document: Annotated[bool, typer.Option("--json", help="The plan as JSON, and no table.")] = False,
    detailed: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit 2 where there is something to write.")
    ] = False,
) -> None:
    """Say what a load of the stored rows would do, field by field. Writes nothing, anywhere."""
    found = planned(flow, partition)
    if out is not None:
        private.write_text(out, json.dumps(found, ensure_ascii=False, indent=2))
    if as_document:
        say_json(found)
    else:
        _show(found, terminal(), out)
    if detailed and found["writes"]:
        raise typer.Exit(PENDING)


def _show(found: Mapping[str, Any], out: Terminal, file: Path | None) -> None:
    listed = table("record", "does", "field", "before", "after")
    for step in found["steps"]:
        if step["does"] in ("nothing", "superseded", "out of scope", "discarded"):
            continue
        rows = step["changes"] or [{"field": step["why"], "before": None, "after": None}]
        for place, change in enumerate(rows):
            first = (step["key"], step["does"]) if place == 0 else ("", "")
            listed.add_row(*map(plain, (*first, change["field"], change["before"] or "", change["after"] or "")))
    if listed.row_count:
        out.print(listed)
    counts = ", ".join(f"{count} {does}" for does, count in found["counts"].items()) or "no rows"
    out.print(f"{found['flow']} {found['partition']}: {counts}. Nothing was written.")
    if file is not None:
        out.print(f"To do just this: {plain(commands.offered('apply', str(file)))}", soft_wrap=True)
