"""The third pass in one table: what happened, what we did or said, and whether it is as it should be."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from rich.table import Table

from mlc_dagster.core.difference_kinds import (
    DELETED_IN_THE_TARGET,
    MERGED_IN_THE_TARGET,
    TARGET_SIDE,
    VOIDED_IN_THE_TARGET,
)
from mlc_dagster.core.terminal import Terminal, plain
from mlc_dagster.demo.later_life.event import Event, Outcome
from mlc_dagster.demo.later_life.third_pass import Sum
from mlc_dagster.ledger.records.differences import Difference

LESS = (DELETED_IN_THE_TARGET, VOIDED_IN_THE_TARGET)
"""Of these the target has not what is at stake; of all others it has so much more."""


def print_events(events: Sequence[Event], outcomes: Sequence[Outcome], out: Terminal) -> None:
    table = _table("After delivery: what happened, and what became of it")
    for name in ("what happened", "where", "document", "amount", "what we did or said", "as it should be"):
        table.add_column(name, justify="right" if name == "amount" else "left", overflow="fold")
    for event, outcome in zip(events, outcomes, strict=True):
        amount = "" if event.amount is None else f"{event.amount:,} {event.currency}"
        verdict = "[green]✓[/]" if not outcome.faults else f"[red]✗ {plain('; '.join(outcome.faults))}[/]"
        texts = (event.what, event.where, event.document, amount, outcome.said)
        table.add_row(*(plain(text) for text in texts), verdict)
    out.print(table)


def print_sums(sums: Sequence[Sum], named: Sequence[Difference], out: Terminal) -> None:
    """What each target shows beside what we delivered; what open differences name is subtracted."""
    table = _table("The targets, read back: what is off, less what an open difference names")
    for name in ("flow", "company", "currency", "delivered", "there", "difference", "named", "left"):
        table.add_column(name, justify="left" if name in ("flow", "company", "currency") else "right")
    for each, off, said in subtracted(sums, named):
        figures = (Decimal(each.ours), Decimal(each.theirs), off, said, off - said)
        table.add_row(each.flow, each.company, each.currency, *(f"{figure:,}" for figure in figures))
    out.print(table)


def subtracted(sums: Sequence[Sum], named: Sequence[Difference]) -> Iterator[tuple[Sum, Decimal, Decimal]]:
    """(sum, what is off, what differences name of it). A flow's differences count for the first of its companies that
    is off in their currency, since they name no company.
    """
    left = _amounts(named)
    for each in sums:
        off = Decimal(each.theirs) - Decimal(each.ours)
        yield each, off, left.pop((each.flow, each.currency), Decimal(0)) if off else Decimal(0)


def _amounts(named: Sequence[Difference]) -> dict[tuple[str, str], Decimal]:
    """(flow, currency) -> by how much its target has more than we delivered, as the open differences say."""
    found = defaultdict[tuple[str, str], Decimal](Decimal)
    for one in named:
        if one.kind in TARGET_SIDE and one.amount:
            found[one.flow, one.currency or ""] += Decimal(one.amount) * (-1 if one.kind in LESS else 1)
    return found


def unnamed(
    sums: Sequence[Sum], lines: Sequence[str], named: Sequence[Difference], carried: Iterable[tuple[str, str]]
) -> Iterator[str]:
    """What is off, or differs, and no open difference says so; and what one says, where nothing is off.

    `lines`: of the demo's own comparison. `carried`: what hangs on another record, which a difference names.
    """
    for each, off, said in subtracted(sums, named):
        if off != said:
            yield f"{each.flow} {each.company} {each.currency}: {off} is off, and the differences name {said}"
    is_off = {(each.flow, each.currency) for each, off, _ in subtracted(sums, named) if off}
    for (flow, currency), said in _amounts(named).items():
        if said and (flow, currency) not in is_off:
            yield f"{flow} {currency}: nothing is off, and the differences name {said}"
    starts = tuple({f"{one.flow} {one.key}:" for one in named})
    hanging = tuple(f"{flow} {key}:" for flow, key in carried)
    now = {str(one.theirs) for one in named if one.kind == MERGED_IN_THE_TARGET}

    def is_named(line: str) -> bool:
        return line.startswith(starts) or bool(now & set(re.findall(r"\w+", line)) and line.startswith(hanging))

    survivors = re.compile(rf"HubSpot holds companies ({'|'.join(now)}) that no flow delivered") if now else None
    for line in lines:
        if not is_named(line) and not (survivors and survivors.fullmatch(line)):
            yield line


def _table(title: str) -> Table:
    return Table(
        title=f"\n{title}", title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
