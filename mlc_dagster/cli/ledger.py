"""`mlc ledger`: the database that remembers what was delivered; where it is, whether it is sound, its backups."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.ledger_move import move
from mlc_dagster.cli.places import ledger, shown
from mlc_dagster.cli.tables import moment
from mlc_dagster.cli.terminal import Terminal, plain, say, say_json, terminal
from mlc_dagster.core import commands
from mlc_dagster.ledger.upkeep.restoring import Restored
from mlc_dagster.ledger.upkeep.restoring import restore as put_back
from mlc_dagster.ledger.upkeep.soundness import Look

app = typer.Typer(
    help="The ledger: what was delivered, tried, held and read, in one database.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # they would hold secrets
)
JsonOption = Annotated[bool, typer.Option("--json", help="JSON, and no table.")]
FileArgument = Annotated[Path, typer.Argument(help="Such as ledger-2026-11-05.zip.")]


app.command(epilog="Example: mlc ledger move postgresql://mlc@db.example/ledger --dry-run")(move)


@app.callback()
def about() -> None:
    """The ledger: what was delivered, tried, held and read, in one database."""


@app.command()
def migrate() -> None:
    """Bring the tables of a ledger that an older release wrote up to this one. Nothing that it holds is lost."""
    with ledger(writes=True):
        say("Its tables are those of this release.")


@app.command()
def where(json_: JsonOption = False) -> None:
    """Which database it is, how large, and what is in it; where the rows between the assets are."""
    storage = settings_file.environment().storage
    with ledger() as opened:
        found = opened.keeping.about()
    if json_:
        say_json({**asdict(found), "storage": storage})
        return
    rows = ", ".join(f"{count:,} {name}" for name, count in found.rows.items() if count) or "none"
    last = f"{moment(found.last_line_at)} UTC" if found.last_line_at else "nothing was ever written"
    facts = {
        "ledger": f"{found.kind}, {found.place}",
        "revision": f"{found.revision}, that of this release",
        "size": f"{found.bytes / 1_000_000:,.1f} MB",
        "rows": rows,
        "last line of the trail": last,
        "stored rows": storage,
    }
    for name, value in facts.items():
        terminal().print(f"{name:24}{plain(value)}", soft_wrap=True)


@app.command()
def check(
    json_: JsonOption = False,
    rows: Annotated[bool, typer.Option("--rows/--no-rows", help="Read every stored file of rows, too.")] = True,
) -> None:
    """Whether the ledger is sound: its file, its tables, its trail, and the stored rows beside it; exit 1 if not."""
    from mlc_dagster.orchestration.storage.stored_files import look as look_at_rows

    storage, looks = settings_file.environment().storage, list[Look]()
    with ledger() as opened:
        for look in opened.keeping.looks():
            looks.append(look)
        if rows:
            looks.append(look_at_rows(storage, opened))
    sound = not any(look.faults for look in looks)
    if json_:
        say_json({"sound": sound, "looks": [asdict(look) for look in looks]})
    else:
        _print_looks(looks, terminal())
    raise typer.Exit(0 if sound else 1)


@app.command(epilog="Example: mlc ledger backup ledger-2026-11-05.zip")
def backup(file: FileArgument) -> None:
    """Write the whole ledger of this moment to a new file, while runs go on. Sealed secrets stay sealed in it."""
    with ledger() as opened:
        manifest = opened.keeping.backup(file)
    rows = sum(manifest.rows.values())
    size = file.stat().st_size / 1_000_000
    say(f"{file}: {rows:,} rows of {moment(manifest.taken_at)} UTC, {size:,.1f} MB. Keep it elsewhere,")
    say("together with a copy of MLC_MASTER_KEY: without that key its secrets stay closed.")


@app.command(epilog="Example: mlc ledger restore ledger-2026-11-05.zip")
def restore(
    file: FileArgument,
    giving_up: Annotated[
        int | None, typer.Option("--giving-up", help="How many records moved since, as the refusal says.", min=0)
    ] = None,
) -> None:
    """Put a backup in the place of the ledger. Stop Dagster before.

    What was delivered since the backup is looked up in the target by its key when its day is loaded again, and adopted:
    nothing is doubled. Decisions and holds of that time are lost. docs/keeping.md tells more.
    """
    url = settings_file.environment().database_url
    done = put_back(file, url, giving_up)
    _print_restored(done, shown(url), terminal())


def _print_looks(looks: list[Look], out: Terminal) -> None:
    for look in looks:
        mark = "[red]✗[/] " if look.faults else "[green]ok[/]"
        out.print(f"{mark} {look.what:12}{plain(look.told)}", soft_wrap=True)
        for fault in look.faults:
            out.print(f"     {plain(fault)}", soft_wrap=True)
    wrong = sum(bool(look.faults) for look in looks)
    out.print("The ledger is sound." if not wrong else "The ledger is NOT sound: docs/keeping.md says what to do.")


def _print_restored(done: Restored, place: str, out: Terminal) -> None:
    manifest, given_up = done.manifest, done.given_up
    out.print(f"{plain(place)} is the ledger of {moment(manifest.taken_at)} UTC.", soft_wrap=True)
    if given_up.records:
        out.print(f"{given_up.records:,} records had moved since, {given_up.delivered:,} were delivered.")
    out.print(
        "Load the days since then again (mlc replay --read-again, or a backfill): what the target has is adopted.",
        soft_wrap=True,
    )
    for connection in done.lifted:
        again = commands.offered("pause", connection, reason=commands.REASON)
        out.print(f"{plain(connection)} was paused then, and is not any more: {plain(again)} stops it again.")
