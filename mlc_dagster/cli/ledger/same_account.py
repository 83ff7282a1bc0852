"""`mlc ledger same-account`: a connection leads to the account that the ledger knows, under another id."""

from __future__ import annotations

import typer

from mlc_dagster.cli.ledger.accounts import ConnectionArgument, RecordsOption, WhoOption, compared
from mlc_dagster.cli.shared.tables import person
from mlc_dagster.core.terminal import say

EXAMPLES = "Example: mlc ledger same-account hubspot · the same portal under another id, after the vendor moved it"

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def same_account(connection: ConnectionArgument, records: RecordsOption = None, who: WhoOption = "") -> None:
    """A connection leads to the account that the ledger knows, under another id: what was delivered there, stays.

    Three records that were delivered are read back: all of them must be there.
    """
    by = person(who)
    with compared(connection) as found:
        if found.is_known:
            say(f"Nothing has changed: {found.words}.")
            return
        found.expect_all()
        found.agree(records, "stay as delivered there")
        found.opened.accounts.note(connection, found.identity, found.title, by)
        say(f"{connection} is known as {found.title}. Its {found.count:,} record(s) stay as delivered.")
