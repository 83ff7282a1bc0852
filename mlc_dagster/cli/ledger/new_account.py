"""`mlc ledger new-account`: a connection leads to another account from now on."""

from __future__ import annotations

from typing import Annotated

import typer

from mlc_dagster.cli.ledger.accounts import ConnectionArgument, RecordsOption, WhoOption, compared
from mlc_dagster.cli.shared.tables import person
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.terminal import say

EXAMPLES = (
    'Example: mlc ledger new-account hubspot --reason "the trial is over" · the production portal\'s token is in place'
)

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def new_account(
    connection: ConnectionArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why. It is kept in the trail.")],
    records: RecordsOption = None,
    who: WhoOption = "",
) -> None:
    """A connection leads to another account from now on: what was delivered to the one before is set aside.

    Nothing is deleted. Each record is looked up in the new account before it is sent: what is there is adopted. Stop
    Dagster before.
    """
    by, why = person(who), reason.strip()
    if not why:
        raise Misconfigured("it is not said why", cure='--reason "...": others will ask.')
    with compared(connection) as found:
        if found.is_known:
            cure = "Put the credentials of the new account in place first."
            raise Misconfigured(f"nothing has changed: {found.words}", cure=cure)
        found.agree(records, "are set aside: each is looked up there, and sent again")
        count = found.opened.accounts.renew(connection, found.identity, found.title, by, why, found.asked.names)
        say(f"{connection} is known as {found.title}. {count:,} record(s) of the account before are set aside.")
        say(f"Load its days again: `mlc replay --read-again`, or a backfill of the assets of {connection}.")
