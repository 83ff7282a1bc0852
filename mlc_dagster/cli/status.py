"""`mlc status`: what is on, what is paused; of each flow its last load, what is due and why, on hold, and different."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.flow_status import amounts_in_a_line, cause_as_told, flows_of, work_of
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.tables import moment, table
from mlc_dagster.core.terminal import Terminal, plain, say_json, terminal

if TYPE_CHECKING:
    from mlc_dagster.ledger import Ledger, Task
    from mlc_dagster.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def status(json_: Annotated[bool, typer.Option("--json", help="JSON, and no tables.")] = False) -> None:
    """What is on and what is paused; of each flow its last load, what is due, on hold and different, since when."""
    from mlc_dagster.pipeline.due_causes import by_cause
    from mlc_dagster.systems import configuration

    settings = configuration.load(settings_file.environment().config)
    with ledger() as opened:
        tasks = opened.work.all()
        found = {
            "systems": _systems(opened, settings, tasks),
            "flows": flows_of(opened, settings, tasks),
            "reads": {name: work_of(of_one) for name, of_one in _reads(tasks).items()},
            "causes": [cause_as_told(cause) for cause in by_cause(tasks)],
        }
    if json_:
        say_json(found)
    else:
        _show(found, terminal())


def _reads(tasks: Sequence[Task]) -> dict[str, list[Task]]:
    """What is to be read -> its tasks."""
    found: dict[str, list[Task]] = {}
    for task in tasks:
        if task.flow.startswith("read "):
            found.setdefault(task.flow.removeprefix("read "), []).append(task)
    return found


def _systems(opened: Ledger, settings: Settings, tasks: Sequence[Task]) -> list[dict[str, Any]]:
    from mlc_dagster.systems import configuration

    pauses, silent = opened.pauses.standing(), opened.work.silent()
    return [
        {
            "system": name,
            "on": name in settings.connections,
            "shadow": settings.is_shadow(name),
            "paused": _paused(pauses[name]) if name in pauses else None,
            "waiting_until": silent[name].isoformat() if name in silent else None,
            "loads_waiting": sum(task.connection == name and not task.failed for task in tasks),
        }
        for name in configuration.connections(settings)
    ]


def _paused(pause: Any) -> dict[str, str]:
    return {"by": pause.who, "since": pause.at.isoformat(), "reason": pause.reason, "says": str(pause)}


def _show(found: dict[str, Any], out: Terminal) -> None:
    systems = table("system", "state")
    for each in found["systems"]:
        systems.add_row(each["system"], plain(_state(each)))
    out.print(systems)
    out.print()
    flows = table(
        "flow", "last load", "of", "due", "on hold", "since", "amount", "differ", "since", "amount", "stale", "next"
    )
    for each in found["flows"]:
        flows.add_row(*map(plain, _row(each)))
    out.print(flows)
    for cause in found["causes"]:
        out.print(plain(_sentence(cause)), soft_wrap=True)
    if any(each["on_hold"] for each in found["flows"]):
        out.print("What is on hold, and why: mlc holds list")
    if any(each["stale"] for each in found["flows"]):
        out.print("Stale is what would be made otherwise today: mlc replay --also-unchanged sends it.")


def _row(flow: dict[str, Any]) -> tuple[str, ...]:
    due = str(flow["due"] or "") + (f" ({flow['needs_person']} need a person)" if flow["needs_person"] else "")
    held = str(flow["on_hold"] or ""), _when(flow["oldest_hold"]), amounts_in_a_line(flow["held_amounts"])
    differ = str(flow["differences"] or ""), _when(flow["oldest_difference"])
    last = _when(flow["last_load"]) or "never", flow["last_loaded"] or ""
    following = f"{flow['next_tick']:%H:%M}" if flow["next_tick"] else ""
    amounts = amounts_in_a_line(flow["differing_amounts"])
    return (flow["flow"], *last, due, *held, *differ, amounts, _stale(flow), following)


def _stale(flow: dict[str, Any]) -> str:
    """How many, and what they come to as they were delivered."""
    amounts = amounts_in_a_line(flow["stale_amounts"])
    return f"{flow['stale'] or ''}" + (f" ({amounts})" if amounts else "")


def _sentence(cause: dict[str, Any]) -> str:
    what = f"{cause['loads']} load{'s' if cause['loads'] > 1 else ''} of {', '.join(cause['flows'])}"
    if cause["needs_person"]:
        return f"{cause['cause']}: {what}: {cause['says']} When it is mended: {cause['command']}"
    return f"{cause['cause']}: {what} tried again at {cause['until']:%Y-%m-%d %H:%M} UTC: {cause['says']}"


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
