"""`mlc apply`: do just what was planned, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared import planning
from mlc_dagster.cli.shared.tables import person, table
from mlc_dagster.core import commands
from mlc_dagster.core.terminal import Terminal, paragraph, plain, terminal

MOVED = 3  # the exit code of an apply that was refused

app = typer.Typer(add_completion=False)


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="What mlc plan --out wrote.")],
    also_unchanged: Annotated[
        bool, typer.Option("--also-unchanged", help="Send what the plan calls stale, too.")
    ] = False,
    who: Annotated[str, typer.Option(help="Who applies. Default: the login name.", show_default=False)] = "",
) -> None:
    """Prepare and load as planned; exit 3, and nothing is written, where records or ledger have moved since."""
    from mlc_dagster.orchestration.automation import replaying
    from mlc_dagster.orchestration.automation.running import instance_at_home
    from mlc_dagster.systems import configuration

    planned, shown = planning.read(file), terminal()
    now = planning.planned(planned["flow"], planned["partition"])
    if now["digest"] != planned["digest"]:
        _show_moved(planned, now, shown)
        raise typer.Exit(MOVED)
    environment = settings_file.environment()
    settings = configuration.load(environment.config)
    flows = replaying.flows_on(settings)
    stretch = replaying.stretches([(planned["flow"], planned["partition"])], flows, settings)
    with instance_at_home() as instance:
        tags = {"mlc/plan": planned["digest"], "mlc/who": person(who)}
        done = replaying.replay(stretch, settings, environment, instance, tags, also_unchanged=also_unchanged)
    for failure in done.failures:
        shown.print(f"[red]failed[/] {paragraph(failure)}")
    for name, moved in done.moved.items():
        counts = ", ".join(f"{count:,.0f} {end.replace('_', ' ')}" for end, count in moved.ends.items() if count)
        shown.print(f"{name} {planned['partition']}: {counts or 'nothing to do'}")
    if done.failures:
        raise typer.Exit(1)


def _show_moved(planned: Mapping[str, Any], now: Mapping[str, Any], out: Terminal) -> None:
    before, after = ({step["key"]: step for step in each["steps"]} for each in (planned, now))
    keys = [key for key in dict.fromkeys([*before, *after]) if _state(before.get(key)) != _state(after.get(key))]
    out.print(f"[red]refused[/] {len(keys)} record(s) have moved since the plan was made; nothing was written.")
    listed = table("record", "planned", "now")
    for key in keys[:50]:
        listed.add_row(*(plain(text) for text in (key, _does(before.get(key)), _does(after.get(key)))))
    out.print(listed)
    again = commands.offered("plan", flow=planned["flow"], partition=planned["partition"], out="plan.json")
    out.print(f"Plan again: {plain(again)}", soft_wrap=True)


def _state(step: Mapping[str, Any] | None) -> Sequence[str]:
    return () if step is None else (step["does"], step["mark"])


def _does(step: Mapping[str, Any] | None) -> str:
    return "was not there" if step is None else str(step["does"])
