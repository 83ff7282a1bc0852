"""Checks that hold for two systems at once."""

from collections import Counter
from collections.abc import Iterator

import dagster as dg

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.flows import Problem
from mlc_dagster.core.inert import inert
from mlc_dagster.core.vocabulary import EntitySet, record_key
from mlc_dagster.orchestration.assets import reports
from mlc_dagster.orchestration.failures import as_step_failures
from mlc_dagster.settings import Settings
from mlc_dagster.systems.ifs import records as ifs


def voucher_check(
    vouchers: EntitySet, target: str, settings: Settings, partitions: dg.PartitionsDefinition[str]
) -> dg.AssetChecksDefinition:
    """Journal entries of the ERP whose account the target's chart of accounts does not have."""

    @dg.asset_check(
        asset=list(vouchers.key),
        name=f"accounts_exist_in_{target}",
        partitions_def=partitions,
        description=f"Every account on a journal entry is in the chart of {target}, mapped where mlc.yaml maps it.",
        required_resource_keys={target, "storage"},
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        with as_step_failures():
            facts = settings.facts_for(target)
            known = getattr(context.resources, target).client.books().accounts
            if not known:
                return _nothing_to_validate_against(target)
            missing: Counter[str] = Counter()
            examples: list[tuple[str, Problem]] = []
            asked = 0
            for voucher in _vouchers(context, vouchers):
                asked += 1
                for account in sorted({posting.account for posting in voucher.postings() if posting.account}):
                    if facts.account_in_target(account) not in known:
                        missing[account] += 1
                        reason = f"{target} has no account {facts.account_in_target(account)}"
                        examples.append((record_key(voucher, vouchers.keys), Problem("", reason, account)))
        return dg.AssetCheckResult(
            passed=not missing,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "asked": asked,
                "accounts": ", ".join(f"{inert(account)} ({count})" for account, count in missing.most_common())
                or "none missing",
                **({"vouchers": reports.held_table(examples[:200])} if examples else {}),
            },
        )

    return check


def _nothing_to_validate_against(target: str) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"the chart of accounts of {target} is empty: nothing to validate against",
    )


def _vouchers(context: dg.AssetCheckExecutionContext, vouchers: EntitySet) -> Iterator[ifs.Voucher]:
    store = context.resources.storage.store
    for partition in context.op_execution_context.partition_keys:
        for batch in store.read(vouchers.key, partition, of=ifs.Voucher):
            yield from (record for record, _, _ in records_of(batch, ifs.Voucher) if record is not None)
