"""`mlc differences list`: what differs and is open, counted, and a page of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlc_dagster.cli.holds.options import FlowOption, JsonOption
from mlc_dagster.cli.shared.expected_names import expect
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.tables import moment, shortened, table
from mlc_dagster.core.terminal import Terminal, plain, say, say_json, terminal

if TYPE_CHECKING:
    from mlc_dagster.ledger.records.differences import Difference
    from mlc_dagster.ledger.records.stakes import InTarget

app = typer.Typer(add_completion=False)

VALUE = 60  # characters of a value in the list
COLUMNS = ("since (UTC)", "flow", "key", "kind", "field", "ours", "theirs", "amount", "in the target", "link")


@app.command(epilog="Example: mlc differences list --flow cin7/purchases")
def list_(
    flow: FlowOption = None,
    kind: Annotated[str | None, typer.Option(help="Such as gone_in_the_source, edited_in_the_target.")] = None,
    limit: Annotated[int, typer.Option(help="So many of them, the newest.", min=1)] = 50,
    json_: JsonOption = False,
) -> None:
    """What differs and is open: a summary by flow and kind, then the records, the newest last."""
    with ledger() as opened:
        expect(opened, flow=flow)
        every = opened.differences.open(flow, limit=None)
        found = [one for one in every if kind in (None, one.kind)]
        shown = found[-limit:]
        names = {one.flow for one in shown}
        places = {
            name: opened.stakes.places(name, [one.key for one in shown if one.flow == name]) for name in sorted(names)
        }
    rows = [(one, places[one.flow].get(one.key)) for one in shown]
    if json_:
        say_json({"open": len(found), "summary": _summary(found), "differences": [as_json(*row) for row in rows]})
    elif rows:
        _print(found, rows, terminal())
    else:
        where = f" in {flow}" if flow else ""
        say(f"Nothing differs{where}{f' by {kind}' if kind else ''}, as far as was looked.")


def _summary(found: list[Difference]) -> list[dict[str, Any]]:
    counted: dict[tuple[str, str], int] = {}
    for one in found:
        counted[one.flow, one.kind] = counted.get((one.flow, one.kind), 0) + 1
    return [{"flow": flow, "kind": kind, "open": number} for (flow, kind), number in sorted(counted.items())]


def as_json(one: Difference, place: InTarget | None) -> dict[str, Any]:
    """All of a difference, with where the target has the record."""
    return {
        "id": one.id,
        "flow": one.flow,
        "key": one.key,
        "kind": one.kind,
        "field": one.field,
        "ours": one.ours,
        "theirs": one.theirs,
        "amount": one.amount,
        "currency": one.currency,
        "since": one.first_seen.isoformat(),
        "seen_again": one.last_seen.isoformat(),
        "target_id": place.remote_id if place else None,
        "target_number": place.number if place else None,
        "target_link": place.link if place else None,
    }


def _print(found: list[Difference], rows: list[tuple[Difference, InTarget | None]], out: Terminal) -> None:
    summary = table("flow", "kind", "open", title="Differ")
    for each in _summary(found):
        summary.add_row(each["flow"], each["kind"], f"{each['open']:,}")
    listed = table(*COLUMNS, title="\nThe newest last")
    for one, place in rows:
        listed.add_row(*map(plain, _cells(one, place)))
    out.print(summary, listed)
    if len(found) > len(rows):
        out.print(f"[dim]{len(rows):,} of {len(found):,} are shown: --limit, --flow and --kind.[/]", soft_wrap=True)


def _cells(one: Difference, place: InTarget | None) -> tuple[str, ...]:
    amount = " ".join(filter(None, (one.amount, one.currency)))
    values = (shortened(one.ours or "", VALUE), shortened(one.theirs or "", VALUE))
    where = (place.number, place.link) if place else ("", "")
    return (moment(one.first_seen), one.flow, one.key, one.kind, one.field, *values, amount, *where)
