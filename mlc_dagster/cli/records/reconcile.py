"""`mlc reconcile`: what was delivered, beside what the targets show of it. The nightly look, by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.clients import account_check, client_of, expect_reads_back
from mlc_dagster.cli.shared.lookup import ledger, tell
from mlc_dagster.cli.shared.tables import table
from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.terminal import paragraph, plain, say_json, terminal

if TYPE_CHECKING:
    from mlc_dagster.core.flows import Flow
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.pipeline.verified import Verified
    from mlc_dagster.settings import Settings

EXAMPLES = "Examples: mlc reconcile --flow cin7/purchases · mlc reconcile --period 2026-11 · mlc reconcile --json"
DIFFERS, ERRORS = 1, 2  # exit codes
SHOWN = 20  # records that are named

app = typer.Typer(add_completion=False)


@app.command(epilog=EXAMPLES)
def reconcile(
    period: Annotated[
        str | None, typer.Option(help="What is dated so: 2026, 2026-11 or 2026-11-05. Default: all.")
    ] = None,
    flow: Annotated[str | None, typer.Option(help="Of this flow, such as cin7/purchases. Default: all.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The same as JSON, and no table.")] = False,
) -> None:
    """Compare what was delivered with what the targets show of it, to the cent. Writes to no target.

    What differs is kept as a difference, and closed where it agrees again. Exit 1 where something differs, 2 where a
    target could not be asked.
    """
    from mlc_dagster.systems import configuration

    _expect_period(period)
    settings = configuration.load(settings_file.environment().config)
    with ledger(writes=True) as opened:
        looked = list(_looked(_wanted(settings, flow), settings, opened, period))
    accounts = [account for account in looked if not isinstance(account, str)]
    errors = [account for account in looked if isinstance(account, str)]
    say_json({"flows": [_document(each) for each in accounts], "errors": errors}) if json else _show(accounts, errors)
    if errors or any(each.left for each in accounts):
        raise typer.Exit(ERRORS)
    if not all(each.agrees for each in accounts):
        raise typer.Exit(DIFFERS)


def _expect_period(period: str | None) -> None:
    parts = (period or "2026").split("-")
    if not (len(parts) <= 3 and all(part.isdigit() for part in parts) and len(parts[0]) == 4):
        raise Misconfigured(f"{period!r} is no period", cure="Say a year, a month or a day: --period 2026-11.")


def _wanted(settings: Settings, name: str | None) -> list[Flow]:
    """Raises NotFound for a flow that is not on, Misconfigured for one whose target shows nothing."""
    from mlc_dagster.cli.shared.known_names import flow_that_is_on
    from mlc_dagster.orchestration.automation.replaying import flows_on
    from mlc_dagster.systems.registry import systems

    on = flows_on(settings)
    if name is not None:
        flow_that_is_on(name, settings)
        expect_reads_back(on[name], settings)
        return [on[name]]
    found = [each for each in on.values() if systems()[settings.system_of(each.target.system)].reads_back]
    if left := [each.name for each in on.values() if each not in found]:
        tell(f"left out, since their target does not show what it has: {', '.join(left)}")
    return found


def _looked(flows: Sequence[Flow], settings: Settings, opened: Ledger, period: str | None) -> Iterator[Verified | str]:
    """The account of each flow, or why there is none: a target that does not answer keeps no other back."""
    by_target: dict[str, list[Flow]] = {}
    for flow in flows:
        by_target.setdefault(flow.target.system, []).append(flow)
    for target, table_ in by_target.items():
        try:
            with client_of(target, settings, opened) as client:
                account_check(target, settings, client, opened)()
                for flow in table_:
                    yield _of_a_flow(flow, client, opened, settings, period)
        except MlcError as error:
            yield f"{target}: {error}"


def _of_a_flow(flow: Flow, client: Any, opened: Ledger, settings: Settings, period: str | None) -> Verified:
    from functools import partial

    from mlc_dagster.ledger import Run
    from mlc_dagster.orchestration.assets.delivered import sent_last
    from mlc_dagster.orchestration.storage import RowStore
    from mlc_dagster.pipeline.extras import look_for_extras
    from mlc_dagster.pipeline.periods import dated_in
    from mlc_dagster.pipeline.verify import Asked, verify

    store = RowStore(settings_file.environment().storage, opened.stored, settings.tenant)
    run = Run("cli", by="mlc reconcile", by_person=True)
    asked = Asked(flow, client, opened, partial(sent_last, flow, store, opened), run=run)
    keys = opened.looks.keys(flow.name)
    account = verify(asked, dated_in(asked, keys, period) if period else keys)
    if not period:
        look_for_extras(asked, None, account)
    return account


# --- what is shown ----------------------------------------------------------------------------------------------------


def _show(accounts: Sequence[Verified], errors: Sequence[str]) -> None:
    out = terminal()
    listed = table("flow", "delivered", "there", "missing", "extra", "different", "ours", "theirs")
    for each in accounts:
        numbers = (each.delivered, each.there, each.missing, each.extra, each.different)
        first, *rest = list(_sums(each)) or [("", "")]
        listed.add_row(each.flow, *(f"{number:,}" for number in numbers), *first)
        for ours, theirs in rest:
            listed.add_row("", "", "", "", "", "", ours, theirs)
    out.print(listed)
    for each in accounts:
        for key, what in list(each.examples.items())[:SHOWN]:
            out.print(f"[red]differs[/] {plain(f'{each.flow} {key}: {what}')}")
        if each.left:
            out.print(f"[red]not known[/] {each.left:,} of {each.flow} were not answered")
    for error in errors:
        out.print(f"[red]not known[/] {paragraph(error)}")
    if not errors and all(each.agrees for each in accounts):
        out.print("Both sides agree.")


def _sums(account: Verified) -> Iterator[tuple[str, str]]:
    for (company, currency), each in sorted(account.sums.items()):
        place = f"{company} {currency}".strip()
        yield f"{place} {each.ours:,f}".strip(), f"{each.theirs:,f}{'' if each.ours == each.theirs else ' differs'}"


def _document(account: Verified) -> Mapping[str, Any]:
    return {
        "flow": account.flow,
        "agrees": account.agrees,
        "delivered": account.delivered,
        "there": account.there,
        "missing": account.missing,
        "extra": account.extra,
        "different": account.different,
        "accepted_as_gone": account.accepted_as_gone,
        "not_answered": account.left,
        "sums": [
            {"company": company, "currency": currency, "ours": f"{each.ours:f}", "theirs": f"{each.theirs:f}"}
            for (company, currency), each in sorted(account.sums.items())
        ],
        "differs": account.examples,
    }
