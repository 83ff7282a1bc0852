"""`mlc shadow`: what loads in shadow would have written, each difference once."""

from __future__ import annotations

from typing import Annotated

import typer

from mlc_dagster.cli.shared.expected_names import expect
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.tables import moment, nothing, table
from mlc_dagster.core.terminal import plain, say_json, terminal

EXAMPLES = "Examples: mlc shadow --flow cin7/purchases · mlc shadow --key P00102 --json"

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def shadow(
    flow: Annotated[str | None, typer.Option(help="Such as cin7/purchases.")] = None,
    key: Annotated[str | None, typer.Option(help="The record's key.")] = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1)] = 50,
    json_: Annotated[bool, typer.Option("--json", help="JSON, and no table.")] = False,
) -> None:
    """What would have been written where mlc.yaml says `mode: shadow`, field by field; each content once."""
    with ledger() as opened:
        expect(opened, flow=flow)
        found, counts = opened.shadow.read(flow, key, limit), opened.shadow.count()
        if key is not None and not found:
            words = f"nothing was told in shadow of a record {key!r}{f' in {flow}' if flow else ''}"
            raise nothing(opened, words, key, flow)
    if json_:
        say_json([{**each._asdict(), "at": each.at.isoformat()} for each in found])
        return
    shown, out = table("at", "flow", "record", "would", "field", "before", "after"), terminal()
    for each in found:
        for place, (name, before, after) in enumerate(each.changes or (("", None, None),)):
            first = (moment(each.at), each.flow, each.key, each.does) if place == 0 else ("", "", "", "")
            shown.add_row(*map(plain, (*first, name, before or "", after or "")))
    if found:
        out.print(shown)
    told = [f"{name}: {number} {does}" for (name, does), number in sorted(counts.items()) if flow in (None, name)]
    out.print(plain("; ".join(told)) + ". Nothing was written." if told else "Nothing was told in shadow.")
