"""`mlc status`: what is on, what is paused and why, what is on hold since when, and when each flow was last loaded."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.tables import moment, table
from mlc_dagster.core.terminal import Terminal, plain, say_json, terminal

if TYPE_CHECKING:
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def status(json_: Annotated[bool, typer.Option("--json", help="JSON, and no tables.")] = False) -> None:
    """What is on and what is paused; of each flow what is on hold, since when, and its last load."""
    from mlc_dagster.systems import configuration

    settings = configuration.load(settings_file.environment().config)
    with ledger() as opened:
        found = {"systems": _systems(opened, settings), "flows": _flows(opened, settings)}
    if json_:
        say_json(found)
    else:
        _show(found, terminal())


def _systems(opened: Ledger, settings: Settings) -> list[dict[str, Any]]:
    from mlc_dagster.systems import configuration

    pauses, tasks, silent = opened.pauses.standing(), opened.work.all(), opened.work.silent()
    return [
        {
            "system": name,
            "on": name in settings.connections,
            "shadow": settings.is_shadow(name),
            "paused": _paused(pauses[name]) if name in pauses else None,
            "waiting_until": silent[name].isoformat() if name in silent else None,
            "loads_waiting": sum(task.connection == name for task in tasks),
        }
        for name in configuration.connections(settings)
    ]


def _paused(pause: Any) -> dict[str, str]:
    return {"by": pause.who, "since": pause.at.isoformat(), "reason": pause.reason, "says": str(pause)}


def _flows(opened: Ledger, settings: Settings) -> list[dict[str, Any]]:
    """Those that are on, and those of which something is on hold still."""
    stock, latest, differing = opened.history.stock(), opened.loads.latest(), _differing(opened)
    names = dict.fromkeys([*_on(settings), *sorted(stock), *sorted(differing)])
    return [
        {
            "flow": name,
            "on_hold": stock[name].holds if name in stock else 0,
            "differences": differing.get(name, 0),
            "oldest_hold": stock[name].oldest.isoformat() if name in stock else None,
            "last_load": latest[name].ended_at.isoformat() if name in latest else None,
            "last_loaded": latest[name].partition if name in latest else None,
        }
        for name in names
    ]


def _differing(opened: Ledger) -> Counter[str]:
    """Flow -> differences that are open: what a target keeps otherwise than the ERP."""
    found: Counter[str] = Counter()
    for (flow, _), number in opened.differences.count().items():
        found[flow] += number
    return found


def _on(settings: Settings) -> list[str]:
    from mlc_dagster.systems import configuration

    known = configuration.flows(settings)
    tables = [(known[name], configuration.switched_off(settings, name)) for name in settings.targets]
    return [flow.name for flows, off in tables for flow in flows if flow.name not in off]


def _show(found: dict[str, Any], out: Terminal) -> None:
    systems = table("system", "state")
    for each in found["systems"]:
        systems.add_row(each["system"], plain(_state(each)))
    out.print(systems)
    out.print()
    flows = table("flow", "on hold", "since", "differ", "last load", "of")
    for each in found["flows"]:
        since, last = _when(each["oldest_hold"]), _when(each["last_load"])
        numbers = str(each["on_hold"] or ""), since, str(each["differences"] or "")
        flows.add_row(each["flow"], *numbers, last or "never", each["last_loaded"] or "")
    out.print(flows)
    if any(each["on_hold"] for each in found["flows"]):
        out.print("What is on hold, and why: mlc holds list")


def _state(system: dict[str, Any]) -> str:
    number = system["loads_waiting"]
    waiting = f"{number} load{'s wait' if number > 1 else ' waits'}"
    if system["paused"]:
        return f"{system['paused']['says']}" + (f" ({waiting})" if number else "")
    if system["waiting_until"]:
        until = f"waiting until {_when(system['waiting_until'])}: it asks to be left alone"
        return until + (f" ({waiting})" if number else "")
    mode = "in shadow: nothing is written; mlc shadow" if system["shadow"] else "on" if system["on"] else "off"
    return mode + (f"; {waiting} for the sensor `due`" if number else "")


def _when(text: str | None) -> str:
    from datetime import datetime

    return moment(datetime.fromisoformat(text)) if text else ""
