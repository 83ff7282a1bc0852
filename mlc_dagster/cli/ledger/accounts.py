"""The account that a connection leads to, beside the one that the ledger knows; and the options of who changes that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from mlc_dagster.cli.shared.lookup import NotFound, ledger
from mlc_dagster.core.commands import REASON
from mlc_dagster.core.commands import offered as offered_command
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.near_names import offered
from mlc_dagster.core.terminal import say
from mlc_dagster.settings import environment

if TYPE_CHECKING:
    from mlc_dagster.core.accounts import Account, Asked, Delivered
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.ledger.coordination.accounts import KnownAccount

ConnectionArgument = Annotated[str, typer.Argument(help="Its section in mlc.yaml: hubspot, ifs, ...")]
RecordsOption = Annotated[
    int | None, typer.Option("--records", help="How many records it concerns, for scripts: else it is asked.", min=0)
]
WhoOption = Annotated[str, typer.Option("--who", help="Who decides. Default: the login name.", show_default=False)]


@dataclass(frozen=True)
class Compared:
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
    def is_told_apart(self) -> bool:
        """The account says itself that it is another one."""
        return bool(self.account and self.known and self.known.identity not in ("", self.account.id))

    @property
    def words(self) -> str:
        from mlc_dagster.pipeline.identity import shown

        there = shown(self.account) if self.account else self.title
        knows = shown(self.known) if self.known else "none yet"
        return f"{self.asked.connection} leads to {there}, and the account that this ledger knows is {knows}"

    def expect_all(self) -> list[Delivered]:
        """Those that are not there: none. Raises Misconfigured where one of the sampled records is not there."""
        from mlc_dagster.pipeline.identity import sampled

        sample, has = sampled(self.asked, self.opened), self.asked.has
        if missing := [record for record in sample if has is not None and not has(record)]:
            words = f"{self.words}. Of {len(sample)} records that were delivered, {len(missing)} are not there: "
            same = offered_command("ledger same-account", self.asked.connection, reason=REASON)
            cure = (
                "If it is another account: give it the credentials of the one before, or see mlc ledger new-account. "
                f"If people deleted them there: {same}."
            )
            raise Misconfigured(f"{words}{', '.join(map(_named, missing))}. Nothing has changed.", cure=cure)
        return []

    def expect_some(self) -> list[Delivered]:
        """Of the records delivered last, those that are not there any more, by the word of a person.

        Raises Misconfigured where none of them is there at all, and that can be no deletion of a few: of a hundred, or
        in an account that says itself that it is another one.
        """
        from mlc_dagster.pipeline.identity import look_for

        found = look_for(self.asked, self.opened)
        if found.missing and not found.there and (not found.all_asked or self.is_told_apart):
            words = f"{self.words}. Of {len(found.missing)} records that were delivered last, none is there"
            cure = "It is another account. Give it the credentials of the one before, or see mlc ledger new-account."
            raise Misconfigured(f"{words}. Nothing has changed.", cure=cure)
        return found.missing

    def say_absent(self, missing: Sequence[Delivered], who: str, reason: str) -> None:
        """By a person's word: the account is not judged by them again."""
        from mlc_dagster.ledger.coordination.accounts import Sampled

        gone = [Sampled(one.flow.name, one.key, one.remote_id) for one in missing]
        if gone:
            self.opened.accounts.absent(gone, who, reason)

    def agree(self, records: int | None, what: str) -> None:
        """A person types the number of records. Raises Misconfigured where it is another."""
        say(f"{self.words}.")
        say(f"It concerns {self.count:,} record(s): they {what}.")
        typed = typer.prompt("Type their number to go on", type=int) if records is None else records
        if typed != self.count:
            cure = "Look at what they are first: mlc ledger where, mlc audit show KEY."
            raise Misconfigured(f"it concerns {self.count:,} record(s), not {typed:,}; nothing has changed", cure=cure)


def list_missing(missing: Sequence[Delivered]) -> None:
    """What a person is about to say of them."""
    if missing:
        say(f"Of those that were delivered last, {len(missing)} are not there: {', '.join(map(_named, missing))}.")
        say("By your word people deleted them there: they stay delivered, and the account is not judged by them again.")


def _named(record: Delivered) -> str:
    return f"{record.flow.name} {record.key} ({record.remote_id})"


@contextmanager
def compared(connection: str) -> Iterator[Compared]:
    """Asks the system, with the credentials that are in place. Raises MlcError."""
    from mlc_dagster.ledger.credentials import secret
    from mlc_dagster.ledger.replaced_secrets import replaced
    from mlc_dagster.systems import accounts, configuration
    from mlc_dagster.systems.shared.findings import budget

    settings = configuration.load(environment().config)
    if connection not in settings.connections:
        raise NotFound(
            f"no connection that is on is called {connection!r}{offered(connection, list(settings.connections))}",
            cure=f"There is: {', '.join(settings.connections)}.",
        )
    with ledger(writes=True) as opened:
        client = configuration.client(
            settings, connection, lambda name: secret(name, lambda: opened), budget, kept=replaced
        )
        asked = accounts.asked(connection, settings.systems, client)
        known, count = opened.accounts.known(connection), opened.accounts.concerned(connection, asked.names)
        yield Compared(opened, asked, asked.account(), known, count)
