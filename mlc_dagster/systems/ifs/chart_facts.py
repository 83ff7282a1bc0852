"""What the ERP says of its accounts and code parts, as rules know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mlc_dagster.core.facts import AccountDemands, Books, CodePart, LedgerAccount
from mlc_dagster.systems.ifs import records as ifs

CLOSED = ("Blocked", "Closed", "Inactive")
"""The ObjState of a code part value that nothing may be posted under."""


def ledger_accounts(found: Iterable[ifs.Account]) -> dict[tuple[str, str], LedgerAccount]:
    """(company, account) -> account."""
    return {(account.company, account.account): _ledger_account(account) for account in found}


def code_parts(found: Iterable[ifs.CodePartValue]) -> dict[tuple[str, str, str], CodePart]:
    """(company, code part, value) -> until when it may be used."""
    return {
        (value.company, value.code_part, value.code_part_value): CodePart(
            value.valid_from, value.valid_until, value.obj_state in CLOSED
        )
        for value in found
    }


def why_unusable(
    accounts: Mapping[tuple[str, str], LedgerAccount], books: Books, companies: Iterable[str], target: str
) -> str:
    """Why no account can be validated, empty where all can: a chart is empty, or was never read."""
    if books.has_chart and not books.accounts:
        return f"the chart of accounts of {target} is empty: nothing to validate against"
    charted = {company for company, _ in accounts}
    if missing := sorted(set(companies) - charted):
        chart = "/".join(ifs.ACCOUNTS.key)
        return f"IFS gave no chart of accounts for company {', '.join(missing)}: materialize {chart}"
    return ""


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
