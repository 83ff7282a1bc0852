"""What the ways back have in common: whose record, who says so, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.clients import account_check, client_of, expect_reads_back
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.tables import person
from mlc_dagster.core.inert import inert
from mlc_dagster.core.terminal import say

if TYPE_CHECKING:
    from mlc_dagster.core.outcomes import Ready
    from mlc_dagster.pipeline.ways_back import WayBack, WaysBack

FlowArgument = Annotated[str, typer.Argument(help="Such as cin7/purchases.")]
KeyArgument = Annotated[str, typer.Argument(help="The record, as `mlc reconcile` names it.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why: the trail keeps it.", prompt="Why")]
WhoOption = Annotated[str, typer.Option("--who", help="Who decides. Default: the login name.", show_default=False)]


@contextmanager
def ways(flow: str, who: str, reason: str) -> Iterator[WaysBack]:
    """Of one flow, with its target. Raises MlcError."""
    from mlc_dagster.cli.shared.known_names import flow_that_is_on
    from mlc_dagster.ledger import Run
    from mlc_dagster.orchestration.assets.delivered import sent_last
    from mlc_dagster.orchestration.automation.replaying import flows_on
    from mlc_dagster.orchestration.storage import RowStore
    from mlc_dagster.pipeline.sending_again import send_again
    from mlc_dagster.pipeline.verify import Asked
    from mlc_dagster.pipeline.ways_back import Said, WaysBack
    from mlc_dagster.systems import configuration

    environment = settings_file.environment()
    settings = configuration.load(environment.config)
    flow_that_is_on(flow, settings)
    found = flows_on(settings)[flow]
    expect_reads_back(found, settings)
    said, target = Said(person(who), reason), found.target.system
    run = Run("cli", by=said.who, by_person=True)
    with ledger(writes=True) as opened, client_of(target, settings, opened) as client:
        check = account_check(target, settings, client, opened)
        check()
        store = RowStore(environment.storage, opened.stored, settings.tenant)

        def send(ready: Sequence[Ready], anew: frozenset[str]) -> Any:
            times = {"longest_request": client.api.timeout}
            return send_again(found, ready, client, opened, run, anew, account=check, by_person=True, **times)

        asked = Asked(found, client, opened, partial(sent_last, found, store, opened), run=run)
        yield WaysBack(asked, send, said, run)


def tell_done(done: WayBack) -> None:
    say(f"{inert(done.words)}.")
    if done.closed:
        say(f"{done.closed} difference(s) closed.")
    if done.still_open:
        say(f"{done.still_open} still open: mlc reconcile names them.")
