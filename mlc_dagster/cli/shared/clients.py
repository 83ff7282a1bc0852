"""A target that a command asks: its client, with the ledger that counts its calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlc_dagster.core.errors import Misconfigured

if TYPE_CHECKING:
    from mlc_dagster.core.flows import Flow
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.settings import Settings


@contextmanager
def client_of(connection: str, settings: Settings, opened: Ledger) -> Iterator[Any]:
    """Its calls are counted in the ledger, with those of the loads. Raises Misconfigured for a secret nobody set."""
    from mlc_dagster.ledger.credentials import bank_keys, secret
    from mlc_dagster.ledger.replaced_secrets import replaced
    from mlc_dagster.systems import configuration

    known, bank = (lambda each: secret(each, lambda: opened)), bank_keys(opened, settings)
    made = configuration.client(settings, connection, known, opened.budget, kept=replaced, **bank)
    try:
        yield made
    finally:
        made.api.close()


def account_check(connection: str, settings: Settings, client: Any, opened: Ledger) -> Callable[[], None]:
    """Raises Misconfigured, when it is called, where the connection leads to another account than the ledger knows."""
    from mlc_dagster.pipeline.identity import AccountCheck
    from mlc_dagster.systems import accounts

    return AccountCheck(accounts.asked(connection, settings.systems, client), opened, "cli")


def expect_reads_back(flow: Flow, settings: Settings) -> None:
    """Raises Misconfigured where the target does not show what it has."""
    from mlc_dagster.systems.registry import systems

    if not systems()[settings.system_of(flow.target.system)].reads_back:
        raise Misconfigured(
            f"{flow.target.system} does not show what it has of what was delivered",
            cure="Look there by hand: `mlc audit show KEY` has each id.",
        )
