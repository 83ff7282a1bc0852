"""The figures of a month for the commands: every flow that is on, with what its target's client knows of its values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.clients import account_check, client_of
from mlc_dagster.cli.shared.lookup import NotFound, ledger
from mlc_dagster.core.near_names import offered

if TYPE_CHECKING:
    from mlc_dagster.core.flows import Flow
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.pipeline.closing.gathering import Gathering
    from mlc_dagster.settings import Settings

PeriodOption = Annotated[str, typer.Option("--period", help="The month, such as 2026-11.")]
BY_HAND = "cli"  # stands where a run id would


@contextmanager
def gathering(period: str, company: str | None, *, look: bool = False) -> Iterator[tuple[Gathering, Sequence[Flow]]]:
    """Raises Misconfigured for what is no month, or a secret that is missing; NotFound for a company that is none."""
    from mlc_dagster.ledger import Run
    from mlc_dagster.orchestration.automation.replaying import flows_on
    from mlc_dagster.pipeline.closing import settings_digests
    from mlc_dagster.pipeline.closing.gathering import Gathering, clients_of
    from mlc_dagster.pipeline.closing.month import Month
    from mlc_dagster.systems import configuration

    month = Month.of(period)
    settings = configuration.load(settings_file.environment().config)
    if company and company not in settings.companies:
        cure = f"There are: {', '.join(settings.companies)}"
        raise NotFound(f"mlc.yaml has no company {company}{offered(company, settings.companies)}", cure=cure)
    flows = list(flows_on(settings).values())
    with ExitStack() as open_clients, ledger(writes=True) as opened:
        settings_digests.see(settings, opened, Run(BY_HAND))
        clients = {name: open_clients.enter_context(client_of(name, settings, opened)) for name in clients_of(flows)}
        if look:
            for flow in flows:
                _verify(flow, clients[flow.target.system], settings, opened, str(month))
        yield Gathering(month, settings, opened, clients), flows


def _verify(flow: Flow, client: Any, settings: Settings, opened: Ledger, period: str) -> None:
    """The nightly look, now: of the month's documents, and of what else carries our keys."""
    from mlc_dagster.orchestration.assets.delivered import sent_last
    from mlc_dagster.orchestration.assets.verified import reads_back
    from mlc_dagster.orchestration.storage import RowStore
    from mlc_dagster.pipeline.extras import look_for_extras
    from mlc_dagster.pipeline.periods import dated_in
    from mlc_dagster.pipeline.verify import Asked, verify

    if not reads_back(flow, settings):
        return
    account_check(flow.target.system, settings, client, opened)()
    store = RowStore(settings_file.environment().storage, opened.stored, settings.tenant)
    asked = Asked(flow, client, opened, partial(sent_last, flow, store, opened))
    account = verify(asked, dated_in(asked, opened.looks.keys(flow.name), period))
    look_for_extras(asked, None, account)
