"""`mlc flows`: what moves from where to where, of the systems of the house and of installed packages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlc_dagster.cli.shared.lookup import settings_here
from mlc_dagster.cli.shared.tables import table
from mlc_dagster.core.terminal import plain, say_json, terminal

if TYPE_CHECKING:
    from mlc_dagster.core.flows import Flow
    from mlc_dagster.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def flows(as_json: Annotated[bool, typer.Option("--json", help="A list of objects, and no table.")] = False) -> None:
    """List what moves: from where to where, whether mlc.yaml has it on, its rules."""
    from mlc_dagster.systems import configuration

    settings = settings_here()
    found = [_told(flow, settings) for flow in configuration.known_flows(settings).values()]
    if as_json:
        say_json(found)
        return
    shown = table("flow", "from", "to", "on", "what")
    for each in found:
        shown.add_row(*map(plain, _cells(each)))
    terminal().print(shown)


def _told(flow: Flow, settings: Settings | None) -> dict[str, Any]:
    from mlc_dagster.cli.shared.known_names import why_off

    return {
        "flow": flow.name,
        "from": "/".join(flow.source.key),
        "to": f"{flow.target.system}/{flow.target.name}",
        "off": why_off(flow.name, settings),
        "rules": [rule.__name__ for rule in flow.rules],
        "description": flow.description,
    }


def _cells(told: dict[str, Any]) -> Iterator[str]:
    yield from (told["flow"], told["from"], told["to"])
    yield told["off"] or "on"
    yield told["description"]
