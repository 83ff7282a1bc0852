"""Holds heal: where the reason of one has gone, the partition that it lies in is prepared and loaded once more."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import dagster as dg

from mlc_dagster import pipeline
from mlc_dagster.errors import MlcError
from mlc_dagster.ledger import HoldEntry, Ledger, Pause
from mlc_dagster.orchestration import due
from mlc_dagster.orchestration.charts import facts_for
from mlc_dagster.orchestration.duplicates import apart
from mlc_dagster.orchestration.failures import each_once
from mlc_dagster.orchestration.keys import prepared_key
from mlc_dagster.orchestration.loads import judged_by
from mlc_dagster.orchestration.partitions import unknown
from mlc_dagster.settings import Settings
from mlc_dagster.vocabulary import EntitySet, Flow
from mlc_dagster.waiving import AT_THE_LOAD

AT_ONCE = 500  # holds of a flow that are judged in one tick; the next tick goes on behind them
BY_HAND = "released"  # stands where the run would that ended without it
REMEMBERED = timedelta(days=7)  # how long a release is carried out that no run has picked up

Requests = list[dg.RunRequest]


def healing_sensors(
    flows: Mapping[str, Sequence[Flow]], settings: Settings, read: Sequence[EntitySet] = ()
) -> Iterator[dg.SensorDefinition]:
    """One for each SaaS, and one more for what goes there by company: a run has partitions of one kind.

    The first one asks for what was not `read`, too.
    """
    left = {entity.key: entity for entity in read}
    for system, table in flows.items():
        for kind, name in (("day", f"{system}_heals"), ("company", f"{system}_heals_by_company")):
            if of_kind := [flow for flow in table if flow.source.partition == kind]:
                reads = [entity for entity in left.values() if entity.partition == kind]
                left = {key: entity for key, entity in left.items() if entity.partition != kind}
                yield healing_sensor(name, of_kind, settings, reads)


def healing_sensor(
    name: str, flows: Sequence[Flow], settings: Settings, reads: Sequence[EntitySet] = ()
) -> dg.SensorDefinition:
    """Judges what is on hold by today's facts, as prepare would, and requests the partitions of what would pass.

    Nothing is requested that a pause or a silence would stop; when it is over, what waited for that is requested. So
    is what was not read of `reads`: of each set one sensor asks.
    """
    read = [*(entity.key for entity in reads), *(flow.source.key for flow in flows)]
    keys = [list(key) for key in dict.fromkeys([*read, *due.assets(flows)])]
    checks = {dg.AssetKey(prepared_key(flow)): judged_by(flow, settings) for flow in flows}

    @dg.sensor(
        name=name,
        target=apart(dg.AssetSelection.assets(*keys), flows),
        minimum_interval_seconds=60,
        description=f"Replays what is on hold for {flows[0].spoke}, where the reason has gone or a person released it; "
        "and what a pause, a silence or a slice left.",
        required_resource_keys={"ledger", "storage", *(flow.target.system for flow in flows)},
    )
    def heal(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        cursor: dict[str, int] = json.loads(context.cursor or "{}")
        ledger = context.resources.ledger.open
        asked: Any = context  # facts come from its resources, which a sensor has as an asset has them
        requests: Requests = list(due.resumed(flows, settings, ledger, reads, context.instance))
        reasons = list(due.reasons(flows, ledger))
        silent = ledger.pauses.waiting_until()
        failed: dict[str, MlcError] = {}
        for flow in flows:
            try:
                if pause := ledger.pauses.of(flow.target.system):
                    _keep_released(flow, ledger, pause)
                    continue
                if flow.target.system in silent:
                    continue
                holds, after = _turn(ledger, flow, cursor.get(flow.name, 0))
                once = settings.is_shadow(flow.target.system)  # nothing is delivered there, so nothing would end it
                again = () if once else _tried_again(flow, holds)
                requests += _known(flow, again, settings, reasons)
                requests += _known(flow, _released(flow, ledger, once), settings, reasons)
                facts = partial(facts_for, flow, settings, asked)
                requests += _known(flow, _healed(flow, holds, ledger, facts, context, reasons, once), settings, reasons)
                cursor[flow.name] = after
            except MlcError as error:  # of this flow: what the others found is requested
                failed[flow.name] = error
        if failed:
            context.log.warning(f"Not all holds were looked at, and are again: {each_once(failed)}")
        told = [each_once(failed), "; ".join(dict.fromkeys(reasons))]
        skip = "\n".join(filter(None, told)) or "nothing on hold would pass now"
        asked_for = [_with_checks(request, checks) for request in requests]
        return dg.SensorResult(
            run_requests=asked_for, skip_reason=None if requests else skip, cursor=json.dumps(cursor)
        )

    return heal


def _with_checks(request: dg.RunRequest, checks: Mapping[dg.AssetKey, Sequence[dg.AssetCheckKey]]) -> dg.RunRequest:
    """Those of the assets that it asks for; of others Dagster would write down that they were skipped."""
    keys = [check for key in request.asset_selection or () for check in checks.get(key, ())]
    return dg.RunRequest(
        run_key=request.run_key,
        partition_key=request.partition_key,
        asset_selection=request.asset_selection,
        asset_check_keys=keys,
        tags=request.tags,
    )


def _known(
    flow: Flow, requests: Iterable[dg.RunRequest], settings: Settings, reasons: list[str]
) -> Iterator[dg.RunRequest]:
    """Those whose partition there is; of the others, why there is none."""
    for request in requests:
        if why := unknown(flow.source, str(request.partition_key), settings):
            reasons.append(f"{flow.name}: what is on hold cannot be replayed: {why}")
        else:
            yield request


def _turn(ledger: Ledger, flow: Flow, after: int) -> tuple[list[HoldEntry], int]:
    """The next holds, oldest first, and where the next tick goes on; behind the last one it begins anew."""
    holds = ledger.history.next_holds(flow.name, after, AT_ONCE)
    if not holds and after:
        holds = ledger.history.next_holds(flow.name, 0, AT_ONCE)
    return holds, holds[-1].id if len(holds) == AT_ONCE else 0


def _healed(
    flow: Flow,
    holds: Sequence[HoldEntry],
    ledger: Ledger,
    ask: Callable[[], Any],
    context: dg.SensorEvaluationContext,
    reasons: list[str],
    once: bool,
) -> Iterator[dg.RunRequest]:
    """What prepare held and would let pass now. Nobody is asked where nothing is on hold."""
    waiting = [hold for hold in holds if not AT_THE_LOAD.issuperset(hold.rules)]
    if not waiting:
        return
    facts = ask()
    reasons += facts.unusable.values()
    client = getattr(context.resources, flow.target.system).client
    look = partial(client.known, flow.target) if flow.looks_up else None
    passing = pipeline.heals(flow, waiting, facts, ledger, look)
    for day, marks in _by_partition(passing).items():
        again = "" if once else _turn_of_the_clock([h for h in passing if h.partition == day])
        yield _request(flow, day, "heals", *marks, again)


def _tried_again(flow: Flow, holds: Sequence[HoldEntry]) -> Iterator[dg.RunRequest]:
    """What the load held: without an answer it is looked up at once; refused it is tried once a day."""
    today = datetime.now(UTC).date()
    unanswered = [hold for hold in holds if hold.rules == (pipeline.ANSWERED,)]
    refused = [hold for hold in holds if hold.rules == (pipeline.ACCEPTED,) and hold.updated_at.date() < today]
    for day, marks in _by_partition(unanswered).items():
        yield _request(flow, day, "looks up", *marks, _turn_of_the_clock(unanswered))
    for day in _by_partition(refused):
        yield _request(flow, day, "tries again", today.isoformat())


def _released(flow: Flow, ledger: Ledger, once: bool) -> Iterator[dg.RunRequest]:
    """A hold that a person released is closed: without this nobody would ask for its load."""
    waiting: dict[str, list[str]] = {}
    for decision, day in ledger.history.released(flow.name, datetime.now(UTC) - REMEMBERED):
        waiting.setdefault(day, []).append(f"{decision.key} {decision.at.isoformat()}")
    for day, marks in waiting.items():
        yield _request(flow, day, "released", *marks, "" if once else f"{datetime.now(UTC):%Y-%m-%dT%H}")


def _keep_released(flow: Flow, ledger: Ledger, pause: Pause) -> None:
    """A release is not carried out for ever: what was released while nothing may be sent waits with the rest."""
    places = {(flow.name, day) for _, day in ledger.history.released(flow.name, datetime.now(UTC) - REMEMBERED)}
    known = {(load.flow, load.partition) for load in ledger.pauses.loads([flow.name])}
    if new := sorted(places - known):
        ledger.pauses.keep(pause.connection, new, BY_HAND)


def _by_partition(holds: Sequence[HoldEntry]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for hold in holds:
        if hold.partition:
            found.setdefault(hold.partition, []).append(f"{hold.id} {hold.key} {hold.content}")
    return found


def _turn_of_the_clock(holds: Sequence[HoldEntry]) -> str:
    """A run key is used once. What still waits is asked for again after an hour; after a day, once a day."""
    now = datetime.now(UTC)
    young = any(now - hold.updated_at < timedelta(days=1) for hold in holds)
    return f"{now:%Y-%m-%dT%H}" if young else f"{now:%Y-%m-%d}"


def _request(flow: Flow, partition: str, why: str, *marks: str) -> dg.RunRequest:
    digest = hashlib.blake2b("\n".join(sorted(marks)).encode(), digest_size=8).hexdigest()
    return dg.RunRequest(
        run_key=f"{flow.name} {partition} {why} {digest}",
        partition_key=partition,
        asset_selection=[dg.AssetKey(prepared_key(flow)), dg.AssetKey(flow.key)],
        tags={"mlc/target": flow.spoke, "mlc/healing": flow.name},
    )
