"""`mlc ledger same-account` and `new-account`: what a person says of a connection that leads to another account."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from mlc_dagster.cli.places import NotFound, ledger
from mlc_dagster.cli.tables import person
from mlc_dagster.cli.terminal import say
from mlc_dagster.core.accounts import Account, Asked, Delivered
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.near_names import offered
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.coordination.accounts import KnownAccount
from mlc_dagster.settings import environment

SAME = "Example: mlc ledger same-account hubspot · the same portal under another id, after the vendor moved it"
NEW = (
    'Example: mlc ledger new-account hubspot --reason "the trial is over" · the production portal\'s token is in place'
)

ConnectionArgument = Annotated[str, typer.Argument(help="Its section in mlc.yaml: hubspot, ifs, ...")]
RecordsOption = Annotated[
    int | None, typer.Option("--records", help="How many records it concerns, for scripts: else it is asked.", min=0)
]
WhoOption = Annotated[str, typer.Option("--who", help="Who decides. Default: the login name.", show_default=False)]


def same_account(connection: ConnectionArgument, records: RecordsOption = None, who: WhoOption = "") -> None:
    """A connection leads to the account that the ledger knows, under another id: what was delivered there, stays.

    Three records that were delivered are read back: all of them must be there.
    """
    by = person(who)
    with _meeting(connection) as met:
        if met.is_known:
            say(f"Nothing has changed: {met.words}.")
            return
        met.expect_all()
        met.agree(records, "stay as delivered there")
        met.opened.accounts.note(connection, met.identity, met.title, by)
        say(f"{connection} is known as {met.title}. Its {met.count:,} record(s) stay as delivered.")


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
    with _meeting(connection) as met:
        if met.is_known:
            cure = "Put the credentials of the new account in place first."
            raise Misconfigured(f"nothing has changed: {met.words}", cure=cure)
        met.agree(records, "are set aside: each is looked up there, and sent again")
        count = met.opened.accounts.renew(connection, met.identity, met.title, by, why, met.asked.names)
        say(f"{connection} is known as {met.title}. {count:,} record(s) of the account before are set aside.")
        say(f"Load the days of {connection} again: a backfill of its assets, or mlc replay --read-again.")


@dataclass(frozen=True)
class _Meeting:
    """What a connection leads to now, beside what the ledger knows."""

    opened: Ledger
    asked: Asked
    account: Account | None
    known: KnownAccount | None
    count: int  # of records that it concerns

    @property
    def identity(self) -> str:
        return self.account.id if self.account else ""

    @property
    def title(self) -> str:
        from mlc_dagster.pipeline.identity import UNTOLD

        return self.account.title if self.account else UNTOLD

    @property
    def is_known(self) -> bool:
        """Without an id of the system it is never known for sure."""
        known, account = self.known, self.account
        if known is None or account is None:
            return False
        return known.identity == account.id and (not account.is_shared or known.title == account.title)

    @property
    def words(self) -> str:
        from mlc_dagster.pipeline.identity import shown

        there = shown(self.account) if self.account else self.title
        knows = shown(self.known) if self.known else "none yet"
        return f"{self.asked.connection} leads to {there}, and the account that this ledger knows is {knows}"

    def expect_all(self) -> None:
        """Raises Misconfigured where one of the sampled records is not there."""
        from mlc_dagster.pipeline.identity import sampled

        sample, has = sampled(self.asked, self.opened), self.asked.has
        if missing := [record for record in sample if has is not None and not has(record)]:
            words = f"{self.words}. Of {len(sample)} records that were delivered, {len(missing)} are not there: "
            cure = "It is another account. Give it the credentials of the one before, or see mlc ledger new-account."
            raise Misconfigured(f"{words}{', '.join(map(_named, missing))}. Nothing has changed.", cure=cure)

    def agree(self, records: int | None, what: str) -> None:
        """A person types the number of records. Raises Misconfigured where it is another."""
        say(f"{self.words}.")
        say(f"It concerns {self.count:,} record(s): they {what}.")
        typed = typer.prompt("Type their number to go on", type=int) if records is None else records
        if typed != self.count:
            cure = "Look at what they are first: mlc ledger where, mlc audit show KEY."
            raise Misconfigured(f"it concerns {self.count:,} record(s), not {typed:,}; nothing has changed", cure=cure)


def _named(record: Delivered) -> str:
    return f"{record.flow.name} {record.key} ({record.remote_id})"


@contextmanager
def _meeting(connection: str) -> Iterator[_Meeting]:
    """Asks the system, with the credentials that are in place. Raises MlcError."""
    from mlc_dagster.ledger.credentials import secret
    from mlc_dagster.systems import accounts, configuration
    from mlc_dagster.systems.shared.findings import budget

    settings = configuration.load(environment().config)
    if connection not in settings.connections:
        raise NotFound(
            f"no connection that is on is called {connection!r}{offered(connection, list(settings.connections))}",
            cure=f"There is: {', '.join(settings.connections)}.",
        )
    with ledger(writes=True) as opened:
        client = configuration.client(settings, connection, lambda name: secret(name, lambda: opened), budget)
        asked = accounts.asked(connection, settings.systems, client)
        known, count = opened.accounts.known(connection), opened.accounts.concerned(connection, asked.names)
        yield _Meeting(opened, asked, asked.account(), known, count)


def known_accounts(connection: str) -> Account | None:
    """What the ledger knows a connection as; None where it knows none, or where there is no ledger. Makes nothing."""
    try:
        with Ledger.to_read(environment().database_url) as opened:
            known = opened.accounts.known(connection)
    except Misconfigured:
        return None
    return Account(known.identity, known.title) if known else None


def register(app: typer.Typer) -> None:
    """As commands of `mlc ledger`."""
    app.command("same-account", epilog=SAME)(same_account)
    app.command("new-account", epilog=NEW)(new_account)
