"""What a pause means for runs: a load ends as paused, its day is remembered, and asked for when the pause is lifted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from mlc_dagster.ledger import Ledger, Paused
from mlc_dagster.orchestration import reports
from mlc_dagster.orchestration.keys import prepared_key
from mlc_dagster.orchestration.partitions import unknown
from mlc_dagster.pipeline import Loaded
from mlc_dagster.settings import Settings
from mlc_dagster.vocabulary import ERP, Flow

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
    """Remember a load that ended as paused, with what its run leaves out; forget one that came to its end."""
    if loaded.paused and loaded.pause is not None:
        places = [(name, partition) for name in (flow.name, *left_out)]
        ledger.pauses.keep(loaded.pause.connection, places, run_id)
    else:
        ledger.pauses.done(flow.name, partition)
        ledger.loads.ended(flow.name, partition, run_id)


Loads = Mapping[str, tuple[Loaded, dict[str, Any]]]
"""Partition -> its load, and that as the UI shows it."""


def seen(flow: Flow, loads: Loads) -> Iterator[dg.AssetObservation | dg.AssetMaterialization]:
    """What the UI keeps of a run that `stop` ends: a partition that is not delivered to its end was only seen."""
    if any(loaded.paused for loaded, _ in loads.values()):
        for partition, (loaded, account) in loads.items():
            told = dg.AssetObservation if loaded.paused else dg.AssetMaterialization
            yield told(asset_key=list(flow.key), partition=partition, metadata=account)


def stop(flow: Flow, loads: Loads) -> None:
    """Raises Paused where a partition was not delivered to its end: what is materialized counts as delivered."""
    paused = {partition: loaded for partition, (loaded, _) in loads.items() if loaded.paused}
    pauses = [loaded.pause for loaded in paused.values() if loaded.pause is not None]
    if not pauses:
        return
    days, left = sorted(paused), sum(loaded.paused for loaded in paused.values())
    more = f" and {len(days) - NAMED} more" if len(days) > NAMED else ""
    counted = f"{left} record{'s' if left > 1 else ''} of {flow.name} wait{'' if left > 1 else 's'}"
    raise Paused(pauses[0], f"{counted} ({', '.join(days[:NAMED])}{more}); nothing is lost.")


# --- when it goes on ------------------------------------------------------------------------------------------------


def resumed(flows: Sequence[Flow], settings: Settings, ledger: Ledger) -> Iterator[dg.RunRequest]:
    """One request for each partition that waited for a pause which is lifted now, the newest first.

    Asked again every hour until a load has come to its end.
    """
    by_name, standing = {flow.name: flow for flow in flows}, ledger.pauses.standing()
    due: dict[tuple[str, str], list[str]] = {}
    for load in ledger.pauses.loads(by_name):
        if unknown(by_name[load.flow].source, load.partition, settings):
            ledger.pauses.done(load.flow, load.partition)
        elif load.connection not in standing:
            due.setdefault((load.partition, load.connection), []).append(load.flow)
    for (partition, connection), names in due.items():
        number, hour = ledger.pauses.latest(connection), f"{datetime.now(UTC):%Y-%m-%dT%H}"
        yield dg.RunRequest(
            run_key=f"{connection} {partition} resumed {number} {' '.join(names)} {hour}",
            partition_key=partition,
            asset_selection=[dg.AssetKey(key) for key in assets([by_name[name] for name in names])],
            tags={"mlc/resumed": connection},
        )


def reasons(flows: Sequence[Flow], ledger: Ledger) -> Iterator[str]:
    """A sentence for each pause that keeps these flows from being requested."""
    targets = {flow.target.system for flow in flows}
    for connection, pause in ledger.pauses.standing().items():
        if connection in targets:
            waiting = sum(load.connection == connection for load in ledger.pauses.loads(flow.name for flow in flows))
            yield f"{pause} ({waiting} load{'s wait' if waiting > 1 else ' waits'})" if waiting else str(pause)


def assets(flows: Iterable[Flow]) -> list[tuple[str, ...]]:
    """What a run makes of flows that waited, each once; a SaaS that is read after it was written is read again."""
    read = {flow.source.key: None for flow in flows if flow.source.system != ERP}
    return list(read | {key: None for flow in flows for key in (prepared_key(flow), flow.key)})


def account(loaded: Loaded, spent: Any) -> dict[str, Any]:
    """As the UI shows it; of a load that ended as paused with who said so."""
    told = reports.of_load(loaded, spent)
    return {**told, "paused": loaded.paused, "why": str(loaded.pause)} if loaded.paused else told
