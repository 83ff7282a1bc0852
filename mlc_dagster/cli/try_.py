"""`mlc try`: one record on its way, each step to be seen, and sent if somebody says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.clients import account_check, client_of
from mlc_dagster.cli.shared.tables import person
from mlc_dagster.core import commands
from mlc_dagster.core.terminal import Terminal, plain, say_json, terminal

if TYPE_CHECKING:
    from mlc_dagster.cli.trying.record import Sources
    from mlc_dagster.core.flows import Flow
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.pipeline import Loaded
    from mlc_dagster.pipeline.trial import Attempted, Trial
    from mlc_dagster.settings import Settings

NOT_SENT = 1
EXAMPLES = "Examples: mlc try --flow cin7/suppliers · mlc try --flow cin7/purchases --key P00102 --yes"

app = typer.Typer(add_completion=False)


class Bench(NamedTuple):
    """All that one trial works with."""

    flow: Flow
    settings: Settings
    opened: Ledger
    sources: Sources


@app.command(epilog=EXAMPLES)
def try_(
    flow: Annotated[str, typer.Option(help="Such as cin7/purchases; it is on in mlc.yaml.")],
    key: Annotated[str | None, typer.Option(help="The record. Left out: the latest that can be sent.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Send it without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The steps as JSON; nothing is sent without --yes.")] = False,
    who: Annotated[str, typer.Option(help="Who sends. Default: the login name.", show_default=False)] = "",
) -> None:
    """One record from its source to its target, every step shown; sent if you say yes.

    It is read now; charts of accounts, too: nothing need have run before. Exit 1 where it was to be sent and was not.
    """
    from mlc_dagster.cli.trying.showing import document, show
    from mlc_dagster.orchestration.assets.judgements import statements

    with _bench(flow) as bench:
        rows = bench.sources.rows(key)
        trial = _attempted(bench, rows).of(rows)
        assert trial is not None, "there are rows"
        rules = {name: words for name, words in statements(bench.flow).items() if name in _asked(bench.flow)}
        if as_json and not yes:
            say_json(document(trial, bench.flow, rules))
            return
        if not as_json:
            show(trial, bench.flow, rules, terminal())
        if not trial.would_write and not trial.without_a_write:
            _tell_what_next(trial, bench.flow)
            return
        if _may_be_sent(bench) and (yes or _agreed(bench, trial)):
            sent = _send(bench, trial, person(who))
            _tell(bench, trial, sent, {**document(trial, bench.flow, rules)} if as_json else None)


@contextmanager
def _bench(name: str) -> Iterator[Bench]:
    """Raises MlcError: the flow is not on, a secret is missing."""
    from mlc_dagster.cli.shared.known_names import flow_that_is_on
    from mlc_dagster.cli.trying.record import Sources
    from mlc_dagster.core.vocabulary import ERP
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.orchestration.automation.replaying import flows_on
    from mlc_dagster.systems import configuration

    environment = settings_file.environment()
    settings = configuration.load(environment.config)
    flow_that_is_on(name, settings)
    flow = flows_on(settings)[name]
    with ExitStack() as stack:
        opened = stack.enter_context(Ledger.open(environment.database_url, environment.tenant))
        names = {flow.source.system, flow.target.system, ERP}
        clients = {each: stack.enter_context(client_of(each, settings, opened)) for each in names}
        yield Bench(
            flow,
            settings,
            opened,
            Sources(flow, settings, clients[flow.source.system], clients[flow.target.system], clients[ERP]),
        )


def _attempted(bench: Bench, rows: Any) -> Attempted:
    from mlc_dagster.orchestration.assets.delivered import last_delivered
    from mlc_dagster.orchestration.storage import RowStore
    from mlc_dagster.pipeline.trial import Attempted

    store = RowStore(settings_file.environment().storage, bench.opened.stored, bench.settings.tenant)
    before = partial(last_delivered, bench.flow, store, bench.opened)
    sources = bench.sources
    return Attempted(bench.flow, sources.facts(rows), bench.opened, sources.target, before, sources.place)


def _asked(flow: Flow) -> set[str]:
    from mlc_dagster import pipeline

    return {*pipeline.BUILT_IN, *(rule.__name__ for rule in flow.rules)}


def _may_be_sent(bench: Bench) -> bool:
    if is_shadow := bench.settings.is_shadow(bench.flow.target.system):
        typer.echo(f"{bench.flow.target.system}.mode is shadow: nothing is sent.", err=True)
    return not is_shadow


def _agreed(bench: Bench, trial: Trial) -> bool:
    asked = f"Send it to {_target(bench)}?" if trial.would_write else "Take it as delivered?"
    return typer.confirm(asked, default=False)


def _send(bench: Bench, trial: Trial, who: str) -> Loaded:
    """As a load: read and judged once more under a number of its own, attempted, looked for, remembered."""
    from mlc_dagster.ledger import Run
    from mlc_dagster.pipeline.fresh import SecondRead
    from mlc_dagster.pipeline.load import load

    flow, opened, sources = bench.flow, bench.opened, bench.sources
    run = Run("cli", trial.partition, by=who, by_person=True)
    check = account_check(flow.target.system, bench.settings, sources.target, opened)
    opened.tell_start(flow.name, run)

    def ask() -> Any:
        look = partial(sources.target.known, flow.target) if flow.looks_up else None
        return sources.facts([(trial.row, None, None)]), look

    fresh = SecondRead(flow, opened, run, lambda keys, _: sources.rows(keys[0]), ask, lambda: True)
    assert trial.ready is not None
    longest = sources.target.api.timeout
    return load(flow, [trial.ready], sources.target, opened, run, account=check, fresh=fresh, longest_request=longest)


def _target(bench: Bench) -> str:
    from mlc_dagster.systems.registry import systems

    return systems()[bench.settings.system_of(bench.flow.target.system)].title


def _tell(bench: Bench, trial: Trial, sent: Loaded, found: dict[str, Any] | None) -> None:
    looks = bench.opened.looks.of(bench.flow.name, [trial.key])
    named, link = (looks[0].detail or looks[0].remote_id, looks[0].link) if looks else ("", "")
    if found is not None:
        say_json({**found, "delivered": sent.delivered, "remote": named, "link": link, "reasons": sent.reasons})
    elif sent.delivered:
        terminal().print(f"[green]Delivered[/]: {plain(named)} in {_target(bench)}. {plain(link)}", soft_wrap=True)
        typer.echo(f"Its story: {commands.offered('audit show', trial.key)}")
    if not sent.delivered and not sent.unchanged:
        why = "; ".join(sent.reasons.values()) or "the target gave no answer, is paused, or what was read is gone"
        Terminal(stderr=True).print(f"[red]Not sent[/]: {plain(why)}", soft_wrap=True)
        raise typer.Exit(NOT_SENT)


def _tell_what_next(trial: Trial, flow: Flow) -> None:
    for problem in trial.problems:
        if problem.subject and flow.needs and problem.rule.endswith("_is_delivered"):
            command = commands.offered("try", flow=flow.here(flow.needs[0]), key=problem.subject)
            typer.echo(f"Deliver that first: {command}")
    typer.echo("Nothing is sent as it is. Once it is put right, try again.")
