"""`mlc close`: the figures of a month."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlc_dagster.cli.close.gathered import BY_HAND, PeriodOption, gathering
from mlc_dagster.cli.shared.lookup import tell
from mlc_dagster.cli.shared.tables import table
from mlc_dagster.core.terminal import Terminal, plain, say_json, terminal

if TYPE_CHECKING:
    from mlc_dagster.pipeline.closing.signing import Closed

NOT_SIGNED = 1  # exit code
COLUMNS = ("flow", "delivered", "on hold", "different", "due", "never looked at", "ours", "theirs", "difference")
SHOWN = 20  # documents that are named

app = typer.Typer(add_completion=False)


@app.command(epilog="Examples: mlc close --period 2026-11 · mlc close --period 2026-11 --look --out close")
def show(
    period: PeriodOption,
    company: Annotated[str | None, typer.Option(help="Of this company alone, such as 0010.")] = None,
    look: Annotated[bool, typer.Option("--look", help="Verify the month's documents in their targets first.")] = False,
    out: Annotated[Path | None, typer.Option(help="A folder for the page that is filed, and its tables.")] = None,
    json: Annotated[bool, typer.Option("--json", help="The same as JSON, and no table.")] = False,
) -> None:
    """The figures of a month, kept as a version where they are others than before. Exit 1: not signed."""
    from mlc_dagster.ledger import Run
    from mlc_dagster.pipeline.closing import filed
    from mlc_dagster.pipeline.closing.signing import keep

    with gathering(period, company, look=look) as (gathered, flows):
        found = [keep(gathered, each, Run(BY_HAND)) for each in gathered.of(flows, company)]
    for each in found if out else ():
        for path in filed.write(each, out or Path()):
            tell(str(path))
    say_json({"period": period, "companies": [each.as_json() for each in found]}) if json else _show(found, terminal())
    if not all(each.signature for each in found):
        raise typer.Exit(NOT_SIGNED)


def _show(found: Sequence[Closed], out: Terminal) -> None:
    for closed in found:
        told = closed.as_json()
        out.print(f"[bold]{plain(str(closed.figures.books))}[/], version {closed.version.number}: {_signed(closed)}")
        _print_flows(told, out)
        for one in told["differences"][:SHOWN]:
            out.print(plain(_difference(one)), soft_wrap=True)
        for one in told["posted_after"][:SHOWN]:
            out.print(plain(_posted(one)), soft_wrap=True)
        left = len(told["differences"]) + len(told["posted_after"]) - 2 * SHOWN
        if left > 0:
            out.print("[dim]The others: --json, or --out FOLDER.[/]")
        out.print()


def _print_flows(told: dict[str, Any], out: Terminal) -> None:
    listed = table(
        "flow", "delivered", "on hold", "different", "due", "never looked at", "ours", "theirs", "difference"
    )
    for flow in told["flows"]:
        names = ("delivered", "held", "differing")
        numbers = [f"{flow[name]['number']:,} {_worth(flow[name])}".strip() for name in names]
        numbers += [str(len(flow["due"]) or ""), f"{flow['not_shown']['number'] or ''}"]
        listed.add_row(*map(plain, (flow["flow"], *numbers, "", "", "")))
        for row in flow["sums"]:
            place = f"  {row['account'] or 'on no account'} {row['currency']}"
            listed.add_row(*map(plain, (place, "", "", "", "", "", row["ours"], row["theirs"], row["difference"])))
    out.print(listed)


def _worth(counted: dict[str, Any]) -> str:
    amounts = ", ".join(f"{amount} {currency}".strip() for currency, amount in counted["amounts"].items())
    return f"({amounts})" if amounts else ""


def _signed(closed: Closed) -> str:
    if (signature := closed.signature) is not None:
        return plain(f"signed by {signature.who} on {signature.signed_at:%Y-%m-%d}")
    if closed.signatures:
        last = closed.signatures[0]
        return f"[red]the signature of {plain(last.who)} is void[/]: {plain(last.voided_because or '')}"
    return "not signed"


def _difference(one: dict[str, str]) -> str:
    sides = f"ours {one['ours'] or '-'}, theirs {one['theirs'] or '-'}"
    amount = f" ({one['amount']} {one['currency']})" if one["amount"] else ""
    return f"differs: {one['flow']} {one['key']} {one['number']}: {one['kind']} {one['field']}: {sides}{amount}"


def _posted(one: dict[str, Any]) -> str:
    when = "the signature" if one["after_the_signature"] else "the month"
    worth = f"{one['amount']} {one['currency']}".strip()
    return f"posted after {when}: {one['flow']} {one['key']} {one['number']}, dated {one['dated']}: {worth}"
