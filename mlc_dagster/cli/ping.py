"""`mlc ping`: whether every connection answers as it should."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from mlc_dagster import settings as settings_file
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.terminal import paragraph, plain, say_json, terminal

if TYPE_CHECKING:
    from mlc_dagster.core.accounts import Account
    from mlc_dagster.systems.shared.findings import Finding

CERTAINTY = "What each answer rests on, and where your tenant may surprise you: docs/certainty.md"

app = typer.Typer(add_completion=False)


@app.command()
def ping(
    as_json: Annotated[
        bool, typer.Option("--json", help="A list of {system, what, ok, answer}, and no table.")
    ] = False,
    within: Annotated[float, typer.Option(help="Seconds that each connection may take.", min=0.1)] = 10.0,
) -> None:
    """Ask every connection that is on, at once, whether all is there. Exit 1 where something is missing."""
    from mlc_dagster.ledger.credentials import sealed
    from mlc_dagster.ledger.replaced_secrets import replaced
    from mlc_dagster.systems import configuration
    from mlc_dagster.systems.ping import ping_all, still_asking

    settings = configuration.load(settings_file.environment().config)
    findings = ping_all(settings, sealed, within, _known_account, replaced)
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


def _show(findings: list[Finding]) -> None:
    """What is wrong comes last: it stands next to the prompt."""
    table = Table("connection", "what", Column("answer", overflow="fold"), box=None)
    for finding in sorted(findings, key=lambda finding: not finding.ok):
        mark = "[green]ok[/] " if finding.ok else "[red]✗[/] "
        table.add_row(finding.system, plain(finding.what), mark + paragraph(finding.answer))
    out = terminal(130, highlight=True)
    out.print(table)
    out.print(CERTAINTY, highlight=False, style="dim", soft_wrap=True)


def _known_account(connection: str) -> Account | None:
    """What the ledger knows a connection as; None where it knows none, or where there is no ledger. Makes nothing."""
    from mlc_dagster.core.accounts import Account
    from mlc_dagster.ledger import Ledger

    try:
        here = settings_file.environment()
        with Ledger.to_read(here.database_url, here.tenant) as opened:
            known = opened.accounts.known(connection)
    except Misconfigured:
        return None
    return Account(known.identity, known.title) if known else None
