"""The facts that a partition is judged by: charts of accounts from storage, reference books from the target."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import dagster as dg

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.facts import AccountDemands, Books, CodePart, Facts, LedgerAccount
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import Record
from mlc_dagster.orchestration.assets.following_ledgers import with_following
from mlc_dagster.settings import Settings
from mlc_dagster.systems.ifs import records as ifs

CHART = ifs.ACCOUNTS.key
CODE_PARTS = ifs.CODE_PART_VALUES.key
GL_RULE, CODE_PART_RULE = "gl_accounts_exist", "code_parts_exist"
CLOSED = ("Blocked", "Closed", "Inactive")
"""The ObjState of a code part value that nothing may be posted under."""

AnyRecord = TypeVar("AnyRecord", bound=Record)


def facts_for(flow: Flow, settings: Settings, context: dg.AssetExecutionContext) -> Facts:
    """All that mappings and rules may know. What cannot be validated against is named in `unusable`, by rule."""
    books = getattr(context.resources, flow.target.system).client.books()
    facts = replace(settings.facts_for(flow.spoke), books=books, today=datetime.now(UTC).date())
    if not flow.checks_accounts:
        return facts
    store, ledger = context.resources.storage.store, context.resources.ledger.open
    accounts = chart_of_accounts(store, settings)
    fault = _empty(accounts, books, settings, flow.target.system) or _stale(CHART, settings, ledger)
    facts = replace(facts, accounts=accounts, unusable={GL_RULE: fault} if fault else {})
    facts = with_following(facts, flow, settings, store, ledger)
    return _with_code_parts(facts, store, settings, ledger) if judges_code_parts(flow) else facts


def judges_code_parts(flow: Flow) -> bool:
    """Whether a rule of the flow asks for the ERP's accounting dimensions."""
    return any(rule.__name__ == CODE_PART_RULE for rule in flow.rules)


def _with_code_parts(facts: Facts, store: Any, settings: Settings, ledger: Any) -> Facts:
    found = {
        (value.company, value.code_part, value.code_part_value): CodePart(
            value.valid_from, value.valid_until, value.obj_state in CLOSED
        )
        for value in _snapshots(store, settings, CODE_PARTS, ifs.CodePartValue)
    }
    fault = _stale(CODE_PARTS, settings, ledger)
    unusable = {**facts.unusable, **({CODE_PART_RULE: fault} if fault else {})}
    return replace(facts, code_parts=found, unusable=unusable)


def chart_of_accounts(store: Any, settings: Settings) -> dict[tuple[str, str], LedgerAccount]:
    """(company, account) -> account, of every company's latest snapshot."""
    found = _snapshots(store, settings, CHART, ifs.Account)
    return {(account.company, account.account): _ledger_account(account) for account in found}


def _snapshots(store: Any, settings: Settings, key: tuple[str, str], record: type[AnyRecord]) -> Iterator[AnyRecord]:
    for company in settings.companies:
        for batch in store.read(key, company, of=record):
            yield from (found for found, _, _ in records_of(batch, record) if found is not None)


def _ledger_account(account: ifs.Account) -> LedgerAccount:
    return LedgerAccount(
        account.company,
        account.account,
        account.description or "",
        account.valid_from,
        account.valid_until,
        bool(account.blocked),
        _demands(account),
    )


def _demands(account: ifs.Account) -> AccountDemands | None:
    """Values as IFS names them (facts/ifs-tenants.md, section 3.9), in any case; None where it demands nothing."""
    asked = {part: _folded(getattr(account, f"req_code_{part.lower()}")) for part in "BCDEFGHIJ"}
    found = AccountDemands(
        mandatory=frozenset(part for part, said in asked.items() if said == "mandatory"),
        blocked=frozenset(part for part, said in asked.items() if said == "blocked"),
        text=_folded(account.req_text) == "mandatory",
        tax_code=bool(account.tax_code_mandatory),
        no_tax_code=_folded(account.tax_handling) == "blocked",
        is_ledger_account=_folded(account.ledger_flag) == "ledgeraccount",
    )
    return None if found == AccountDemands() else found


def _folded(text: str | None) -> str:
    return (text or "").replace(" ", "").casefold()


def _empty(accounts: Mapping[tuple[str, str], LedgerAccount], books: Books, settings: Settings, target: str) -> str:
    """Why no account can be validated, empty where all can: a chart is empty, or was never read."""
    if books.has_chart and not books.accounts:
        return f"the chart of accounts of {target} is empty: nothing to validate against"
    charted = {company for company, _ in accounts}
    if missing := sorted(set(settings.companies) - charted):
        return f"IFS gave no chart of accounts for company {', '.join(missing)}: materialize {'/'.join(CHART)}"
    return ""


def _stale(key: tuple[str, str], settings: Settings, ledger: Any) -> str:
    """Why a snapshot cannot be judged by; empty where it is fresh for every company."""
    name, hours = "/".join(key), settings.policies.accounts_max_age_hours
    oldest = datetime.now(UTC) - timedelta(hours=hours)
    read_at = ledger.freshness(name)
    if stale := sorted(code for code in settings.companies if read_at.get((name, code), oldest) <= oldest):
        what = "the chart of accounts" if key == CHART else f"the snapshot {name}"
        return f"{what} of company {', '.join(stale)} is older than {hours:g} hours: materialize {name}"
    return ""
