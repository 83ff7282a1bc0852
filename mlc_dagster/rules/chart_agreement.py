"""Do two charts of accounts agree? What is missing on which side, and what to do. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import NamedTuple, Protocol

from mlc_dagster.core.facts import CompanyMapping, Facts, LedgerAccount

ERP = "IFS"


class TheirAccount(Protocol):
    """An account as the target keeps it."""

    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def is_active(self) -> bool: ...
    @property
    def subsidiaries(self) -> tuple[str, ...]: ...  # none: all may post to it


class TheirSubsidiary(Protocol):
    @property
    def erp_reference_id(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...


class Missing(NamedTuple):
    """One line of a check: the target is called by `Facts.title`."""

    missing_in: str
    company: str
    code: str
    name: str
    reason: str


def missing_in_target(
    chart: Mapping[tuple[str, str], LedgerAccount], theirs: Iterable[TheirAccount], facts: Facts, today: date
) -> list[Missing]:
    """Accounts that the ERP may post to and the target cannot, company by company."""
    known: dict[str, list[TheirAccount]] = defaultdict(list)
    for account in theirs:
        known[account.code].append(account)
    return [
        Missing(facts.title, ours.company, ours.code, ours.description, why)
        for _, ours in sorted(chart.items())
        if ours.company in facts.companies and is_open(ours, today)
        if (why := _why_not_there(ours, known[facts.account_in_target(ours.code)], facts))
    ]


def _why_not_there(ours: LedgerAccount, found: list[TheirAccount], facts: Facts) -> str:
    code = facts.account_in_target(ours.code)
    if not found:
        return f"There is no account {code}. Create it there, or map it under gl_accounts in mlc.yaml."
    if not any(account.is_active for account in found):
        return f"Account {code} is not active. Activate it there, or block it in IFS."
    subsidiary = subsidiary_of(ours.company, facts.companies)
    if not any(
        account.is_active and (not account.subsidiaries or subsidiary in account.subsidiaries) for account in found
    ):
        return f"Account {code} is not open to subsidiary {subsidiary or '(none)'}. Open it there."
    return ""


def missing_in_erp(
    chart: Mapping[tuple[str, str], LedgerAccount], theirs: Iterable[TheirAccount], facts: Facts, today: date
) -> list[Missing]:
    """Active accounts of the target that no company's chart has, or that are blocked in the ERP."""
    ours = {(company, facts.account_in_target(code)): False for company, code in chart}
    for (company, code), account in chart.items():
        ours[company, facts.account_in_target(code)] |= is_open(account, today)
    return [
        Missing(ERP, company, account.code, account.name or "", why)
        for account in sorted(theirs, key=lambda each: (each.code, each.name or ""))
        if account.is_active
        for company, why in _gaps(account, ours, facts)
    ]


def _gaps(account: TheirAccount, ours: Mapping[tuple[str, str], bool], facts: Facts) -> Iterator[tuple[str, str]]:
    """(company, why). An account that names its subsidiaries must be in each of their charts, any other in one."""
    if not account.code:
        yield "", "It has no erp_reference_id, so no posting to it can reach IFS. Enter it there."
        return
    named = {subsidiary_of(company, facts.companies): company for company in facts.companies}
    for subsidiary in account.subsidiaries:
        if (company := named.get(subsidiary)) and (why := _why_not_ours(ours.get((company, account.code)))):
            yield company, why
    if not account.subsidiaries:
        gaps = [_why_not_ours(ours.get((company, account.code))) for company in facts.companies]
        if all(gaps):
            yield "", sorted(gaps)[0]


def _why_not_ours(is_open: bool | None) -> str:
    if is_open is None:
        return "No account of the ERP stands for it. Create it in IFS, map it under gl_accounts, or close it there."
    return "" if is_open else "It is blocked or not valid today in IFS. Open it in IFS, or deactivate it there."


def is_open(account: LedgerAccount, today: date) -> bool:
    """Whether the ERP may post to it today."""
    begun = account.valid_from is None or account.valid_from <= today
    return not account.blocked and begun and (account.valid_until is None or today <= account.valid_until)


def companies_without_subsidiary(
    chart: Mapping[tuple[str, str], LedgerAccount], theirs: Iterable[TheirSubsidiary], facts: Facts, today: date
) -> list[Missing]:
    """Companies that are no subsidiary of the target, and subsidiaries that are no company."""
    wanted = {subsidiary_of(company, facts.companies): company for company in facts.companies}
    there = {each.erp_reference_id or "": each for each in theirs}
    absent = [
        Missing(
            facts.title, company, name, "", "There is no such subsidiary. Create it, or correct companies in mlc.yaml."
        )
        for name, company in sorted(wanted.items())
        if name and name not in there
    ]
    strange = [
        Missing(ERP, "", name, each.name or "", "No company in mlc.yaml stands for it.")
        for name, each in sorted(there.items())
        if name not in wanted
    ]
    return absent + strange


def subsidiary_of(company: str, companies: Mapping[str, CompanyMapping]) -> str:
    """What a company is called there: its own code, unless mlc.yaml says otherwise."""
    mapping = companies.get(company)
    return mapping.names.get("subsidiary", company) if mapping else company
