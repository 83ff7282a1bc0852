"""The charts of the SaaS whose ledgers follow companies of the ERP: what is posted there is judged by them first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.facts import Facts, FollowingLedger
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.settings import Settings
from mlc_dagster.systems.configuration import connections

RULE = "accounts_are_in_the_following_ledger"
ACCOUNTS, SNAPSHOT = "accounts", "latest"


def judges_following(flow: Flow) -> bool:
    """Whether the flow posts into the ERP, and asks the ledgers that follow it."""
    return flow.target.system == ERP and any(rule.__name__ == RULE for rule in flow.rules)


def followers(settings: Settings) -> dict[str, list[str]]:
    """Connection -> the companies that its ledger follows, by mlc.yaml."""
    found = {
        name: [code for code, company in settings.companies.items() if company.names_in(name).get("ledger")]
        for name, section in settings.targets.items()
        if section.follows_companies
    }
    return {name: companies for name, companies in found.items() if companies}


def with_following(facts: Facts, flow: Flow, settings: Settings, store: Any, ledger: Any) -> Facts:
    """The facts with those charts; of one that is empty, missing or stale nothing is posted for who is followed."""
    following: dict[str, tuple[FollowingLedger, ...]] = {}
    for connection, companies in followers(settings).items() if judges_following(flow) else ():
        chart = _chart(connection, settings, store, ledger)
        for company in companies:
            following[company] = (*following.get(company, ()), chart)
    return replace(facts, following=following) if following else facts


def _chart(connection: str, settings: Settings, store: Any, ledger: Any) -> FollowingLedger:
    system = connections(settings)[connection]
    record = next(reference.record for reference in system.references if reference.name == ACCOUNTS)
    active = {account.code for account in _stored(connection, record, store) if account.is_active and account.code}
    title = system.title if connection == system.name else f"{system.title} ({connection})"
    fault = _fault(connection, bool(active), title, settings, ledger)
    return FollowingLedger(title, frozenset(active), settings.target(connection).gl_accounts, fault)


def _stored(connection: str, record: Any, store: Any) -> Iterator[Any]:
    for batch in store.read((connection, ACCOUNTS), SNAPSHOT, of=record):
        yield from (found for found, _, _ in records_of(batch, record) if found is not None)


def _fault(connection: str, has_any: bool, title: str, settings: Settings, ledger: Any) -> str:
    name, hours = f"{connection}/{ACCOUNTS}", settings.policies.accounts_max_age_hours
    what = f"The chart of accounts of {title}, whose ledger follows this company,"
    oldest = datetime.now(UTC) - timedelta(hours=hours)
    written = [entry.written_at for entry in ledger.stored.of(name, SNAPSHOT)]
    if has_any and max(written, default=oldest) > oldest:
        return ""
    fault = f"is older than {hours:g} hours" if has_any else "is empty, or was never read"
    return f"{what} {fault}: materialize {name}."
