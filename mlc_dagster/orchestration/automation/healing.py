"""Holds heal: where the reason of one has gone, the partition that it lies in is prepared and loaded once more."""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from mlc_dagster import pipeline
from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert_lines
from mlc_dagster.core.outcomes import OWNED
from mlc_dagster.ledger import PAUSED, Ledger, Pause
from mlc_dagster.ledger.records.causes import Waiting
from mlc_dagster.orchestration.assets.asset_keys import prepared_key
from mlc_dagster.orchestration.assets.charts import facts_for
from mlc_dagster.orchestration.automation import due
from mlc_dagster.orchestration.automation.duplicates import apart
from mlc_dagster.orchestration.automation.step_checks import with_checks
from mlc_dagster.orchestration.failures import each_once
from mlc_dagster.orchestration.partitions import unknown
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline import ACCEPTED, ANSWERED
from mlc_dagster.pipeline.fresh import THERE
from mlc_dagster.settings import Settings

SECONDS = 20.0  # of judging in one tick: Dagster ends a tick after 60; the next one goes on where this one stopped
UNDER_WAY = 25  # runs of a flow that heal at once: the newest days come first, the others follow as these end
BY_HAND = "released"  # stands where the run would that ended without it
REMEMBERED = timedelta(days=7)  # how long a release is carried out that no run has picked up
HEALING, RUN_KEY, PARTITION = "mlc/healing", "dagster/run_key", "dagster/partition"

FINISHED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)

Requests = list[dg.RunRequest]


def healing_sensors(flows: Mapping[str, Sequence[Flow]], settings: Settings) -> Iterator[dg.SensorDefinition]:
    """One for each SaaS, and one more for what goes there by company: a run has partitions of one kind."""
    for system, table in flows.items():
        for kind, name in (("day", f"{system}_heals"), ("company", f"{system}_heals_by_company")):
            if of_kind := [flow for flow in table if flow.source.partition == kind]:
                yield healing_sensor(name, of_kind, settings)


def healing_sensor(name: str, flows: Sequence[Flow], settings: Settings) -> dg.SensorDefinition:
    """Judges what is on hold by today's facts, as prepare would, and requests the partitions of what would pass.

    Nothing is requested that a pause or a silence would stop: when it is over, it is due.
    """
    keys = [list(key) for key in dict.fromkeys([*(flow.source.key for flow in flows), *due.assets(flows)])]

    @dg.sensor(
        name=name,
        target=apart(dg.AssetSelection.assets(*keys), flows),
        minimum_interval_seconds=60,
        description=f"Replays what is on hold for {flows[0].spoke}, where the reason has gone or a person released it.",
        required_resource_keys={"ledger", "storage", *(flow.target.system for flow in flows)},
    )
    def heal(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        turns: dict[str, int] = json.loads(context.cursor or "{}")
        ledger, until = context.resources.ledger.open, time.monotonic() + SECONDS
        requests: Requests = []
        reasons = list(due.reasons(flows, ledger))
        silent = ledger.work.silent()
        failed: dict[str, MlcError] = {}
        for flow in flows:
            try:
                if pause := ledger.pauses.of(flow.target.system):
                    _keep_released(flow, ledger, pause)
                    continue
                if flow.target.system in silent:
                    continue
                wanted = _Wanted(flow, once=settings.is_shadow(flow.target.system))
                turns[flow.name], usable = _looked_over(
                    flow, settings, context, turns.get(flow.name, 0), until, reasons
                )
                wanted.of(ledger, usable)
                requests += wanted.requests(context.instance, settings, reasons, context.resources.storage.store)
            except MlcError as error:  # of this flow: what the others found is requested
                failed[flow.name] = error
        if failed:
            context.log.warning(f"Not all holds were looked at, and are again: {each_once(failed)}")
        told = [each_once(failed), "; ".join(dict.fromkeys(reasons))]
        skip = inert_lines("\n".join(filter(None, told))) or "nothing on hold would pass now"
        healed = [(request.tags[HEALING], str(request.partition_key)) for request in requests]
        ledger.work.ask_all(healed, "what was on hold would pass", soon=due.SOON)
        asked_for = [with_checks(request, context.repository_def) for request in requests]
        return dg.SensorResult(run_requests=asked_for, skip_reason=None if requests else skip, cursor=json.dumps(turns))

    return heal


def _looked_over(
    flow: Flow,
    settings: Settings,
    context: dg.SensorEvaluationContext,
    turn: int,
    until: float,
    reasons: list[str],
) -> tuple[int, bool]:
    """Where the next tick's tries begin, and whether it could be judged at all. Nobody is asked where nothing waits."""

    def ask() -> tuple[Any, Any]:
        asked: Any = context  # facts come from its resources, which a sensor has as an asset has them
        facts = facts_for(flow, settings, asked)
        client = getattr(context.resources, flow.target.system).client
        return facts, (lambda records: client.known(flow.target, records)) if flow.looks_up else None

    ledger: Ledger = context.resources.ledger.open
    turn, facts = pipeline.judge_in_time(flow, ledger, ask, turn, lambda: time.monotonic() < until)
    if facts is not None:
        reasons += facts.unusable.values()
    return turn, facts is not None and not facts.unusable


# --- what is asked for ------------------------------------------------------------------------------------------------


@dataclass
class _Wanted:
    """The partitions of a flow that would heal: of each why, and the marks that make its run key another one."""

    flow: Flow
    once: bool  # in shadow nothing is delivered, so nothing would end it
    whys: dict[str, dict[str, list[str]]] = field(default_factory=dict)  # partition -> why -> marks

    def of(self, ledger: Ledger, usable: bool) -> None:
        causes, name = ledger.causes, self.flow.name
        if not self.once:
            refused = [hold for rule in (ACCEPTED, THERE, OWNED) for hold in causes.by_rule_alone(name, rule)]
            self.tried_again(causes.by_rule_alone(name, ANSWERED), refused)
        self._released(ledger)
        if usable:
            for day, holds in _by_partition(causes.passing(name)).items():
                self._add(day, "heals", _marks(holds), "" if self.once else _turn_of_the_clock(holds))

    def tried_again(self, unanswered: Sequence[Waiting], refused: Sequence[Waiting]) -> None:
        """What the load held: without an answer it is looked up at once; refused it is tried once a day."""
        today = datetime.now(UTC).date()
        for day, holds in _by_partition(unanswered).items():
            self._add(day, "looks up", _marks(holds), _turn_of_the_clock(holds))
        for day in _by_partition(hold for hold in refused if hold.updated_at.date() < today):
            self._add(day, "tries again", [today.isoformat()])

    def _released(self, ledger: Ledger) -> None:
        """A hold that a person released is closed: without this nobody would ask for its load."""
        waiting: dict[str, list[str]] = {}
        for decision, day in ledger.history.released(self.flow.name, datetime.now(UTC) - REMEMBERED):
            waiting.setdefault(day, []).append(f"{decision.key} {decision.at.isoformat()}")
        for day, marks in waiting.items():
            self._add(day, "released", marks, "" if self.once else f"{datetime.now(UTC):%Y-%m-%dT%H}")

    def _add(self, partition: str, why: str, marks: Iterable[str], turn: str = "") -> None:
        self.whys.setdefault(partition, {})[why] = [*marks, turn]

    def requests(
        self, instance: dg.DagsterInstance, settings: Settings, reasons: list[str], store: RowStore | None = None
    ) -> Requests:
        """One for each partition, the newest first, as many as may be under way; what was asked for is not again."""
        known = [day for day in sorted(self.whys, reverse=True) if self._is_known(day, settings, reasons)]
        if not known:
            return []
        under_way, asked = _under_way(self.flow, instance), _asked(self.flow, instance)
        new = (_request(self.flow, day, self.whys[day]) for day in known if day not in under_way)
        found = [request for request in new if request.run_key not in asked]
        room = max(0, UNDER_WAY - len(under_way))
        if left := found[room:]:
            reasons.append(f"{self.flow.name}: {len(left)} more partitions would heal, and follow as these runs end")
        return [_read_again(request, self.flow, store) for request in found[:room]]

    def _is_known(self, partition: str, settings: Settings, reasons: list[str]) -> bool:
        if why := unknown(self.flow.source, partition, settings):
            reasons.append(f"{self.flow.name}: what is on hold cannot be replayed: {why}")
        return not why


def _under_way(flow: Flow, instance: dg.DagsterInstance) -> set[str]:
    """The partitions whose healing runs have not ended."""
    waiting = [status for status in dg.DagsterRunStatus if status not in FINISHED]
    runs = instance.get_runs(dg.RunsFilter(tags={HEALING: flow.name}, statuses=waiting))
    return {run.tags.get(PARTITION, "") for run in runs}


def _asked(flow: Flow, instance: dg.DagsterInstance) -> set[str]:
    """The run keys that were used: Dagster uses each once."""
    found = instance.get_run_tags(tag_keys=[RUN_KEY], value_prefix=f"{flow.name} ")
    return {key for _, keys in found for key in keys}


def _keep_released(flow: Flow, ledger: Ledger, pause: Pause) -> None:
    """A release is not carried out for ever: what was released while nothing may be sent waits with the rest."""
    places = {(flow.name, day) for _, day in ledger.history.released(flow.name, datetime.now(UTC) - REMEMBERED)}
    known = {(task.flow, task.partition) for task in ledger.work.all([flow.name])}
    if new := sorted(places - known):
        ledger.work.put_off(new, pause.connection, PAUSED, str(pause), BY_HAND)


def _by_partition(holds: Iterable[Waiting]) -> dict[str, list[Waiting]]:
    found: dict[str, list[Waiting]] = {}
    for hold in holds:
        found.setdefault(hold.partition, []).append(hold)
    return found


def _marks(holds: Iterable[Waiting]) -> list[str]:
    return [f"{hold.id} {hold.key} {hold.content}" for hold in holds]


def _turn_of_the_clock(holds: Iterable[Waiting]) -> str:
    """A run key is used once. What still waits is asked for again after an hour; after a day, once a day."""
    now = datetime.now(UTC)
    young = any(now - hold.updated_at < timedelta(days=1) for hold in holds)
    return f"{now:%Y-%m-%dT%H}" if young else f"{now:%Y-%m-%d}"


def _read_again(request: dg.RunRequest, flow: Flow, store: RowStore | None) -> dg.RunRequest:
    """With the source, where a release before stored less of it."""
    source = flow.source
    if store is None or not store.lacks(source.key, str(request.partition_key), source.record):
        return request
    keys = [dg.AssetKey(source.key), *(request.asset_selection or ())]
    return dg.RunRequest(request.run_key, tags=request.tags, partition_key=request.partition_key, asset_selection=keys)


def _request(flow: Flow, partition: str, whys: Mapping[str, Sequence[str]]) -> dg.RunRequest:
    marks = sorted(f"{why} {mark}" for why, each in whys.items() for mark in each)
    digest = hashlib.blake2b("\n".join(marks).encode(), digest_size=8).hexdigest()
    return dg.RunRequest(
        run_key=f"{flow.name} {partition} {' and '.join(sorted(whys))} {digest}",
        partition_key=partition,
        asset_selection=[dg.AssetKey(key) for key in (prepared_key(flow), flow.key)],
        tags={HEALING: flow.name},
    )
