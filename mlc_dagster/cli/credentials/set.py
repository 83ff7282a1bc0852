"""`mlc credentials set`: seals a secret. Its value is typed unseen or piped in, and never shown."""

from __future__ import annotations

import getpass
import os
import sys

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.lookup import settings_here, shown, tell
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.terminal import say

ANY = {"allow_extra_args": True, "ignore_unknown_options": True}

app = typer.Typer(add_completion=False)


@app.command(context_settings=ANY)
def set_(context: typer.Context, name: str) -> None:
    """Seal the value of NAME. It is asked for, unseen; or piped in: `mlc credentials set NAME < file`."""
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.ledger.credentials import master_keys
    from mlc_dagster.ledger.vault import check_keys
    from mlc_dagster.systems import configuration

    if context.args:  # never quoted: it is the value
        raise Misconfigured("a value is no argument: it would stay in the shell's history", cure="Leave it out.")
    value = _value(configuration.known_secret(name, settings_here()))
    check_keys(master_keys())
    here = settings_file.environment()
    # The one command that makes a ledger: on the first day there is none yet.
    with Ledger.open(here.database_url, here.tenant) as opened:
        tell(f"ledger: {shown(here.database_url)}")
        opened.vault(master_keys()).set(name, value)
    say(f"{name} is sealed.{_shadow(name)}")


def _value(name: str) -> str:
    """Typed unseen on a terminal, else all of stdin. Raises Misconfigured where it is empty."""
    value = (getpass.getpass(f"Value of {name} (not shown): ") if sys.stdin.isatty() else sys.stdin.read()).strip()
    if not value:
        raise Misconfigured(f"no value for {name} came in", cure="Type it when asked, or pipe it in.")
    return value


def _shadow(name: str) -> str:
    return f" The environment has {name} too, and wins." if os.environ.get(name) else ""
