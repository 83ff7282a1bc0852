"""`mlc`: the sandbox, the demo, the UI, and a word on whether the settings and the connections are right."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.alerts import app as alerts
from mlc_dagster.cli.audit import app as audit
from mlc_dagster.cli.credentials import app as credentials
from mlc_dagster.cli.duplicates import EXAMPLES as LOOKS
from mlc_dagster.cli.duplicates import duplicates
from mlc_dagster.cli.flows import flows
from mlc_dagster.cli.holds import app as holds
from mlc_dagster.cli.ledger import app as ledger
from mlc_dagster.cli.pause import PAUSES, RESUMES, pause, resume
from mlc_dagster.cli.plan import EXAMPLES as PLANS
from mlc_dagster.cli.plan import apply, plan
from mlc_dagster.cli.replay import EXAMPLES, replay
from mlc_dagster.cli.shadow import EXAMPLES as SHADOWS
from mlc_dagster.cli.shadow import shadow
from mlc_dagster.cli.status import status
from mlc_dagster.cli.terminal import Terminal, paragraph, plain, say_json, terminal
from mlc_dagster.core.errors import MlcError
from mlc_dagster.sandbox.__main__ import main as sandbox
from mlc_dagster.systems import configuration

if TYPE_CHECKING:
    from mlc_dagster.systems.shared.findings import Finding

app = typer.Typer(
    help="IFS Cloud and the SaaS beside it, kept in agreement by Dagster.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # they would hold secrets
)
out, err = terminal(130, highlight=True), Terminal(stderr=True)


@app.command()
def demo(
    days: Annotated[int, typer.Option(help="How many days back, today included.", min=1, max=30)] = 7,
    folder: Annotated[Path, typer.Option(help="Where the demo keeps its state.")] = settings_file.DEMO_FOLDER,
) -> None:
    """Move everything from a sandbox ERP to the sandbox SaaS through real Dagster runs, twice, and show what moved."""
    from mlc_dagster.demo import run_demo

    run_demo(folder, days, out)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 3000,
    of_the_demo: Annotated[bool, typer.Option("--demo", help="On the demo, where there is an mlc.yaml too.")] = False,
) -> None:
    """Open Dagster's UI on the demo, or on your own mlc.yaml where there is one."""
    from mlc_dagster.demo import run_ui

    run_ui(port, out, demo=of_the_demo)


app.command("sandbox")(sandbox)
app.add_typer(credentials, name="credentials")
app.add_typer(holds, name="holds")
app.add_typer(audit, name="audit")
app.add_typer(alerts, name="alerts")
app.add_typer(ledger, name="ledger")
app.command("replay", epilog=EXAMPLES)(replay)
app.command("plan", epilog=PLANS)(plan)
app.command("apply")(apply)
app.command("duplicates", epilog=LOOKS)(duplicates)
app.command("pause", epilog=PAUSES)(pause)
app.command("resume", epilog=RESUMES)(resume)
app.command("shadow", epilog=SHADOWS)(shadow)
app.command("status")(status)
app.command("flows")(flows)


@app.command()
def check(config: Annotated[Path | None, typer.Argument(help="Default: MLC_CONFIG, or mlc.yaml.")] = None) -> None:
    """Read mlc.yaml and name every mistake by its line and its path."""
    from mlc_dagster.cli.exposure import open_to_others
    from mlc_dagster.orchestration.settings_check import checked, plain_addresses
    from mlc_dagster.transport.proxies import check_way_out, odd_exceptions

    path = config or settings_file.environment().config
    found = checked(path)
    check_way_out()
    on = ", ".join(found.targets)
    out.print(f"{plain(str(path))}: correct. Companies {', '.join(found.companies)}; switched on: ifs, {on}")
    for name, reason in plain_addresses(found):
        err.print(f"[yellow]plain http[/] {name}, because: {plain(reason)}", highlight=False, soft_wrap=True)
    if words := odd_exceptions():
        err.print(f"[yellow]proxy[/] {paragraph(words)}", highlight=False, soft_wrap=True)
    if words := open_to_others(settings_file.environment()):
        err.print(f"[yellow]open[/] {paragraph(words)}", highlight=False, soft_wrap=True)


@app.command()
def schema() -> None:
    """Print the JSON schema of mlc.yaml, for editors."""
    typer.echo(configuration.json_schema())


@app.command()
def ping(
    as_json: Annotated[
        bool, typer.Option("--json", help="A list of {system, what, ok, answer}, and no table.")
    ] = False,
    within: Annotated[float, typer.Option(help="Seconds that each connection may take.", min=0.1)] = 10.0,
) -> None:
    """Ask every connection that is on, at once, whether all is there. Exit 1 where something is missing."""
    from mlc_dagster.ledger.credentials import sealed
    from mlc_dagster.systems.ping import ping_all, still_asking

    findings = ping_all(configuration.load(settings_file.environment().config), sealed, within)
    if as_json:
        say_json([asdict(finding) for finding in findings])
    else:
        _show(findings)
    code = 0 if all(finding.ok for finding in findings) else 1
    if still_asking():  # a thread that outlives the interpreter would take it down
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    raise typer.Exit(code)


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Port on 127.0.0.1; default: web.port in mlc.yaml.")] = None,
) -> None:
    """Take in webhooks of the sources in web.sources, for the sensors to run on.

    It listens on 127.0.0.1 and speaks plain HTTP: deploy it behind a proxy with TLS.

    Let the proxy pass on /webhooks/ alone, and log no addresses: they may hold a secret.

    docs/webhooks.md tells more.
    """
    from mlc_dagster.web.serve import serve as serve_webhooks

    serve_webhooks(configuration.load(settings_file.environment().config), port)


def _show(findings: list[Finding]) -> None:
    """What is wrong comes last: it stands next to the prompt."""
    table = Table("connection", "what", Column("answer", overflow="fold"), box=None)
    for finding in sorted(findings, key=lambda finding: not finding.ok):
        mark = "[green]ok[/] " if finding.ok else "[red]✗[/] "
        table.add_row(finding.system, plain(finding.what), mark + paragraph(finding.answer))
    out.print(table)


OF_RECORDS = (
    *("holds", "audit", "ledger", "replay", "plan", "apply", "duplicates"),
    *("pause", "resume", "shadow", "status"),
)
"""Commands that tell of records, and so of the demo's where there is nothing else."""


def _stand_in() -> None:
    """Where there is no mlc.yaml, the demo in .mlc-demo is meant."""
    folder = settings_file.DEMO_FOLDER
    if settings_file.is_chosen() or not folder.is_dir():
        return
    from mlc_dagster.demo.folder import absolute, is_demo
    from mlc_dagster.demo.place import Place

    if is_demo(folder):
        os.environ.update(Place(absolute(folder)).environment())
        err.print(f"[dim]no mlc.yaml here: the demo in {folder}/[/]", highlight=False)


def main() -> None:
    """Our errors in their own words, without a traceback; exit 2."""
    try:
        if sys.argv[1:2] and sys.argv[1] in OF_RECORDS:
            _stand_in()
        app()
    except MlcError as error:
        err.print(f"[red]{type(error).__name__}[/] {paragraph(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(2)
