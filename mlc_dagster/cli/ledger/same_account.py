"""`mlc ledger same-account`: a connection leads to the account that the ledger knows, under another id."""

from __future__ import annotations

from typing import Annotated

import typer

from mlc_dagster.cli.ledger.accounts import ConnectionArgument, RecordsOption, WhoOption, compared, list_missing
from mlc_dagster.cli.shared.tables import person
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.terminal import say

EXAMPLES = (
    "Examples: mlc ledger same-account hubspot · mlc ledger same-account airbase"
    ' --reason "the test orders were deleted" --who anna'
)

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def same_account(
    connection: ConnectionArgument,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Why the latest are not there any more. It is kept in the trail.")
    ] = None,
    records: RecordsOption = None,
    who: WhoOption = "",
) -> None:
    """A connection leads to the account that the ledger knows, under another id: what was delivered there, stays.

    Three records that were delivered are read back: all of them must be there. Where people deleted the latest, that is
    said with --reason: those are named and kept in the trail, and older ones are read back in their place.
    """
    by = person(who)
    if reason is not None and not reason.strip():
        raise Misconfigured("it is not said why", cure='--reason "...": others will ask.')
    with compared(connection) as found:
        if found.is_known:
            say(f"Nothing has changed: {found.words}.")
            return
        missing = found.expect_some() if reason else found.expect_all()
        list_missing(missing)
        found.agree(records, "stay as delivered there")
        found.say_absent(missing, by, reason or "")
        found.opened.accounts.note(connection, found.identity, found.title, by)
        say(f"{connection} is known as {found.title}. Its {found.count:,} record(s) stay as delivered.")
