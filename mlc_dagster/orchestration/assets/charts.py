"""The facts that a partition is judged by: charts of accounts from storage, reference books from the target."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import dagster as dg

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.facts import Facts, LedgerAccount
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import Record
from mlc_dagster.settings import Settings
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.chart_facts import code_parts, ledger_accounts, why_unusable

CHART = ifs.ACCOUNTS.key
CODE_PARTS = ifs.CODE_PART_VALUES.key
GL_RULE, CODE_PART_RULE = "gl_accounts_exist", "code_parts_exist"

AnyRecord = TypeVar("AnyRecord", bound=Record)


def facts_for(flow: Flow, settings: Settings, context: dg.AssetExecutionContext) -> Facts:
    """All that mappings and rules may know. What cannot be validated against is named in `unusable`, by rule."""
    books = getattr(context.resources, flow.target.system).client.books()
    facts = replace(settings.facts_for(flow.spoke), books=books, today=datetime.now(UTC).date())
    if not flow.checks_accounts:
        return facts
    store, ledger = context.resources.storage.store, context.resources.ledger.open
    accounts = chart_of_accounts(store, settings)
    fault = why_unusable(accounts, books, settings.companies, flow.target.system) or _stale(CHART, settings, ledger)
    facts = replace(facts, accounts=accounts, unusable={GL_RULE: fault} if fault else {})
    return _with_code_parts(facts, store, settings, ledger) if judges_code_parts(flow) else facts


def judges_code_parts(flow: Flow) -> bool:
    """Whether a rule of the flow asks for the ERP's accounting dimensions."""
    return any(rule.__name__ == CODE_PART_RULE for rule in flow.rules)


def _with_code_parts(facts: Facts, store: Any, settings: Settings, ledger: Any) -> Facts:
    found = code_parts(_snapshots(store, settings, CODE_PARTS, ifs.CodePartValue))
    fault = _stale(CODE_PARTS, settings, ledger)
    unusable = {**facts.unusable, **({CODE_PART_RULE: fault} if fault else {})}
    return replace(facts, code_parts=found, unusable=unusable)


def chart_of_accounts(store: Any, settings: Settings) -> dict[tuple[str, str], LedgerAccount]:
    """(company, account) -> account, of every company's latest snapshot."""
    return ledger_accounts(_snapshots(store, settings, CHART, ifs.Account))


def _snapshots(store: Any, settings: Settings, key: tuple[str, str], record: type[AnyRecord]) -> Iterator[AnyRecord]:
    for company in settings.companies:
        for batch in store.read(key, company, of=record):
            yield from (found for found, _, _ in records_of(batch, record) if found is not None)


def _stale(key: tuple[str, str], settings: Settings, ledger: Any) -> str:
    """Why a snapshot cannot be judged by; empty where it is fresh for every company."""
    name, hours = "/".join(key), settings.policies.accounts_max_age_hours
    oldest = datetime.now(UTC) - timedelta(hours=hours)
    read_at = ledger.freshness(name)
    if stale := sorted(code for code in settings.companies if read_at.get((name, code), oldest) <= oldest):
        what = "the chart of accounts" if key == CHART else f"the snapshot {name}"
        return f"{what} of company {', '.join(stale)} is older than {hours:g} hours: materialize {name}"
    return ""
