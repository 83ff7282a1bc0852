"""A replay by hand: which partitions of which flows, as how many runs, and what they moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg

from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.near_names import offered
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration import partitions
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.automation.running import FlowCounts, flow_counts, run_job
from mlc_dagster.orchestration.location import build, flows_of
from mlc_dagster.settings import Environment, Settings
from mlc_dagster.systems.configuration import erp_settings
from mlc_dagster.systems.ifs import records as ifs

Place = tuple[str, str]
"""(flow, partition)"""


@dataclass(frozen=True)
class Stretch:
    """One run: flows, and the partitions from the first to the last that they are replayed for."""

    flows: tuple[Flow, ...]
    partitions: tuple[str, ...]


@dataclass
class Replayed:
    """What came of it."""

    moved: dict[str, FlowCounts] = field(default_factory=dict)  # flow -> what moved, over all runs
    runs: list[str] = field(default_factory=list)  # ids of those that succeeded
    failures: list[str] = field(default_factory=list)  # a sentence for each run that did not


def flows_on(settings: Settings) -> dict[str, Flow]:
    """Name -> flow, of those that are switched on, in the order of the table."""
    tables = flows_of(settings, ifs.catalogue_for(erp_settings(settings)))
    return {flow.name: flow for table in tables.values() for flow in table}


def between(flow: Flow, first: str, last: str, settings: Settings) -> list[Place]:
    """The partitions of a flow from the first to the last, both included. Raises Misconfigured."""
    keys = _keys(flow, settings)
    for key in (first, last):
        if key not in keys:
            raise Misconfigured(
                f"{flow.name} has no partition {key}: it has {keys[0]} to {keys[-1]}{offered(key, keys)}",
                cure="Days are written 2026-11-05, and begin with partitions_start; companies are those of mlc.yaml.",
            )
    if keys.index(first) > keys.index(last):
        raise Misconfigured(f"{first} comes after {last}", cure="Name the earlier partition first.")
    return [(flow.name, key) for key in keys[keys.index(first) : keys.index(last) + 1]]


def of_run(ledger: Ledger, run_id: str, flows: Mapping[str, Flow]) -> list[Place]:
    """What a run moved, and the flows of what it read. Empty where the ledger knows of no such run."""
    touched, read = ledger.history.of_run(run_id)
    fed = {(name, part) for name, flow in flows.items() for entity, part in read if "/".join(flow.source.key) == entity}
    return sorted({(name, part) for name, part in touched if name in flows and part} | fed)


def stretches(places: Iterable[Place], flows: Mapping[str, Flow], settings: Settings) -> list[Stretch]:
    """As few runs as possible: neighbouring partitions of the same flows are one run, in the order of the days.

    Raises Misconfigured where a partition is not one any more.
    """
    wanted: dict[str, set[str]] = {}
    known = {kind: frozenset(_keys_of(kind, settings)) for kind in ("company", "day")}
    for name, partition in places:
        if partition not in known[flows[name].source.partition]:
            between(flows[name], partition, partition, settings)
        wanted.setdefault(partition, set()).add(name)
    return [stretch for kind in ("company", "day") for stretch in _of_kind(kind, wanted, flows, settings)]


def _of_kind(
    kind: str, wanted: Mapping[str, set[str]], flows: Mapping[str, Flow], settings: Settings
) -> Iterator[Stretch]:
    open_names: tuple[str, ...] = ()
    open_days: list[str] = []
    for key in _keys_of(kind, settings):
        names = tuple(name for name in flows if name in wanted.get(key, ()) and flows[name].source.partition == kind)
        if names != open_names and open_days:
            yield Stretch(tuple(flows[name] for name in open_names), tuple(open_days))
            open_days = []
        open_names = names
        if names:
            open_days.append(key)
    if open_days:
        yield Stretch(tuple(flows[name] for name in open_names), tuple(open_days))


def replay(
    plan: Sequence[Stretch],
    settings: Settings,
    environment: Environment,
    instance: dg.DagsterInstance,
    tags: Mapping[str, str],
    *,
    read_again: bool = False,
    also_unchanged: bool = False,
) -> Replayed:
    """Prepare and load once more, by Dagster runs in this process. One that fails does not keep the others back.

    `also_unchanged`: what is stale is sent, too.
    """
    job = build(settings, environment).resolve_implicit_global_asset_job_def()
    done = Replayed()
    for stretch in plan:
        keys = [key for flow in stretch.flows for key in _assets(flow, read_again)]
        span, only = (stretch.partitions[0], stretch.partitions[-1]), [dg.AssetKey(key) for key in dict.fromkeys(keys)]
        try:
            result = run_job(job, instance, span, only, tags, _asks(stretch.flows) if also_unchanged else None)
        except MlcError as error:
            done.failures.append(
                f"{', '.join(flow.name for flow in stretch.flows)} {'..'.join(dict.fromkeys(span))}: {error}"
            )
            continue
        done.runs.append(result.run_id)
        for flow in stretch.flows:
            counts, found = done.moved.setdefault(flow.name, FlowCounts()), flow_counts(flow, [result])
            counts.prepared.update(found.prepared)
            counts.loaded.update(found.loaded)
    return done


def _asks(flows: Sequence[Flow]) -> dict[str, Any]:
    """What their loads are asked, by the names of the steps."""
    return {"__".join(flow.key): {"config": {"also_unchanged": True}} for flow in flows}


def _assets(flow: Flow, read_again: bool) -> list[tuple[str, ...]]:
    return [*([flow.source.key] if read_again else []), prepared_key(flow), flow.key]


def _keys(flow: Flow, settings: Settings) -> list[str]:
    return _keys_of(flow.source.partition, settings)


def _keys_of(kind: str, settings: Settings) -> list[str]:
    found = partitions.companies(settings) if kind == "company" else partitions.days(settings)
    return list(found.get_partition_keys())
