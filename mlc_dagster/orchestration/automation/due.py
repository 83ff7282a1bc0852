"""What is due: whatever was asked for, failed, gave way or was stopped is asked for until a load has ended well."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

import dagster as dg

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert_lines
from mlc_dagster.core.logs import logger
from mlc_dagster.core.vocabulary import ERP, EntitySet
from mlc_dagster.ledger import Ledger, Task
from mlc_dagster.ledger.coordination.work_entries import PAUSED, REFUSED, UNREACHABLE, cause_of
from mlc_dagster.orchestration.assets.asset_keys import prepared_key, read_of
from mlc_dagster.orchestration.automation import probing
from mlc_dagster.orchestration.automation.due_requests import RESUMED, Wanted
from mlc_dagster.orchestration.automation.duplicates import apart
from mlc_dagster.orchestration.automation.open_runs import OpenRuns
from mlc_dagster.orchestration.automation.step_checks import with_checks
from mlc_dagster.orchestration.partitions import unknown
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline.due_causes import by_cause
from mlc_dagster.settings import Settings

SENSOR = "due"
AT_ONCE = 25  # runs of this sensor under way: the newest days first, the others follow as these end
SOON = 180.0
"""Seconds in which a sensor that asks for a run itself is left to it, before this one does."""
log = logger("mlc_dagster.due")


def due_sensors(flows: Sequence[Flow], settings: Settings, reads: Sequence[EntitySet]) -> Iterator[dg.SensorDefinition]:
    """Two: a run has partitions of one kind. On from the start: they go on with what somebody has begun."""
    every = frozenset(_sources(flows, reads))
    for kind, name in (("day", SENSOR), ("company", f"{SENSOR}_by_company")):
        mine = [flow for flow in flows if flow.source.partition == kind]
        read = [entity for entity in reads if entity.partition == kind]
        if mine or read:
            yield due_sensor(name, mine, settings, read, every)


def due_sensor(
    name: str, flows: Sequence[Flow], settings: Settings, reads: Sequence[EntitySet], every: AbstractSet[str]
) -> dg.SensorDefinition:
    """Requests what the work list says is due, when nothing stands in its way. `every`: what the list may name."""
    read = [*(entity.key for entity in reads), *(flow.source.key for flow in flows)]
    keys = [list(key) for key in dict.fromkeys([*read, *assets(flows)])]
    systems = {entity.system for entity in reads} | {each for flow in flows for each in _both(flow)}

    @dg.sensor(
        name=name,
        target=apart(dg.AssetSelection.assets(*keys), flows),
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Goes on with what is due: days that were asked for, or whose run failed, gave way or was stopped.",
        required_resource_keys={"ledger", "storage", *systems},
    )
    def go_on(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        ledger, store = context.resources.ledger.open, context.resources.storage.store
        ledger.loads.sensors_look()
        names = [*(flow.name for flow in flows), *(read_of(entity) for entity in _sources(flows, reads).values())]
        forget_gone(_sources(flows, reads), every, ledger, settings)
        kept = probing.probe(ledger.work.all(names), ledger, context.resources, json.loads(context.cursor or "{}"))
        under_way = OpenRuns(context.instance, context.repository_def)
        found = list(resumed(flows, ledger, reads, context.instance, store, under_way))
        room = max(0, AT_ONCE - under_way.tagged(RESUMED))
        requests = [with_checks(each, context.repository_def) for each in found[:room]]
        skip = inert_lines("; ".join(reasons(flows, ledger))) or "nothing is due"
        return dg.SensorResult(
            run_requests=requests, skip_reason=None if requests else skip, cursor=json.dumps(kept) if kept else "{}"
        )

    return go_on


# --- what may be asked for --------------------------------------------------------------------------------------------


def _sources(flows: Sequence[Flow], reads: Sequence[EntitySet]) -> dict[str, EntitySet]:
    """What stands on the list -> the entity set whose partitions it has."""
    entities = {entity.key: entity for entity in [*reads, *(flow.source for flow in flows)]}
    return {**{read_of(entity): entity for entity in entities.values()}, **{flow.name: flow.source for flow in flows}}


def forget_gone(sources: Mapping[str, EntitySet], every: AbstractSet[str], ledger: Ledger, settings: Settings) -> None:
    """Of what is no partition, or no flow, any more nobody asks again; that is told once, in the log."""
    for task in ledger.work.all():
        why = "" if task.flow in every else "mlc.yaml has it off"
        if task.flow in sources:
            why = unknown(sources[task.flow], task.partition, settings)
        if why:
            ledger.work.forget(task.flow, [task.partition])
            log.warning("%s of %s was due, and is not asked for any more: %s", task.flow, task.partition, why)


def resumed(
    flows: Sequence[Flow],
    ledger: Ledger,
    reads: Sequence[EntitySet] = (),
    instance: dg.DagsterInstance | None = None,
    store: RowStore | None = None,
    under_way: OpenRuns | None = None,
) -> Iterator[dg.RunRequest]:
    """One request for each partition and SaaS that is due now, the newest first, with what has to be read for it."""
    by_name, sources = {flow.name: flow for flow in flows}, _sources(flows, reads)
    newest = _newest_of_each(ledger.work.all(sources))
    come = [task for task in ledger.work.due(sources) if newest.get(task.cause, task.partition) == task.partition]
    silent, standing = ledger.work.silent().keys(), ledger.pauses.standing().keys()
    tasks = [task for task in come if _may_go(task, by_name.get(task.flow), silent, standing)]
    unread = {(task.flow, task.partition): task for task in tasks if task.flow not in by_name}
    listed = {(task.flow, task.partition) for task in ledger.work.all(set(sources) - set(by_name))}
    wanted: dict[tuple[str, str], Wanted] = {}
    fed: set[tuple[str, str]] = set()
    for task in tasks:
        flow = by_name.get(task.flow)
        if flow is not None and (read_of(flow.source), task.partition) not in listed - unread.keys():
            mine = wanted.setdefault((task.partition, flow.spoke), Wanted(task.partition, flow.spoke))
            read = unread.get((read_of(flow.source), task.partition))
            mine.load(flow, task, read, store)
            fed |= {(read.flow, read.partition)} if read else set()
    for name, partition in (place for place in unread if place not in fed):
        task = unread[name, partition]
        entity = sources[name]
        key = (partition, f"read {entity.system}")
        wanted.setdefault(key, Wanted(partition, entity.system)).read(entity, task)
    for each in wanted.values():
        if under_way is None or not any(under_way.makes(key, each.partition) for key in each.keys):
            yield each.request(ledger, instance)


def _newest_of_each(tasks: Sequence[Task]) -> dict[str, str]:
    """Cause -> the newest partition of what waits for a system that did not answer: it alone is tried, and with it the
    others go on.
    """
    found: dict[str, str] = {}
    for task in tasks:
        gone = (cause_of(task.connection, UNREACHABLE), cause_of(task.connection, REFUSED))
        if task.state == "waiting" and task.cause in gone:
            found[task.cause] = max(task.partition, found.get(task.cause, ""))
    return found


def _may_go(task: Task, flow: Flow | None, silent: AbstractSet[str], standing: AbstractSet[str]) -> bool:
    """Not while a person has stopped the writing, or a system asks to be left alone. What is only read may be read."""
    if flow is None:
        return task.connection not in silent
    paused = {flow.target.system, *([task.connection] if task.cause == cause_of(task.connection, PAUSED) else [])}
    return silent.isdisjoint(_both(flow)) and standing.isdisjoint(paused)


def _both(flow: Flow) -> tuple[str, str]:
    return flow.source.system, flow.target.system


def asked_by(flows: Iterable[Flow], partition: str) -> Iterator[tuple[str, str]]:
    """What stands on the list when a partition of these flows is asked for: they, and what they are made of."""
    for flow in flows:
        yield from ((flow.name, partition), (read_of(flow.source), partition))


# --- what is said -----------------------------------------------------------------------------------------------------


def reasons(flows: Sequence[Flow], ledger: Ledger) -> Iterator[str]:
    """A sentence for each pause, each silence, and each cause that keeps these flows from being requested."""
    tasks, targets = ledger.work.all(flow.name for flow in flows), {flow.target.system for flow in flows}
    for connection, until in sorted(ledger.work.silent().items()):
        if connection in targets | {flow.source.system for flow in flows}:
            yield f"{connection} asks to be left alone: waiting until {until:%Y-%m-%d %H:%M} UTC"
    for connection, pause in ledger.pauses.standing().items():
        if connection in targets:
            waiting = sum(task.connection == connection for task in tasks)
            yield f"{pause} ({waiting} load{'s wait' if waiting > 1 else ' waits'})" if waiting else str(pause)
    yield from (cause.says() for cause in by_cause(tasks))


def assets(flows: Iterable[Flow]) -> list[tuple[str, ...]]:
    """What a run makes of flows that waited, each once; a SaaS that is read after it was written is read again."""
    read = {flow.source.key: None for flow in flows if flow.source.system != ERP}
    return list(read | {key: None for flow in flows for key in (prepared_key(flow), flow.key)})
