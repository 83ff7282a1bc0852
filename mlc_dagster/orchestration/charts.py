"""The facts that a partition is judged by: charts of accounts from storage, reference books from the target."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from mlc_dagster.facts import Books, Facts, LedgerAccount
from mlc_dagster.frames import records_of
from mlc_dagster.settings import Settings
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.vocabulary import Flow

CHART = ifs.ACCOUNTS.key
GL_RULE = "gl_accounts_exist"


def facts_for(flow: Flow, settings: Settings, context: dg.AssetExecutionContext) -> Facts:
    """All that mappings and rules may know. What cannot be validated against is named in `unusable`, by rule."""
    facts = settings.facts_for(flow.target.system)
    books = getattr(context.resources, flow.target.system).client.books()
    if not flow.checks_accounts:
        return replace(facts, books=books)
    accounts = chart_of_accounts(context.resources.storage.store, settings)
    fault = _fault(accounts, books, settings, flow.target.system, context.resources.ledger.open)
    return replace(facts, books=books, accounts=accounts, unusable={GL_RULE: fault} if fault else {})


def chart_of_accounts(store: Any, settings: Settings) -> dict[tuple[str, str], LedgerAccount]:
    """(company, account) -> account, of every company's latest snapshot."""
    found = (
        record
        for company in settings.companies
        for batch in store.read(CHART, company)
        for record, _, _ in records_of(batch, ifs.Account)
        if record is not None
    )
    return {(account.company, account.account): _ledger_account(account) for account in found}


def _ledger_account(account: ifs.Account) -> LedgerAccount:
    return LedgerAccount(
        account.company,
        account.account,
        account.description or "",
        account.valid_from,
        account.valid_until,
        bool(account.blocked),
    )


def _fault(
    accounts: Mapping[tuple[str, str], LedgerAccount], books: Books, settings: Settings, target: str, ledger: Any
) -> str:
    """Why no account can be validated, empty where all can: a chart is empty, missing or stale."""
    if books.has_chart and not books.accounts:
        return f"the chart of accounts of {target} is empty: nothing to validate against"
    charted = {company for company, _ in accounts}
    if missing := sorted(set(settings.companies) - charted):
        return f"IFS gave no chart of accounts for company {', '.join(missing)}: materialize {'/'.join(CHART)}"
    oldest = datetime.now(UTC) - timedelta(hours=settings.policies.accounts_max_age_hours)
    read_at = ledger.freshness("/".join(CHART))
    if stale := sorted(code for code in settings.companies if read_at.get(("/".join(CHART), code), oldest) <= oldest):
        hours = f"{settings.policies.accounts_max_age_hours:g} hours: materialize {'/'.join(CHART)}"
        return f"the chart of accounts of company {', '.join(stale)} is older than {hours}"
    return ""
