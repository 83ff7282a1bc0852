"""`mlc audit verify`: whether the trail is as it was written."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from mlc_dagster.cli.shared.expected_names import expect
from mlc_dagster.cli.shared.lookup import NotFound, ledger
from mlc_dagster.cli.shared.tables import table
from mlc_dagster.core.terminal import plain, say_json, terminal

if TYPE_CHECKING:
    from mlc_dagster.ledger import Differs, Fault, Verification

FAULTS_SHOWN = 1000  # of a trail that was rewritten as a whole every line is one

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: mlc audit verify --flow cin7/purchases")
def verify(
    flow: Annotated[str | None, typer.Option("--flow", help="Of this flow alone, such as cin7/purchases.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="JSON, and no table; with the last hash of each flow.")] = False,
) -> None:
    """Whether a line of the trail was changed, removed, slipped in or moved since it was written; exit 1 if so.

    So for the rows that stand beside it: deliveries, pulls, agreements, decisions, and what was sent.
    Each line carries a hash over itself and the one before it. Who can write to the database can rewrite all of them:
    keep the last hashes (--json) elsewhere to notice that.
    """
    with ledger() as opened:
        expect(opened, flow=flow)
        verification = opened.history.verify(flow)
        faults = _counted(verification)
        if not verification.lines and not faults[0]:
            raise _no_line(flow)
        differing = opened.audit.differing(flow)
    if json_:
        say_json({**_verdict(verification, *faults), "rows": [each._asdict() for each in differing]})
    else:
        _print_verdict(verification, *faults)
        _print_rows(differing)
    if faults[0] or differing:
        raise typer.Exit(1)


def _no_line(flow: str | None) -> NotFound:
    """Nothing is not intact: there is nothing to look at."""
    if flow is None:
        return NotFound("the trail has no line: no record ever moved by this ledger", cure="Is it the right ledger?")
    return NotFound(f"the trail has no line of {flow}", cure="`mlc audit verify` looks at every flow.")


def _counted(verification: Verification) -> tuple[int, list[Fault]]:
    """How many faults, and the first of them."""
    count, shown = 0, []
    for fault in verification:
        count += 1
        if count <= FAULTS_SHOWN:
            shown.append(fault)
    return count, shown


def _verdict(verification: Verification, count: int, faults: list[Fault]) -> dict[str, object]:
    return {
        "intact": not count,
        "lines": verification.lines,
        "heads": {flow: {"line": head.seq, "hash": head.hash} for flow, head in verification.heads.items()},
        "faults": count,
        "found": [asdict(fault) for fault in faults],
    }


def _print_verdict(verification: Verification, count: int, faults: list[Fault]) -> None:
    counted = f"{verification.lines:,} lines of {len(verification.heads):,} flows"
    if not count:
        terminal().print(f"{counted}: intact")
        return
    listed = table("flow", "line", "id", "what", "key", "written (UTC)")
    for fault in faults:
        cells = (fault.flow, _lines(fault), str(fault.id or ""), fault.what, fault.key, fault.at)
        listed.add_row(*map(plain, cells))
    out = terminal()
    out.print(listed)
    more = f"; the first {len(faults):,} are shown" if count > len(faults) else ""
    out.print(f"{counted}: NOT intact, {count:,} {'faults' if count > 1 else 'fault'}{more}")


def _print_rows(differing: list[Differs]) -> None:
    """The rows beside the trail that are not as it tells."""
    if differing:
        listed = table("flow", "key", "row", title="Not as the trail tells")
        for each in differing[:FAULTS_SHOWN]:
            listed.add_row(*map(plain, each))
        terminal().print(listed)


def _lines(fault: Fault) -> str:
    last = "" if fault.until in (None, fault.seq) else f"-{fault.until}"
    return f"{'' if fault.seq is None else fault.seq}{last}"
