"""What is due: days that a pause, a system's silence or the end of a slice left are asked for when nothing stands in
their way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import dagster as dg

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert_lines
from mlc_dagster.core.vocabulary import ERP, EntitySet
from mlc_dagster.ledger import SLICE, Ledger, PausedLoad
from mlc_dagster.orchestration.assets.asset_keys import prepared_key, read_of
from mlc_dagster.orchestration.assets.loads import judged_by
from mlc_dagster.orchestration.automation.duplicates import apart
from mlc_dagster.orchestration.partitions import unknown
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.settings import Settings

SENSOR = "due"
BACKFILL = "dagster/backfill"
PRIORITY = {"dagster/priority": "-1"}
"""Of what gave way: a first load of days never stands before today's orders."""


def due_sensors(flows: Sequence[Flow], settings: Settings, reads: Sequence[EntitySet]) -> Iterator[dg.SensorDefinition]:
    """Two: a run has partitions of one kind. On from the start: they go on with what somebody has begun."""
    for kind, name in (("day", SENSOR), ("company", f"{SENSOR}_by_company")):
        mine = [flow for flow in flows if flow.source.partition == kind]
        read = [entity for entity in reads if entity.partition == kind]
        if mine or read:
            yield due_sensor(name, mine, settings, read)


def due_sensor(name: str, flows: Sequence[Flow], settings: Settings, reads: Sequence[EntitySet]) -> dg.SensorDefinition:
    """Requests what a pause, a silence or the end of a slice left, when nothing stands in its way any more."""
    read = [*(entity.key for entity in reads), *(flow.source.key for flow in flows)]
    keys = [list(key) for key in dict.fromkeys([*read, *assets(flows)])]
    checks = {dg.AssetKey(prepared_key(flow)): judged_by(flow) for flow in flows}

    @dg.sensor(
        name=name,
        target=apart(dg.AssetSelection.assets(*keys), flows),
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Goes on with what is due: days that a pause, a system's silence or the end of a slice left.",
        required_resource_keys={"ledger", "storage"},
    )
    def go_on(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        ledger, store = context.resources.ledger.open, context.resources.storage.store
        found = resumed(flows, settings, ledger, reads, context.instance, store)
        requests = [with_checks(each, checks) for each in found]
        skip = inert_lines("; ".join(reasons(flows, ledger))) or "nothing is due"
        return dg.SensorResult(run_requests=requests, skip_reason=None if requests else skip)

    return go_on


def with_checks(request: dg.RunRequest, checks: Mapping[dg.AssetKey, Sequence[dg.AssetCheckKey]]) -> dg.RunRequest:
    """Those of the assets that it asks for; of others Dagster would write down that they were skipped."""
    keys = [check for key in request.asset_selection or () for check in checks.get(key, ())]
    return dg.RunRequest(
        run_key=request.run_key,
        partition_key=request.partition_key,
        asset_selection=request.asset_selection,
        asset_check_keys=keys,
        tags=request.tags,
    )


def resumed(
    flows: Sequence[Flow],
    settings: Settings,
    ledger: Ledger,
    reads: Sequence[EntitySet] = (),
    instance: dg.DagsterInstance | None = None,
    store: RowStore | None = None,
) -> Iterator[dg.RunRequest]:
    """One request for each partition that is due now, the newest first: its pause is lifted, its silence over, or it
    gave way. Of `reads` also what nothing was to be made of; what a release before stored less of is read again.

    Asked again every hour until a load has come to its end.
    """
    by_name = {flow.name: flow for flow in flows}
    sources = {read_of(entity): entity for entity in [*reads, *(flow.source for flow in flows)]}
    found = list(_known(ledger.pauses.due([*by_name, *sources]), by_name, sources, settings, ledger))
    unread = {(load.flow, load.partition): load for load in found if load.flow in sources}
    loads: dict[tuple[str, str], list[PausedLoad]] = {}
    for load in found:
        if load.flow in by_name:
            loads.setdefault((load.partition, load.connection), []).append(load)
    for (partition, connection), waiting in loads.items():
        mine = [by_name[load.flow] for load in waiting]
        first = {flow.source.key: None for flow in mine if unread.pop((read_of(flow.source), partition), None)}
        older = [each for each in mine if store and store.lacks(each.source.key, partition, each.source.record)]
        first |= {flow.source.key: None for flow in older}
        keys = dict.fromkeys([*first, *assets(mine)])
        yield _request(connection, waiting, keys, ledger, instance)
    alone = {read_of(entity): entity for entity in reads}
    for (name, _), load in unread.items():
        if name in alone:
            yield _request(load.connection, [load], [alone[name].key], ledger, instance)


def _known(
    due: Iterable[PausedLoad],
    flows: dict[str, Flow],
    sources: dict[str, EntitySet],
    settings: Settings,
    ledger: Ledger,
) -> Iterator[PausedLoad]:
    """Those that no pause stops; of what is no partition any more nobody asks again."""
    standing = ledger.pauses.standing()
    for load in due:
        source = sources[load.flow] if load.flow in sources else flows[load.flow].source
        if unknown(source, load.partition, settings):
            ledger.pauses.done(load.flow, load.partition)
        elif load.connection not in standing or load.flow in sources:
            yield load


def _request(
    connection: str,
    loads: Sequence[PausedLoad],
    keys: Iterable[tuple[str, ...]],
    ledger: Ledger,
    instance: dg.DagsterInstance | None,
) -> dg.RunRequest:
    """Each run that leaves something has one request after it, which belongs to the backfill that the run was of."""
    partition, turns = loads[0].partition, sorted({load.run_id for load in loads if load.why is not None})
    number, hour = ledger.pauses.latest(connection), f"{datetime.now(UTC):%Y-%m-%dT%H}"
    names = " ".join([*(load.flow for load in loads), *turns])
    behind = PRIORITY if any(load.why == SLICE for load in loads) else {}
    return dg.RunRequest(
        run_key=f"{connection} {partition} resumed {number} {names} {hour}",
        partition_key=partition,
        asset_selection=[dg.AssetKey(key) for key in keys],
        tags={"mlc/resumed": connection, **behind, **_backfill(turns, instance)},
    )


def _backfill(run_ids: Iterable[str], instance: dg.DagsterInstance | None) -> dict[str, str]:
    """Dagster counts what a backfill materialized by this tag; without it one that gave way would not end."""
    for run_id in run_ids:
        run = instance.get_run_by_id(run_id) if instance else None
        if run and BACKFILL in run.tags:
            return {BACKFILL: run.tags[BACKFILL]}
    return {}


def reasons(flows: Sequence[Flow], ledger: Ledger) -> Iterator[str]:
    """A sentence for each pause, and each silence, that keeps these flows from being requested."""
    targets = {flow.target.system for flow in flows}
    for connection, until in sorted(ledger.pauses.waiting_until().items()):
        if connection in targets | {flow.source.system for flow in flows}:
            yield f"{connection} asks to be left alone: waiting until {until:%Y-%m-%d %H:%M} UTC"
    for connection, pause in ledger.pauses.standing().items():
        if connection in targets:
            waiting = sum(load.connection == connection for load in ledger.pauses.loads(flow.name for flow in flows))
            yield f"{pause} ({waiting} load{'s wait' if waiting > 1 else ' waits'})" if waiting else str(pause)


def assets(flows: Iterable[Flow]) -> list[tuple[str, ...]]:
    """What a run makes of flows that waited, each once; a SaaS that is read after it was written is read again."""
    read = {flow.source.key: None for flow in flows if flow.source.system != ERP}
    return list(read | {key: None for flow in flows for key in (prepared_key(flow), flow.key)})
