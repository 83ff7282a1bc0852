"""`mlc discover`: what a system has, as a proposal for mlc.yaml."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Column, Table

from mlc_dagster import settings as settings_file
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.inert import inert_lines
from mlc_dagster.core.terminal import Terminal, beside, paragraph, plain, say_json, terminal

if TYPE_CHECKING:
    from mlc_dagster.core.flows import Flow
    from mlc_dagster.settings import Settings
    from mlc_dagster.systems.shared.discovery import Discovery

EXAMPLES = "Examples: mlc discover ifs · mlc discover ifs --out entity_sets.yaml"

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def discover(
    connection: Annotated[str, typer.Argument(help="Its section in mlc.yaml: ifs.")],
    out: Annotated[Path | None, typer.Option(help="Write the proposal to this file; never to mlc.yaml.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Where --out is there already, write over it.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="{proposal, findings}, and no table.")] = False,
) -> None:
    """Ask a system what it has, and propose what mlc.yaml could say of it. Reads only; changes nothing.

    The proposal goes to stdout, the summary beside it. What matched by exact name and type stands in it; what did not
    is a comment with a question to the system's administrator.
    """
    from mlc_dagster.ledger.credentials import sealed
    from mlc_dagster.settings import file_modes
    from mlc_dagster.systems import configuration
    from mlc_dagster.systems.discover import discover as asked

    config = settings_file.environment().config
    _refuse_to_overwrite(out, config, force)
    settings = configuration.load(config)
    found = asked(settings, connection, sealed, _flows(settings))
    if out is not None:
        file_modes.write_text(out, found.proposal)
    if as_json:
        say_json({"proposal": found.proposal, "findings": [asdict(each) for each in found.findings]})
        return
    if out is None:
        typer.echo(inert_lines(found.proposal), nl=False)
    _show(found, terminal(130) if out else Terminal(stderr=True, width=130))
    if out is not None:
        beside(f"written to {out}: put it under `{connection}:` of {config}, then mlc check && mlc ping")


def _refuse_to_overwrite(out: Path | None, config: Path, force: bool) -> None:
    if out is None:
        return
    if out.resolve() == config.resolve():
        raise Misconfigured(f"{out} is what this command never edits", cure="Give --out another file, and paste it in.")
    if out.exists() and not (force and out.is_file()):
        raise Misconfigured(f"{out} is there already", cure="Give another name, or --force to write over that file.")


def _flows(settings: Settings) -> list[Flow]:
    """Those that are on; all of the house where mlc.yaml has none on yet."""
    from mlc_dagster.cli.shared.known_names import why_off
    from mlc_dagster.systems import configuration

    every = configuration.known_flows(settings)
    return [flow for name, flow in every.items() if not why_off(name, settings)] or list(every.values())


def _show(found: Discovery, out: Terminal) -> None:
    """What is not sure comes last."""
    listed = Table("connection", "what", Column("found", overflow="fold"), box=None)
    for each in sorted(found.findings, key=lambda each: not each.ok):
        mark = "[green]ok[/] " if each.ok else "[yellow]?[/] "
        listed.add_row(each.system, plain(each.what), mark + paragraph(each.answer))
    out.print(listed)
