"""`mlc coverage`: what is not mapped yet, over real records, the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.clients import client_of
from mlc_dagster.cli.shared.tables import table
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.terminal import beside, plain, say_json, terminal

if TYPE_CHECKING:
    from mlc_dagster.cli.trying.record import Sources
    from mlc_dagster.core.flows import Flow
    from mlc_dagster.core.vocabulary import Window
    from mlc_dagster.pipeline.coverage import Coverage
    from mlc_dagster.pipeline.judging import AsRead

DAYS = 30
EXAMPLES = "Examples: mlc coverage · mlc coverage --period 2026-11 · mlc coverage --flow cin7/purchases --json"

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def coverage(
    period: Annotated[str | None, typer.Option(help="A month, 2026-11. Left out: the last 30 days.")] = None,
    flow: Annotated[list[str] | None, typer.Option(help="Of these flows alone, and what they need.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="{read, outcomes, gaps}, and no table.")] = False,
) -> None:
    """Read real records and say what is not mapped yet: how many it would hold, and what they come to.

    Accounts, terms, tax rules, departments, currencies, suppliers: each cause once, the worst first. Nothing is
    stored, held or sent.
    """
    from mlc_dagster.pipeline.coverage import coverage as walked

    window = _window(period)
    with _sources(flow or []) as (flows, sources, opened):
        found = walked(
            flows,
            lambda each: _rows(sources[each.name], each, window),
            lambda each, rows: sources[each.name].facts(rows),
            opened,
            lambda each: partial(sources[each.name].target.known, each.target) if each.looks_up else None,
            lambda each, outcomes: beside(f"{each.name}: {_counts(outcomes) or 'nothing read'}"),
        )
    if as_json:
        say_json(_document(found))
    else:
        _show(found)


def _window(period: str | None) -> Window:
    """Raises Misconfigured for a month that is none."""
    from mlc_dagster.core.vocabulary import Window

    today = datetime.now(UTC).date()
    if period is None:
        return Window(Window.day(today - timedelta(days=DAYS)).start, Window.day(today).end)
    try:
        first = date.fromisoformat(f"{period}-01")
    except ValueError:
        raise Misconfigured(f"found --period {period!r}", cure="A month is written 2026-11.") from None
    last = (first + timedelta(days=31)).replace(day=1)
    return Window(Window.day(first).start, Window.day(last).start)


@contextmanager
def _sources(names: Sequence[str]) -> Iterator[tuple[list[Flow], dict[str, Sources], Any]]:
    """The flows in the order of need, with where each reads. Raises MlcError where one is not on."""
    from mlc_dagster.cli.shared.known_names import flow_that_is_on
    from mlc_dagster.cli.trying.record import Sources
    from mlc_dagster.core.vocabulary import ERP
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.orchestration.automation.planning import in_order_of_need
    from mlc_dagster.orchestration.automation.replaying import flows_on
    from mlc_dagster.systems import configuration

    environment = settings_file.environment()
    settings = configuration.load(environment.config)
    for name in names:
        flow_that_is_on(name, settings)
    on = flows_on(settings)
    wanted = [flow for flow in on.values() if not names or flow.name in _with_needs(names, on)]
    ordered = [on[name] for name, _ in in_order_of_need(wanted, [""])]
    with ExitStack() as stack:
        opened = stack.enter_context(Ledger.open(environment.database_url, environment.tenant))
        systems = {ERP, *(each for flow in ordered for each in (flow.source.system, flow.target.system))}
        clients = {each: stack.enter_context(client_of(each, settings, opened)) for each in sorted(systems)}
        places = {
            flow.name: Sources(flow, settings, clients[flow.source.system], clients[flow.target.system], clients[ERP])
            for flow in ordered
        }
        yield ordered, places, opened


def _with_needs(names: Sequence[str], on: Mapping[str, Flow]) -> set[str]:
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name in on and name not in found:
            found.add(name)
            left += on[name].needs
    return found


def _rows(sources: Sources, flow: Flow, window: Window) -> Iterator[AsRead]:
    """Master data of any age: documents refer to it. A chart, by company."""
    from mlc_dagster.core.vocabulary import Scope, Window

    if flow.source.partition == "company":
        scopes = [Scope(code, company=code) for code in sources.settings.companies]
    else:
        whole = Window.until(window.last_day) if flow.source.is_master else window
        scopes = [Scope(whole.last_day.isoformat(), whole)]
    for scope in scopes:
        yield from sources.read(scope)


def _counts(outcomes: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in outcomes.items())


def _document(found: Coverage) -> dict[str, Any]:
    return {
        "read": found.read,
        "outcomes": dict(found.outcomes),
        "gaps": [
            {
                **cause._asdict(),
                "records": gap.records,
                "flows": dict(gap.flows),
                "amounts": {c: f"{a:f}" for c, a in gap.amounts.items()},
                "example": gap.example,
                "reason": gap.reason,
            }
            for cause, gap in found.worst_first
        ],
    }


def _show(found: Coverage) -> None:
    out = terminal()
    listed = table("records", "what is missing", "company", "comes to", "flows", "for example")
    for cause, gap in found.worst_first:
        comes_to = ", ".join(f"{amount:,f} {currency}" for currency, amount in sorted(gap.amounts.items()))
        what = f"{cause.rule}: {cause.missing or gap.reason}"
        flows = ", ".join(gap.flows)
        listed.add_row(str(gap.records), plain(what), plain(cause.company), comes_to, flows, plain(gap.example))
    if listed.row_count:
        out.print(listed)
    ready = found.outcomes["ready"]
    asked = ready + found.outcomes["held"]
    share = f"{100 * ready / asked:.1f} %" if asked else "none"
    out.print(f"{found.read} read: {_counts(found.outcomes) or 'nothing'}. Of what is in scope {share} could be sent.")
