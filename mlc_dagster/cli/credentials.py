"""`mlc credentials`: seals secrets into the vault. A value is typed unseen or piped in, and never shown."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.table import Table

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.places import ledger, settings_here, shown, tell
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.terminal import say, terminal
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.credentials import master_keys
from mlc_dagster.ledger.vault import MASTER_KEY, Vault, check_keys
from mlc_dagster.systems import configuration

app = typer.Typer(
    help=f"Secrets, sealed in the ledger's database with {MASTER_KEY}. The environment wins over the vault.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # they would hold values
)
ANY = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command("set", context_settings=ANY)
def set_(context: typer.Context, name: str) -> None:
    """Seal the value of NAME. It is asked for, unseen; or piped in: `mlc credentials set NAME < file`."""
    if context.args:  # never quoted: it is the value
        raise Misconfigured("a value is no argument: it would stay in the shell's history", cure="Leave it out.")
    value = _value(configuration.known_secret(name, settings_here()))
    check_keys(master_keys())
    url = settings_file.environment().database_url
    with Ledger.open(url) as opened:  # the one command that makes a ledger: on the first day there is none yet
        tell(f"ledger: {shown(url)}")
        opened.vault(master_keys()).set(name, value)
    say(f"{name} is sealed.{_shadow(name)}")


@app.command("list")
def list_() -> None:
    """Which secrets are in the vault, which are in the environment, and which nobody has."""
    with _vault(writes=False) as vault:
        sealed = {each.name: each for each in vault.sealed()}
    table = Table("connection", "secret", "from", "sealed", box=None)
    settings = settings_here()
    needed, optional = configuration.needed_secrets(settings), configuration.optional_secrets(settings)
    asked = [(system, name) for system, names in {**needed, **optional}.items() for name in names]
    strange = [("-", name) for name in sealed if name not in {name for _, name in asked}]
    for system, name in [*asked, *strange]:
        found = sealed.get(name)
        if system in optional and not (found or os.environ.get(name)):
            continue
        origin = "environment" if os.environ.get(name) else "vault" if found else "nobody has it"
        state = "" if not found else f"{found.sealed_at:%Y-%m-%d %H:%M} UTC"
        if found and not found.newest_key:
            state += ", with an older key: rotate" if found.opens else f", and no key in {MASTER_KEY} opens it"
        table.add_row(system, name, origin, state)
    terminal(110).print(table)


@app.command()
def rotate() -> None:
    """Seal every secret anew with the first key in MLC_MASTER_KEY; then the others can be taken out."""
    with _vault() as vault:
        count = vault.rotate()
    say(f"{count} secret(s) sealed with the first key in {MASTER_KEY}; the other keys are not needed any more.")


@app.command()
def remove(name: str) -> None:
    """Take a secret out of the vault."""
    with _vault() as vault:
        if not vault.remove(name):
            raise Misconfigured(
                f"the vault has no secret {name[:40]!r}", cure="`mlc credentials list` shows what it has."
            )
    say(f"{name} is removed.")


@contextmanager
def _vault(*, writes: bool = True) -> Iterator[Vault]:
    with ledger(writes=writes) as opened:
        yield opened.vault(master_keys())


def _value(name: str) -> str:
    """Typed unseen on a terminal, else all of stdin. Raises Misconfigured where it is empty."""
    value = (getpass.getpass(f"Value of {name} (not shown): ") if sys.stdin.isatty() else sys.stdin.read()).strip()
    if not value:
        raise Misconfigured(f"no value for {name} came in", cure="Type it when asked, or pipe it in.")
    return value


def _shadow(name: str) -> str:
    return f" The environment has {name} too, and wins." if os.environ.get(name) else ""
