"""`mlc holds list`: what is on hold, counted, and a page of it."""

from __future__ import annotations

from typing import Annotated

import typer

from mlc_dagster.cli.holds.options import FlowOption, JsonOption, RuleOption
from mlc_dagster.cli.holds.page import as_json, nothing, print_list, print_next, print_rest
from mlc_dagster.cli.shared.expected_names import expect
from mlc_dagster.cli.shared.lookup import ledger
from mlc_dagster.cli.shared.open_causes import causes_as_json, print_causes, totals_as_json, wanted
from mlc_dagster.core.terminal import say, say_json, terminal
from mlc_dagster.core.vocabulary import ERP

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: mlc holds list --flow cin7/purchases --rule gl_accounts_exist")
def list_(
    flow: FlowOption = None,
    rule: RuleOption = None,
    system: Annotated[str | None, typer.Option(help="What goes to a system or comes from it: cin7.")] = None,
    limit: Annotated[int, typer.Option(help="So many of them: a page.", min=1)] = 50,
    page: Annotated[int, typer.Option(help="1: the newest; 2: those before them; and so on.", min=1)] = 1,
    json_: JsonOption = False,
) -> None:
    """What is on hold: by cause with amount, age and owner, by flow and rule, then the records, the newest last."""
    narrowed = {"flow": flow, "rule": rule, "system": None if system == ERP else system}  # every flow is the ERP's
    with ledger() as opened:
        expect(opened, flow=flow, rule=rule, system=system)
        shown = opened.history.open_holds(**narrowed, limit=limit, newer=(page - 1) * limit)
        counted = opened.history.count_open(**narrowed)
        causes = opened.open_items.causes(wanted(opened, differs=False, **narrowed))
        differ = sum(number for (name, _), number in opened.differences.count().items() if flow in (None, name))
        moved = opened.history.flows()
    older = max(0, counted.holds - (page - 1) * limit - len(shown))
    if json_:
        summary = [
            {"flow": name, "rule": broken, "holds": number}
            for (name, broken), number in sorted(counted.by_rule.items())
        ]
        by_cause = {"causes": causes_as_json(causes), "totals": totals_as_json(causes)}
        told = {
            "summary": summary,
            **by_cause,
            "on_hold": counted.holds,
            "differ": differ,
            "more": older > 0,
            "older": older,
        }
        say_json({**told, "holds": [as_json(hold) for hold in shown]})
    elif shown:
        print_causes(causes, terminal())
        print_list(shown, counted, terminal())
        print_rest(counted.holds, len(shown), older, page, terminal())
        print_next(shown[-1], terminal())
    elif counted.holds:
        pages = -(-counted.holds // limit)
        say(f"{counted.holds:,} are on hold, on {pages:,} page(s) of {limit}: there is no page {page}.")
    else:
        say(nothing(flow, rule, system, moved))
    if differ and not json_:
        say(f"Beside what is on hold, {differ:,} delivered record(s) differ: mlc differences list")
