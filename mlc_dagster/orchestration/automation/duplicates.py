"""The safety net: each hour, targets without a unique key are asked whether they hold one of our documents twice."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from mlc_dagster.core.duplicates import Duplicate, TargetDocument, amount
from mlc_dagster.core.errors import Misconfigured, RecordRejected
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.orchestration.automation.looking import looking_schedule, once
from mlc_dagster.orchestration.failures import as_step_failures
from mlc_dagster.pipeline.duplicates import CHECK, Looked, Looks, may_be_doubled, scan_start, tell
from mlc_dagster.settings import Settings

AGAIN = "look_again_from"
OUTAGE = 100  # looks that may fail one after the other before the last good one is forgotten
SHOWN = 200  # rows of the table
COLUMNS = ("what", "number", "amount", "changed", "link", "how_sure")
WORDS = (
    "No document of ours stands twice in the target, by its reference or its invoice number. A double that nobody "
    "removes is told every hour until it is gone."
)


def job_name(system: str) -> str:
    return f"{system}_duplicates"


def by_system(flows: Sequence[Flow]) -> dict[str, list[Flow]]:
    """Target system -> its flows whose documents it would take twice."""
    found: dict[str, list[Flow]] = {}
    for flow in may_be_doubled(flows):
        found.setdefault(flow.target.system, []).append(flow)
    return found


def check_key(flow: Flow) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(dg.AssetKey(list(flow.key)), CHECK)


def apart(selection: dg.AssetSelection, flows: Sequence[Flow]) -> dg.AssetSelection:
    """The selection without this look: a load is not made longer by it."""
    keys = [check_key(flow) for flow in may_be_doubled(flows)]
    return selection - dg.AssetSelection.checks(*keys) if keys else selection


def duplicates_checks(flows: Sequence[Flow], settings: Settings) -> list[dg.AssetChecksDefinition]:
    """One step for each system: its targets share a client, and what one look has read serves the next."""
    return [_checks(system, table, settings) for system, table in by_system(flows).items()]


def duplicates_jobs(flows: Sequence[Flow]) -> Iterator[Any]:
    """Not tagged as loads are: a look must not wait behind a first load of hours. The rate budget is shared."""
    for system, table in by_system(flows).items():
        yield dg.define_asset_job(
            job_name(system),
            selection=dg.AssetSelection.checks(*(check_key(flow) for flow in table)),
            description=f"Looks whether {system} holds one of our documents twice. Reads only.",
            tags={"mlc/duplicates": system},
        )


def duplicates_schedules(flows: Sequence[Flow], settings: Settings) -> Iterator[dg.ScheduleDefinition]:
    """On from the start, unlike the loads: it writes nothing, and a net that must be remembered is none. It asks
    nothing of a system before the first load went there.
    """
    for system, table in by_system(flows).items():
        yield looking_schedule(
            job_name(system),
            settings.schedules.at(settings.schedules.duplicates),
            table,
            words=f"Looks every hour whether {system} holds one of our documents twice.",
            nothing=f"nothing was ever sent to {system}: nothing can stand there twice",
            asked=once(job_name(system)),
        )


def _checks(system: str, flows: Sequence[Flow], settings: Settings) -> dg.AssetChecksDefinition:
    by_key = {check_key(flow): flow for flow in flows}

    @dg.multi_asset_check(
        name=f"{system}_{CHECK}",
        specs=[dg.AssetCheckSpec(CHECK, asset=list(flow.key), description=WORDS) for flow in flows],
        can_subset=True,
        required_resource_keys={system, "ledger"},
    )
    def look(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        if context.run.job_name != job_name(system) and context.run.asset_selection:
            return  # a replay, or assets chosen by hand: that run is about its load, and does not fail by this look
        with as_step_failures():
            wanted = [by_key[key] for key in by_key if key in context.selected_asset_check_keys]
            looks = Looks(getattr(context.resources, system).client, context.resources.ledger.open)
            looked, faults = _looked(looks, wanted, context.instance, settings.policies.duplicates_hours)
            tell(looked)
            yield from (_result(each) for each in looked)
            if faults:
                raise Misconfigured("; ".join(faults))

    return look


def _looked(
    looks: Looks, flows: Sequence[Flow], instance: dg.DagsterInstance, hours: float
) -> tuple[list[Looked], list[str]]:
    """What was looked at, and why the rest could not be. Raises where the system is down: all would wait for it."""
    now, found, faults = datetime.now(UTC), [], []
    since = scan_start(now, hours, min(filter(None, (_again(instance, flow) for flow in flows)), default=None))
    for flow in flows:
        try:
            found.append(looks.at(flow, since))
        except (Misconfigured, RecordRejected) as error:
            faults.append(f"{flow.name}: {error}")
    return found, list(dict.fromkeys(faults))


def _again(instance: dg.DagsterInstance, flow: Flow) -> datetime | None:
    """From when the last look's doubles are to be seen again; None where there were none. Looks that failed, and the
    one that has just begun, have no evaluation: the newest that has one counts.
    """
    for record in instance.event_log_storage.get_asset_check_execution_history(check_key(flow), limit=OUTAGE):
        if isinstance(found := record.evaluation, dg.AssetCheckEvaluation):
            value = found.metadata.get(AGAIN)
            return datetime.fromtimestamp(float(str(value.value)), UTC) if value else None
    return None


def _result(looked: Looked) -> dg.AssetCheckResult:
    told_of = looked.sentences()
    only_warned = all(double.by == "empty" for double in looked.found)
    again = looked.again_since
    return dg.AssetCheckResult(
        check_name=CHECK,
        asset_key=list(looked.flow.key),
        passed=looked.is_clear,
        severity=dg.AssetCheckSeverity.WARN if only_warned else dg.AssetCheckSeverity.ERROR,
        description=inert(" ".join(told_of)) or f"{looked.compared:,} documents compared: none stands twice",
        metadata={
            "compared": looked.compared,
            "doubles": len(looked.found),
            "not_read": looked.unread,
            "since": dg.MetadataValue.timestamp(looked.since),
            **({AGAIN: dg.MetadataValue.timestamp(again)} if again else {}),
            **({"documents": _table(looked.found)} if looked.found else {}),
        },
    )


def _table(found: Sequence[Duplicate]) -> dg.TableMetadataValue:
    rows = [_row(double, each) for double in found for each in double.documents]
    return reports.table(COLUMNS, rows[:SHOWN])


def _row(double: Duplicate, each: TargetDocument) -> tuple[str, ...]:
    sure = {"reference": "certain", "empty": "no lines"}.get(double.by, f"probable, by {double.by}")
    changed = f"{each.at:%Y-%m-%d %H:%M}" if each.at else ""
    return each.reference or double.what, each.number, amount(each), changed, each.link, sure
