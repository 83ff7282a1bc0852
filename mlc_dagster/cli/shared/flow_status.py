"""How each flow stands: its last load, what is due and why, what is on hold, what differs, and when it runs next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mlc_dagster.core.cron_times import next_time

if TYPE_CHECKING:
    from mlc_dagster.ledger import Ledger, Task
    from mlc_dagster.ledger.records.stock import OpenStock
    from mlc_dagster.pipeline.due_causes import DueCause
    from mlc_dagster.settings import Settings


def flows_of(opened: Ledger, settings: Settings, tasks: Sequence[Task]) -> list[dict[str, Any]]:
    """Those that are on, and those of which something is due, on hold, stale, or differs still."""
    held, differing, latest = opened.stock.holds(), opened.stock.differences(), opened.loads.latest()
    stale, worth = opened.stale.count(), opened.stale.worth()
    ticks, waiting = _next_ticks(settings), {task.flow for task in tasks if not task.flow.startswith("read ")}
    names = dict.fromkeys([*ticks, *sorted({*held, *differing, *stale, *waiting})])
    return [
        {
            "flow": name,
            "last_load": latest[name].ended_at.isoformat() if name in latest else None,
            "last_loaded": latest[name].partition if name in latest else None,
            **work_of([task for task in tasks if task.flow == name]),
            **_open(held.get(name), "on_hold", "oldest_hold", "held_amounts"),
            **_open(differing.get(name), "differences", "oldest_difference", "differing_amounts"),
            "stale": stale.get(name, 0),
            "stale_amounts": {currency: f"{sum_:f}" for currency, sum_ in sorted(worth.get(name, {}).items())},
            "next_tick": ticks.get(name),
        }
        for name in names
    ]


def work_of(tasks: Sequence[Task]) -> dict[str, Any]:
    """How many days, or companies, are due at all; of these how many wait, and until when; how many need a person."""
    waiting = [task for task in tasks if task.state == "waiting"]
    return {
        "due": len(tasks),
        "waiting": len(waiting),
        "waiting_until": min((task.due_at for task in waiting), default=None),
        "needs_person": sum(task.state == "needs_person" for task in tasks),
        "causes": sorted({task.cause for task in tasks if task.cause}),
    }


def cause_as_told(cause: DueCause) -> dict[str, Any]:
    """One remedy, and all that waits for it."""
    return {
        "cause": cause.cause,
        "says": cause.why,
        "needs_person": cause.needs_person,
        "command": cause.command,
        "since": cause.since,
        "until": None if cause.needs_person else cause.until,
        "loads": cause.loads,
        "flows": list(cause.flows),
        "partitions": list(cause.partitions),
    }


def _open(stock: OpenStock | None, number: str, oldest: str, amounts: str) -> dict[str, Any]:
    if stock is None:
        return {number: 0, oldest: None, amounts: {}}
    since = stock.oldest.isoformat() if stock.oldest else None
    sums = {currency: str(amount) for currency, amount in sorted(stock.amounts.items())}
    return {number: stock.number, oldest: since, amounts: sums}


def _next_ticks(settings: Settings) -> Mapping[str, datetime | None]:
    """Of the flows that are on: when their schedule comes round next, by mlc.yaml."""
    from mlc_dagster.systems import configuration

    known, now = configuration.flows(settings), datetime.now(UTC)
    tables = ((known[name], configuration.switched_off(settings, name)) for name in settings.targets)
    on = [flow for flows, off in tables for flow in flows if flow.name not in off]
    times = {flow.name: settings.schedules.of(flow.name, flow.spoke, flow.source.partition) for flow in on}
    return {name: next_time(at, now) if at else None for name, at in times.items()}


def amounts_in_a_line(amounts: Mapping[str, str]) -> str:
    """1,200.00 SEK, 30.00 EUR"""
    from decimal import Decimal

    return ", ".join(f"{Decimal(amount):,.2f} {currency}" for currency, amount in amounts.items())
