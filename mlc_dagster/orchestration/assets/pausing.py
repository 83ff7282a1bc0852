"""How a run ends that a pause, a silence or the end of its slice stops: what is left is remembered by its day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import dagster as dg

from mlc_dagster.core.errors import ThrottledUntil
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.ledger import PAUSED, SLICE, THROTTLED, Ledger, Paused
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.pipeline import Loaded

NAMED = 5  # days that a message names


def after(flow: Flow, flows: Sequence[Flow]) -> tuple[str, ...]:
    """The flows that a run leaves out when this one does not end: what needs it, and what reads its target back."""
    found: dict[str, None] = {}
    reached = [flow]
    while reached:
        one = reached.pop()
        for other in flows:
            reads_back = bool(one.pair) and other.pair == one.pair and one.source.system == ERP != other.source.system
            if (one.name in other.needs or reads_back) and other.name not in found and other.name != flow.name:
                found[other.name] = None
                reached.append(other)
    return tuple(found)


def note(flow: Flow, partition: str, loaded: Loaded, left_out: Iterable[str], ledger: Ledger, run_id: str) -> None:
    """Remember a load that did not come to its end, with what its run leaves out."""
    for places, prepared in (([(flow.name, partition)], True), ([(name, partition) for name in left_out], False)):
        put_off = partial(ledger.work.put_off, places, prepared=prepared)
        if loaded.pause is not None:
            put_off(loaded.pause.connection, PAUSED, str(loaded.pause), run_id)
        elif (silence := loaded.throttled) is not None:
            why = f"{silence.system} asks to be left alone"
            put_off(silence.system, THROTTLED, why, run_id, seconds=silence.left())
        else:
            put_off(flow.target.system, SLICE, "its slice was over", run_id)


# --- what a load that was stopped says ------------------------------------------------------------------------------

Loads = Mapping[str, tuple[Loaded, dict[str, Any]]]
"""Partition -> its load, and that as the UI shows it."""


def seen(flow: Flow, loads: Loads) -> Iterator[dg.AssetObservation | dg.AssetMaterialization]:
    """What the UI keeps of a run that `stop` ends: a partition that is not delivered to its end was only seen."""
    if any(loaded.paused for loaded, _ in loads.values()):
        for partition, (loaded, account) in loads.items():
            told = dg.AssetObservation if loaded.paused else dg.AssetMaterialization
            yield told(asset_key=list(flow.key), partition=partition, metadata=account)


def stop(flow: Flow, loads: Loads) -> None:
    """Raises Paused or ThrottledUntil where a partition was not delivered to its end: what is materialized counts as
    delivered.
    """
    stopped = {day: loaded for day, (loaded, _) in loads.items() if loaded.paused}
    left = f"{_counted(flow, stopped)}; nothing is lost."
    for loaded in stopped.values():
        if loaded.pause is not None:
            raise Paused(loaded.pause, left)
    for loaded in stopped.values():
        if loaded.throttled is not None:
            raise ThrottledUntil(loaded.throttled.system, loaded.throttled.left(), left)


def gave_way(flow: Flow, loads: Loads) -> str:
    """What is left where the slice was over; empty where nothing is."""
    left = {day: loaded for day, (loaded, _) in loads.items() if loaded.paused}
    return f"The slice is over: {_counted(flow, left)}; the next run goes on with it." if left else ""


def _counted(flow: Flow, left: Mapping[str, Loaded]) -> str:
    days, number = sorted(left), sum(loaded.paused for loaded in left.values())
    more = f" and {len(days) - NAMED} more" if len(days) > NAMED else ""
    wait = f"{number} record{'s' if number > 1 else ''} of {flow.name} wait{'' if number > 1 else 's'}"
    return f"{wait} ({', '.join(days[:NAMED])}{more})"


def account(loaded: Loaded, spent: Any) -> dict[str, Any]:
    """As the UI shows it; of a load that did not come to its end with why."""
    told = reports.of_load(loaded, spent)
    return {**told, "paused": loaded.paused, "why": _why(loaded)} if loaded.paused else told


def _why(loaded: Loaded) -> str:
    if loaded.pause is not None:
        return str(loaded.pause)
    if (silence := loaded.throttled) is not None:
        return f"waiting until {silence.until:%Y-%m-%d %H:%M} UTC: {silence.system} asks to be left alone"
    return "its slice was over: the next run goes on with it"
