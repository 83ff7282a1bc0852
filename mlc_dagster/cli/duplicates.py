"""`mlc duplicates`: does a target hold one of our documents twice? The hourly look, by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from mlc_dagster import settings as settings_file
from mlc_dagster.cli.shared.clients import client_of
from mlc_dagster.cli.shared.lookup import NotFound, ledger
from mlc_dagster.cli.shared.tables import table
from mlc_dagster.core.duplicates import amount
from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.near_names import offered
from mlc_dagster.core.terminal import Terminal, paragraph, plain, say_json, terminal

if TYPE_CHECKING:
    from mlc_dagster.core.flows import Flow
    from mlc_dagster.ledger import Ledger
    from mlc_dagster.pipeline.duplicates import Looked, Looks
    from mlc_dagster.settings import Settings

EXAMPLES = "Examples: mlc duplicates · mlc duplicates --system cin7 --since 72 · mlc duplicates --json"
DOUBLES, ERRORS = 1, 2  # exit codes

app = typer.Typer(add_completion=False)


@dataclass
class Asked:
    """What one system said."""

    system: str
    looked: list[Looked] = field(default_factory=list)
    requests: int = 0
    errors: list[str] = field(default_factory=list)


@app.command(epilog=EXAMPLES)
def duplicates(
    system: Annotated[str | None, typer.Option(help="Such as cin7. Default: all that are on.")] = None,
    since: Annotated[
        float | None, typer.Option(help="Hours back. Default: policies.duplicates_hours.", min=0.1, max=24 * 400)
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="What was found as JSON, and no table.")] = False,
) -> None:
    """Look whether a target holds one of our documents twice. Reads only.

    What was made or changed in the last hours is compared with all that carries the same reference or invoice number,
    whatever its age. Suppliers and customers that were delivered under two numbers with one VAT number, or one name and
    country, are named as well. Exit 1 where something stands twice, 2 where a system could not be asked.
    """
    from mlc_dagster.systems import configuration

    found = configuration.load(settings_file.environment().config)
    wanted = _wanted(found, system)
    hours = found.policies.duplicates_hours if since is None else since
    with ledger(writes=True) as opened:  # its calls are counted there
        asked = [_ask(name, flows, found, hours, opened) for name, flows in wanted.items()]
        alike = list(_alike(found, system, opened))
    if json:
        say_json(_documents(asked, alike))
    else:
        _show(asked, hours, terminal())
        for each in alike:
            terminal().print(
                f"[yellow]alike[/] {plain(f'{each.flow}: {_listed(each.keys)} have the same {each.mark}')}"
            )
    if any(each.errors or any(look.unread for look in each.looked) for each in asked):
        raise typer.Exit(ERRORS)
    if any(look.found for each in asked for look in each.looked):
        raise typer.Exit(DOUBLES)


def _wanted(settings: Settings, system: str | None) -> dict[str, list[Flow]]:
    """Raises Misconfigured for a system that there is not, or whose documents cannot stand twice."""
    from mlc_dagster.orchestration.automation.duplicates import by_system
    from mlc_dagster.orchestration.automation.replaying import flows_on
    from mlc_dagster.systems import configuration

    there = by_system(list(flows_on(settings).values()))
    if system is None:
        return there
    if system not in configuration.connections(settings):
        raise NotFound(f"there is no system {system}{offered(system, there)}", cure=f"There are: {', '.join(there)}")
    if system not in there:
        on = f"There are: {', '.join(there)}. Others are off in mlc.yaml, or refuse a second document themselves."
        raise Misconfigured(f"no target {system[:40]!r} can hold a document twice", cure=on)
    return {system: there[system]}


class Alike(NamedTuple):
    """Suppliers or customers that may be one."""

    system: str
    flow: str
    mark: str
    keys: list[str]


def _listed(keys: Sequence[str]) -> str:
    return ", ".join(keys)


def _alike(settings: Settings, system: str | None, opened: Ledger) -> Iterator[Alike]:
    """Suppliers and customers that may be one, of every flow whose new ones are held for it."""
    from mlc_dagster.orchestration.automation.replaying import flows_on
    from mlc_dagster.rules import is_not_known_under_another_key

    for flow in flows_on(settings).values():
        if is_not_known_under_another_key in flow.rules and system in (None, flow.target.system):
            for mark, keys in sorted(opened.masters.doubles(flow.name).items()):
                yield Alike(flow.target.system, flow.name, mark, keys)


def _ask(name: str, flows: Sequence[Flow], settings: Settings, hours: float, opened: Ledger) -> Asked:
    """A system that does not answer keeps no other back."""
    from mlc_dagster.pipeline.duplicates import Looks

    asked = Asked(name)
    try:
        with client_of(name, settings, opened) as client:
            _look(asked, flows, Looks(client, opened), datetime.now(UTC) - timedelta(hours=hours))
            asked.requests = client.traffic.requests
    except MlcError as error:
        asked.errors.append(str(error))
    return asked


def _look(asked: Asked, flows: Sequence[Flow], looks: Looks, since: datetime) -> None:
    for flow in flows:
        try:
            asked.looked.append(looks.at(flow, since))
        except Misconfigured as error:
            asked.errors.append(f"{flow.name}: {error}")


def _show(asked: Sequence[Asked], hours: float, out: Terminal) -> None:
    from mlc_dagster.pipeline.duplicates import sentences

    for each in asked:
        for text in sentences(each.looked):
            out.print(f"[red]found[/] {plain(text)}")
    out.print(_counts(asked))
    out.print(f"Looked {hours:g} hours back, and at what is alike whatever its age. Nothing was written.")
    for each in asked:
        for error in each.errors:
            named = error if error.startswith(f"{each.system}:") else f"{each.system}: {error}"
            out.print(f"[red]not known[/] {paragraph(named)}")


def _counts(asked: Sequence[Asked]) -> Any:
    listed = table("target", "compared", "doubles", "requests")
    for each in asked:
        for place, look in enumerate(each.looked):
            requests = f"{each.requests}" if place == 0 else ""
            listed.add_row(look.flow.name, f"{look.compared:,}", str(len(look.found)), requests)
    return listed


def _documents(asked: Sequence[Asked], alike: Sequence[Alike]) -> list[Mapping[str, Any]]:
    """Of each system; also of those that refuse a second document, where master data may be there twice."""
    systems = {each.system: each for each in asked}
    every = [*asked, *(Asked(name) for name in dict.fromkeys(each.system for each in alike) if name not in systems)]
    return [
        {
            **_document(each),
            "alike": [
                {"flow": one.flow, "mark": one.mark, "keys": one.keys} for one in alike if one.system == each.system
            ],
        }
        for each in every
    ]


def _document(asked: Asked) -> Mapping[str, Any]:
    from mlc_dagster.pipeline.duplicates import sentences

    return {
        "system": asked.system,
        "requests": asked.requests,
        "errors": asked.errors,
        "told": sentences(asked.looked),
        "flows": [
            {
                "flow": look.flow.name,
                "compared": look.compared,
                "not_read": look.unread,
                "doubles": [
                    {
                        "by": double.by,
                        "certain": double.is_certain,
                        "what": double.what,
                        "documents": [
                            {
                                "number": one.number,
                                "id": one.id,
                                "amount": amount(one),
                                "changed": one.at,
                                "link": one.link,
                            }
                            for one in double.documents
                        ],
                    }
                    for double in look.found
                ],
            }
            for look in asked.looked
        ],
    }
