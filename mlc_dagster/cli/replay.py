"""`mlc replay`: prepare and load once more, by partition, run, key or rule, and say what moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.expected_names import expect
from mlc_dagster.cli.shared.lookup import NotFound, ledger, tell
from mlc_dagster.cli.shared.tables import nothing, person, table
from mlc_dagster.core import commands
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.inert import inert
from mlc_dagster.core.terminal import Terminal, paragraph, terminal

if TYPE_CHECKING:
    from mlc_dagster.core.flows import Flow
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.orchestration.automation.replaying import Place, Replayed, Stretch
    from mlc_dagster.settings import Settings

DELIVERED = ("created", "updated", "adopted", "unchanged", "stale")
COUNTS = (*DELIVERED, "superseded", "held", "discarded", "gone", "out_of_scope")
EXAMPLES = """Examples: mlc replay --flow cin7/purchases --partition 2026-11-03 --to 2026-11-05 ·
mlc replay --key P00102 · mlc replay --rule gl_accounts_exist --dry-run · mlc replay --run 1f0c92ab-... --read-again"""

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def replay(
    flow: Annotated[str | None, typer.Option(help="Of this flow, such as cin7/purchases.")] = None,
    partition: Annotated[str | None, typer.Option(help="A day or a company; needs --flow.")] = None,
    to: Annotated[str | None, typer.Option(help="With --partition: up to this one, included.")] = None,
    run: Annotated[str | None, typer.Option(help="All that a Dagster run touched, by its id.")] = None,
    key: Annotated[str | None, typer.Option(help="The partition in which a record lies.")] = None,
    rule: Annotated[str | None, typer.Option(help="All that is held by this rule.")] = None,
    all_held: Annotated[bool, typer.Option("--all-held", help="All that is on hold.")] = False,
    read_again: Annotated[bool, typer.Option("--read-again", help="Read the source once more, too.")] = False,
    also_unchanged: Annotated[
        bool, typer.Option("--also-unchanged", help="Send what is stale, too: mapped otherwise since it was delivered.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be replayed, and stop.")] = False,
    who: Annotated[str, typer.Option(help="Who replays. Default: the login name.", show_default=False)] = "",
) -> None:
    """Prepare and load stored rows once more; what the target has costs no request. Exit 1 where a run failed."""
    from mlc_dagster.orchestration.automation.replaying import flows_on, stretches
    from mlc_dagster.systems import configuration

    settings = configuration.load(settings_file.environment().config)
    flows = flows_on(settings)
    asked_by = {"partition": partition, "run": run, "key": key, "rule": rule, "all-held": all_held or None}
    _check(flow, settings, asked_by, to)
    with ledger(writes=not dry_run) as opened:
        expect(opened, rule=rule)
        if partition is not None:
            places = _days(flows, flow, partition, to, settings)
        else:
            places = _places(opened, flows, flow, run=run, key=key, rule=rule)
    plan, out = stretches(places, flows, settings), terminal()
    _print_plan(plan, read_again, out)
    if plan and not dry_run:
        asked = run or key or rule or partition or "all held"
        how = {"read_again": read_again, "also_unchanged": also_unchanged}
        _go(plan, settings, {"mlc/replay_of": asked, "mlc/who": person(who)}, how, out)


def _check(flow: str | None, settings: Settings, asked: Mapping[str, object], to: str | None) -> None:
    """Raises MlcError where it is not said, or said twice, what to replay; or by a flow that is not on."""
    from mlc_dagster.cli.shared.known_names import flow_that_is_on

    if flow is not None:
        flow_that_is_on(flow, settings)
    if to is not None and asked["partition"] is None:
        raise Misconfigured("--to ends a range of partitions", cure="Say where it begins: --partition 2026-11-03.")
    if len(named := [name for name, value in asked.items() if value is not None]) != 1:
        words = f"both --{' and --'.join(named)} are given" if named else "it is not said what to replay"
        raise Misconfigured(words, cure=f"One of: --{', --'.join(asked)}.")


def _days(
    flows: Mapping[str, Flow], flow: str | None, partition: str, to: str | None, settings: Settings
) -> Sequence[Place]:
    from mlc_dagster.orchestration.automation.replaying import between

    if flow is None:
        raise Misconfigured("--partition is of one flow", cure=f"Say which: --flow {', --flow '.join(flows)}")
    return between(flows[flow], partition, to or partition, settings)


def _places(
    opened: Ledger, flows: Mapping[str, Flow], flow: str | None, *, run: str | None, key: str | None, rule: str | None
) -> Sequence[Place]:
    from mlc_dagster.orchestration.automation.replaying import of_run

    if key is not None:
        return [_of_key(opened, flows, flow, key)]
    if run is None:
        lying = opened.history.held_partitions(flow=flow, rule=rule)
        _tell_of_those_off({place: number for place, number in lying.items() if place[0] not in flows})
        return sorted(place for place in lying if place[0] in flows and place[1])
    found = [place for place in of_run(opened, run, flows) if flow in (None, place[0])]
    if not found:
        like = ", ".join(opened.history.runs_like(run))
        cure = f"Give the whole id: {like}" if like else "`mlc audit show KEY --json` has the runs of a record."
        raise NotFound(f"the ledger knows of no run {run}{f' of {flow}' if flow else ''}", cure=cure)
    return found


def _tell_of_those_off(lying: Mapping[Place, int]) -> None:
    counted: Counter[str] = Counter()
    for (flow, _), number in lying.items():
        counted[flow] += number
    for name, count in sorted(counted.items()):
        tell(f"left out: {count} on hold of {name}, which is no flow that is on")


def _of_key(opened: Ledger, flows: Mapping[str, Flow], flow: str | None, key: str) -> Place:
    names = [flow] if flow else [name for name in opened.history.trail(key) if name in flows]
    lying = {name: partition for name in names if (partition := opened.history.partition_of(name, key))}
    if not lying and (off := sorted(opened.history.trail(key))) and flow is None:
        cure = f"Switch it on in mlc.yaml to replay it. What became of it: {commands.offered('audit show', key)}"
        raise NotFound(f"{inert(key)} moved in {', '.join(off)} alone, which is no flow that is on", cure=cure)
    if not lying:
        raise nothing(opened, f"the ledger knows of no record {key!r}{f' in {flow}' if flow else ''}", key, flow)
    if len(lying) > 1:
        raise NotFound(
            f"{inert(key)} moved in {len(lying)} flows: {', '.join(lying)}", cure=f"Say which: --flow {names[0]}"
        )
    return next(iter(lying.items()))


def _print_plan(plan: Sequence[Stretch], read_again: bool, out: Terminal) -> None:
    if not plan:
        out.print("Nothing is on hold there: nothing to replay.")
        return
    listed = table(
        "flow", "partitions", title="To be read, prepared and loaded" if read_again else "To be prepared and loaded"
    )
    for stretch in plan:
        days = " to ".join(dict.fromkeys((stretch.partitions[0], stretch.partitions[-1])))
        for flow in stretch.flows:
            listed.add_row(flow.name, days)
    out.print(listed)


def _go(
    plan: Sequence[Stretch], settings: Settings, tags: Mapping[str, str], how: Mapping[str, bool], out: Terminal
) -> None:
    from mlc_dagster.orchestration.automation import replaying
    from mlc_dagster.orchestration.automation.running import instance_at_home

    with instance_at_home() as instance:
        environment = settings_file.environment()
        done = replaying.replay(plan, settings, environment, instance, tags, **how)
    _print_moved(done, out)
    for failure in done.failures:
        out.print(f"[red]failed[/] {paragraph(failure)}")
    if done.failures:
        raise typer.Exit(1)


def _print_moved(done: Replayed, out: Terminal) -> None:
    shown = [name for name in COUNTS if any(moved.ends[name] for moved in done.moved.values())]
    listed = table("flow", "read", *(name.replace("_", " ") for name in shown), title="\nWhat moved")
    for name, moved in done.moved.items():
        listed.add_row(name, f"{moved.prepared['rows_read']:,.0f}", *(f"{moved.ends[each]:,.0f}" for each in shown))
    if done.moved:
        out.print(listed)
        out.print(f"[dim]run {', '.join(done.runs)}[/]")
