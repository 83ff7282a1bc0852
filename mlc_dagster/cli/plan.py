"""`mlc plan` and `mlc apply`: what a load would do, field by field; and doing just that, or nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.places import flow_that_is_on, ledger
from mlc_dagster.cli.tables import person, table
from mlc_dagster.core import commands
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.terminal import Terminal, paragraph, plain, say_json, terminal
from mlc_dagster.settings import file_modes as private
from mlc_dagster.systems import configuration

if TYPE_CHECKING:
    from mlc_dagster.settings import Settings

MOVED = 3  # the exit code of an apply that was refused
PENDING = 2  # with --detailed-exitcode: there is something to write
TO_PLAN = "mlc plan --flow cin7/purchases --partition 2026-11-05 --out plan.json"
EXAMPLES = """Examples: mlc plan --flow cin7/purchases --partition 2026-11-05 ·
mlc plan --flow cin7/purchases --partition 2026-11-05 --out plan.json, then mlc apply plan.json"""


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
    found = _plan(flow, partition)
    if out is not None:
        private.write_text(out, json.dumps(found, ensure_ascii=False, indent=2))
    if as_document:
        say_json(found)
    else:
        _show(found, terminal(), out)
    if detailed and found["writes"]:
        raise typer.Exit(PENDING)


def apply(
    file: Annotated[Path, typer.Argument(help="What mlc plan --out wrote.")],
    who: Annotated[str, typer.Option(help="Who applies. Default: the login name.", show_default=False)] = "",
) -> None:
    """Prepare and load as planned; exit 3, and nothing is written, where records or ledger have moved since."""
    from mlc_dagster.orchestration.automation import replaying
    from mlc_dagster.orchestration.automation.running import instance_at_home

    planned, shown = _read(file), terminal()
    now = _plan(planned["flow"], planned["partition"])
    if now["digest"] != planned["digest"]:
        _show_moved(planned, now, shown)
        raise typer.Exit(MOVED)
    environment = settings_file.environment()
    settings = configuration.load(environment.config)
    flows = replaying.flows_on(settings)
    stretch = replaying.stretches([(planned["flow"], planned["partition"])], flows, settings)
    with instance_at_home() as instance:
        tags = {"mlc/plan": planned["digest"], "mlc/who": person(who)}
        done = replaying.replay(stretch, settings, environment, instance, tags)
    for failure in done.failures:
        shown.print(f"[red]failed[/] {paragraph(failure)}")
    for name, moved in done.moved.items():
        counts = ", ".join(f"{count:,.0f} {end.replace('_', ' ')}" for end, count in moved.ends.items() if count)
        shown.print(f"{name} {planned['partition']}: {counts or 'nothing to do'}")
    if done.failures:
        raise typer.Exit(1)


def _plan(flow: str, partition: str) -> dict[str, Any]:
    from mlc_dagster.orchestration.automation import planning, replaying
    from mlc_dagster.orchestration.location import resources

    environment = settings_file.environment()
    settings: Settings = configuration.load(environment.config)
    flow_that_is_on(flow, settings)
    flows = replaying.flows_on(settings)
    replaying.between(flows[flow], partition, partition, settings)
    with ledger():  # it must be there; the job reads it as its own
        job = planning.plan_job(list(flows.values()), settings, resources(settings, environment, shares_budget=False))
        return planning.run(job, flow, partition)


def _read(file: Path) -> dict[str, Any]:
    """Raises Misconfigured for another file."""
    if not file.is_file():
        raise Misconfigured(f"there is no plan at {file}", cure=f"Make one: {TO_PLAN}")
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        _ = found["flow"], found["partition"], found["digest"], found["steps"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Misconfigured(f"{file} is no plan: {error}", cure=f"Make one: {TO_PLAN}") from None
    return dict(found)


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
