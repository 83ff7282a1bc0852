"""What was delivered, as its target shows it: an asset beside each loaded one, by day, with four checks of its own."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import dagster as dg

from mlc_dagster.core import difference_kinds as kinds
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.inert import inert
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.assets import delivered, reports
from mlc_dagster.orchestration.assets.asset_keys import group_of
from mlc_dagster.orchestration.assets.started_by import run_of
from mlc_dagster.orchestration.failures import as_step_failures
from mlc_dagster.orchestration.partitions import ONE_RUN
from mlc_dagster.pipeline.extras import look_for_extras
from mlc_dagster.pipeline.sending_again import send_again
from mlc_dagster.pipeline.verified import Verified
from mlc_dagster.pipeline.verify import Asked, verify
from mlc_dagster.settings import Settings
from mlc_dagster.systems.registry import systems

CHECKS = {
    "missing": "All that was delivered is there: nobody deleted, archived or voided it.",
    "extra": "Nothing else carries our key.",
    "different": "What is there is as was agreed at delivery: nobody edited, merged or moved it.",
    "sums": "By company and currency, the amounts on both sides are equal.",
}
SHOWN = 200  # rows of the table
SECONDS_BETWEEN_QUESTIONS = 10.0  # whether a delivery waits
KINDS = {
    "missing": {kinds.DELETED_IN_THE_TARGET, kinds.VOIDED_IN_THE_TARGET},
    "extra": {kinds.EXTRA_IN_THE_TARGET},
    "different": {
        *(kinds.EDITED_IN_THE_TARGET, kinds.SOMEONE_INSISTS),
        *(kinds.MOVED_IN_THE_TARGET, kinds.MERGED_IN_THE_TARGET),
    },
}
GAVE_WAY, SINCE = "mlc/gave_way", "mlc/look_since"
"""Tags of a run: that it left something to a delivery, and since when the one saw it that it takes up."""
TOUCHED = timedelta(days=2)  # how far back objects with our key are looked for: the night before, and a day more


def verified_key(flow: Flow) -> tuple[str, ...]:
    return (*flow.key[:-1], f"{flow.key[-1]}_verified")


def reads_back(flow: Flow, settings: Settings) -> bool:
    """Whether its target shows what it has, and is no shadow, to which nothing was ever sent."""
    target = flow.target.system
    return systems()[settings.system_of(target)].reads_back and not settings.is_shadow(target)


def verified_asset(flow: Flow, settings: Settings, partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """Reads back what was delivered from these days, and compares; part of no load, and never in its way."""
    key, target = list(verified_key(flow)), flow.target.system

    @dg.asset(
        key=key,
        partitions_def=partitions,
        backfill_policy=ONE_RUN,
        group_name=group_of(flow),
        kinds={flow.systems[1]},
        owners=[flow.owner],
        tags={"mlc/flow": flow.name.replace("/", "."), "mlc/look": "verify"},
        description=f"What {target} shows of what {flow.name} delivered, beside what was agreed at delivery. What "
        "differs is a difference, open until both sides agree again or a person decides.",
        deps=[dg.AssetDep(list(flow.key))],
        required_resource_keys={target, "ledger", "storage"},
        check_specs=[dg.AssetCheckSpec(name, asset=key, description=words) for name, words in CHECKS.items()],
        output_required=False,  # days of which nothing was looked at have no materialization
    )
    def look(context: dg.AssetExecutionContext) -> Iterator[Any]:
        with as_step_failures():
            asked = _asked(context, flow, settings)
            total = Verified(flow.name)
            seen_since = context.run.tags.get(SINCE)
            for partition, keys in _by_partition(asked, context.partition_keys, seen_since).items():
                account = verify(asked, keys)
                total.add(account)
                context.log_event(_of_a_day(key, partition, account))
            if total.left:
                context.instance.add_run_tags(context.run.run_id, {GAVE_WAY: "true"})
            else:
                look_for_extras(asked, datetime.now(UTC) - TOUCHED, total)
        context.log.info(in_a_line(total))
        stock = _stock(asked) if total.left or seen_since else {}
        yield from _verdicts(key, total, stock)

    return look


def _asked(context: dg.AssetExecutionContext, flow: Flow, settings: Settings) -> Asked:
    target, ledger = getattr(context.resources, flow.target.system), context.resources.ledger.open
    (client, _), store = target.at_a_share(settings.verify.budget_share), context.resources.storage.store
    target.account(context.run.run_id)()  # of another account nothing is said
    run = run_of(context, "")

    def put_back(ready: Sequence[Ready]) -> object:
        return send_again(flow, ready, client, ledger, run, longest_request=client.api.timeout)

    restores = settings.verify_policy(flow.name) == "restore"
    sent = partial(delivered.sent_last, flow, store, ledger)
    goes_on = _while_nothing_waits(flow, ledger)
    return Asked(flow, client, ledger, sent, put_back if restores else None, goes_on, run)


def _while_nothing_waits(flow: Flow, ledger: Ledger) -> Callable[[], bool]:
    """Deliveries go first: asked every few seconds, not for each record."""
    asked_at, answer = -SECONDS_BETWEEN_QUESTIONS, True

    def goes_on() -> bool:
        nonlocal asked_at, answer
        if time.monotonic() - asked_at >= SECONDS_BETWEEN_QUESTIONS:
            asked_at = time.monotonic()
            answer = not deliveries_wait(flow.target.system, ledger)
        return answer

    return goes_on


def deliveries_wait(target: str, ledger: Ledger) -> bool:
    """Whether a load to this system is due now: a look gives way to it."""
    return any(task.flow.startswith(f"{target}/") for task in ledger.work.due())


def _by_partition(asked: Asked, partitions: Sequence[str], seen_since: str | None = None) -> Mapping[str, list[str]]:
    """What was delivered from these days, the longest unlooked at first. `seen_since`: what a look saw that gave way is
    not looked at again by the one that takes it up.
    """
    since = datetime.fromisoformat(seen_since) if seen_since else None
    ledger, flow, found = asked.ledger, asked.flow.name, defaultdict[str, list[str]](list)
    keys = ledger.looks.keys(flow, partitions=partitions)
    for look in ledger.looks.of(flow, keys):
        if since is None or look.verified_at is None or look.verified_at < since:
            found[look.partition].append(look.key)
    return found


def _of_a_day(key: Sequence[str], partition: str, account: Verified) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(dg.AssetKey(key), partition=partition, metadata=counts(account))


def counts(account: Verified) -> dict[str, int]:
    names = ("checked", "there", "missing", "different", "extra", "restored", "opened", "closed", "left", "unknown")
    return {name: getattr(account, name) for name in names}


def in_a_line(account: Verified) -> str:
    told = ", ".join(f"{number} {name}" for name, number in counts(account).items() if number)
    return f"{account.flow} verified: {told or 'nothing was delivered yet'}"


def _stock(asked: Asked) -> Counter[str]:
    """Check -> the differences of the flow that are open: what a part of a look says beside what it saw itself."""
    found = asked.ledger.differences.open(asked.flow.name, limit=None)
    return Counter(check for one in found for check, of in KINDS.items() if one.kind in of)


def _verdicts(key: Sequence[str], account: Verified, stock: Mapping[str, int]) -> Iterator[dg.AssetCheckResult]:
    """`stock`: of a part of a look, so that no check is green that another part found wanting."""
    counted = {"missing": account.missing, "extra": account.extra, "different": account.different}
    numbers = {name: max(number, stock.get(name, 0)) for name, number in counted.items()}
    left = f"; {account.left} were left: they are looked at when no delivery waits" if account.left else ""
    for name, number in numbers.items():
        yield dg.AssetCheckResult(
            check_name=name,
            asset_key=list(key),
            passed=not number,
            severity=dg.AssetCheckSeverity.ERROR,
            description=f"{number} of {account.checked}{left}" if number or left else None,
            metadata={"checked": account.checked, name: number, **_examples(account, number)},
        )
    yield dg.AssetCheckResult(
        check_name="sums",
        asset_key=list(key),
        passed=not account.unlike_sums and not stock,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={"sums": _sums(account)} if account.sums else {},
    )


def _examples(account: Verified, number: int) -> dict[str, Any]:
    rows = [(inert(key), inert(what)) for key, what in account.examples.items()][:SHOWN]
    return {"records": reports.table(("record", "what"), rows)} if number and rows else {}


def _sums(account: Verified) -> dg.TableMetadataValue:
    rows = [
        (company, currency, f"{each.ours:f}", f"{each.theirs:f}", f"{each.theirs - each.ours:f}")
        for (company, currency), each in sorted(account.sums.items())
    ]
    return reports.table(("company", "currency", "ours", "theirs", "difference"), rows[:SHOWN])
