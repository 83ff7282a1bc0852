"""A sensor on runs that fail, and a job once a day: both tell people, and neither fails when that does not work."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import dagster as dg

from mlc_dagster.core.errors import MlcError, ThrottledUntil
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert
from mlc_dagster.ledger import Ledger, Paused
from mlc_dagster.orchestration.assets.judgements import MAY_LOAD
from mlc_dagster.orchestration.automation.running import RANGE
from mlc_dagster.pipeline import alerting, digest
from mlc_dagster.pipeline.alerting import FailedRun
from mlc_dagster.pipeline.watching import telling
from mlc_dagster.pipeline.watching.conditions import Watch
from mlc_dagster.pipeline.watching.ends import ends_of
from mlc_dagster.settings import Environment, Settings
from mlc_dagster.settings.alerts import AlertSettings
from mlc_dagster.systems.configuration import all_secrets

SENSOR, JOB, WATCH = "tells_of_failed_runs", "daily_word", "tells_what_stands"
AT_SEVEN = "0 7 * * *"
SHOWN = 3  # errors and checks of one run
PARTITION = "dagster/partition"
TAKEN_UP_AGAIN = "dagster/will_retry"  # by run_retries in dagster.yaml
NO_NEWS = {Paused.__name__, ThrottledUntil.__name__}


def alert_sensors(settings: Settings, environment: Environment, flows: Sequence[Flow]) -> Iterator[dg.SensorDefinition]:
    """Two, where mlc.yaml says who is told: of failed runs, and of what stands."""
    if settings.alerts is not None:
        yield _sensor(settings.alerts, environment, all_secrets(settings), flows)
        yield _watch(settings, settings.alerts, environment, flows)


def daily_jobs(settings: Settings, environment: Environment, flows: Sequence[Flow]) -> Iterator[dg.JobDefinition]:
    """One, where mlc.yaml says who is told: the trail is looked at also where nobody wants a daily word."""
    if settings.alerts is not None:
        yield _daily(settings, settings.alerts, environment, flows)


def daily_schedules(settings: Settings) -> Iterator[dg.ScheduleDefinition]:
    if settings.alerts is not None:
        yield dg.ScheduleDefinition(
            job_name=JOB,
            cron_schedule=settings.alerts.daily or AT_SEVEN,
            execution_timezone="UTC",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        )


def shadows(settings: Settings) -> list[str]:
    """A line for each system that nothing is written to."""
    return [f"{name} is in shadow: nothing is written" for name in settings.connections if settings.is_shadow(name)]


def _sensor(
    alerts: AlertSettings, environment: Environment, secrets: Sequence[str], flows: Sequence[Flow]
) -> dg.SensorDefinition:
    owners = {flow.name: flow.owner for flow in flows}

    @dg.run_failure_sensor(
        name=SENSOR,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells people of a run that failed, as `alerts` in mlc.yaml says: once for a cause and hour.",
    )
    def tell(context: dg.RunFailureSensorContext) -> dg.SkipReason:
        if context.dagster_run.tags.get(TAKEN_UP_AGAIN) == "true":
            return dg.SkipReason("its worker was lost, and it is taken up again by itself: it is news once that fails")
        failed = failed_run(context)
        if failed is None:
            return dg.SkipReason("a pause ended it, or a system that asks to be left alone: that is no news")
        with _ledger(environment) as ledger:
            return dg.SkipReason(alerting.tell_failure(alerts, ledger, failed, secrets, owners))

    return tell


def _watch(
    settings: Settings, alerts: AlertSettings, environment: Environment, flows: Sequence[Flow]
) -> dg.SensorDefinition:
    secrets = all_secrets(settings)

    @dg.sensor(
        name=WATCH,
        minimum_interval_seconds=300,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells people what stands in the ledger as `alerts` in mlc.yaml says: once for a cause and day.",
    )
    def stands() -> dg.SkipReason:
        try:
            with _ledger(environment) as ledger:
                opened = ledger()
                ends = ends_of(settings, secrets, lambda: opened)
                watch = Watch(opened, flows, alerts.thresholds, opened.looks.now(), ends)
                said = telling.tell(alerts, opened, watch.alerts(), secrets)
        except MlcError as error:
            return dg.SkipReason(inert(f"what stands is not known: {error.message}"))
        return dg.SkipReason(inert("; ".join(said)) or "nothing new stands")

    return stands


def _daily(
    settings: Settings, alerts: AlertSettings, environment: Environment, flows: Sequence[Flow]
) -> dg.JobDefinition:
    secrets, also = all_secrets(settings), shadows(settings)
    owners = {flow.name: flow.owner for flow in flows}

    @dg.op(name="tell", description="What is on hold and what is paused, to the people that mlc.yaml names.")
    def tell(context: dg.OpExecutionContext) -> None:
        with _ledger(environment) as ledger:
            said = digest.tell_daily(alerts, ledger, secrets, also, owners) if alerts.daily else "nobody wants it"
            with suppress(MlcError):  # the daily word has said so
                watch = Watch(ledger(), flows, alerts.thresholds, ledger().looks.now())
                telling.tell(alerts, ledger(), watch.chain_broken(), secrets)
        context.log.info(inert(said))
        context.add_output_metadata({"outcome": inert(said)})

    @dg.job(name=JOB, description="Once a day: what is on hold, since when, by which rule; and what is paused.")
    def daily() -> None:
        tell()

    return daily


@contextmanager
def _ledger(environment: Environment) -> Iterator[Callable[[], Ledger]]:
    """The ledger, opened when it is first asked for: it may be what has failed."""
    opened: list[Ledger] = []

    def ask() -> Ledger:
        if not opened:
            opened.append(Ledger.open(environment.database_url, environment.tenant))
        return opened[0]

    try:
        yield ask
    finally:
        for each in opened:
            each.close()


# --- what is said of a run ------------------------------------------------------------------------------------------


def failed_run(context: dg.RunFailureSensorContext) -> FailedRun | None:
    """None where a person's pause ended it, or a system that asks to be left alone: it is run by itself after that."""
    run, events = context.dagster_run, context.get_step_failure_events()
    failures = [event.step_failure_data for event in events]
    kinds = [_kind(failure) for failure in failures]
    if kinds and NO_NEWS.issuperset(kinds):
        return None
    errors = [_words(failure) for failure in failures] or [context.failure_event.message or ""]
    found = [*_checks(context), *errors]
    flows = frozenset(key.to_user_string() for key in run.asset_selection or ())
    return FailedRun(_job(run), run.run_id, _partitions(run), tuple(dict.fromkeys(filter(None, found)))[:SHOWN], flows)


def _kind(failure: Any) -> str:
    told = failure.user_failure_data
    kind = told.metadata.get("kind") if told else None
    return str(kind.value) if kind is not None else ""


def _words(failure: Any) -> str:
    """Our errors in their own words with their cure; of others the first line."""
    told = failure.user_failure_data
    if told and told.description:
        kind = _kind(failure)
        return f"{kind}: {told.description}" if kind else str(told.description)
    if failure.error is None:
        return ""
    first = (failure.error.message.strip().splitlines() or [""])[0]
    return "" if "DagsterAssetCheckFailedError" in (failure.error.cls_name or "") else first


def _checks(context: dg.RunFailureSensorContext) -> Iterator[str]:
    """The checks that stopped the run, each in the words that the UI shows."""
    kinds = {dg.DagsterEventType.ASSET_CHECK_EVALUATION}
    for record in context.instance.all_logs(context.dagster_run.run_id, of_type=kinds):
        event = record.dagster_event
        found = event.asset_check_evaluation_data if event else None
        is_of_all = found is not None and found.check_name == MAY_LOAD  # the rule that it is about tells it itself
        if found and not is_of_all and not found.passed and found.severity is dg.AssetCheckSeverity.ERROR:
            name = f"{found.asset_key.to_user_string()} {found.check_name}"
            yield f"The check {name} stopped it: {found.description or 'see the UI'}"


def _job(run: dg.DagsterRun) -> str:
    """The job's name; a run of assets that somebody chose is told by these."""
    if not run.job_name.startswith("__"):
        return run.job_name
    keys = sorted(key.to_user_string() for key in run.asset_selection or ())
    return ", ".join(keys[:SHOWN]) + (f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else "") or "a run"


def _partitions(run: dg.DagsterRun) -> str:
    first, last = (run.tags.get(f"{RANGE}{end}", run.tags.get(PARTITION, "")) for end in ("start", "end"))
    return " to ".join(dict.fromkeys(filter(None, (first, last))))
