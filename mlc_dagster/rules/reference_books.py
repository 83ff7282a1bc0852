"""What is true of a record beside the books: accounts, companies, reference lists."""

from __future__ import annotations

from datetime import date
from typing import Any, Protocol

from mlc_dagster.core.facts import Facts, LedgerAccount
from mlc_dagster.core.flows import Problem
from mlc_dagster.rules.problems import problem


class Posting(Protocol):
    """A line's wish to be posted on a GL account of a company, on a date."""

    @property
    def company(self) -> str: ...
    @property
    def account(self) -> str | None: ...
    @property
    def on(self) -> date | None: ...
    @property
    def line(self) -> Any: ...


def gl_accounts_exist(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every GL account of the record exists in the ERP's chart, is open on the posting date, and is in the target's."""
    erps = target if hasattr(target, "postings") else source  # the side of the ERP, which is posted to
    failures = [
        (p.account or "", why if p.line in (None, "") else f"line {p.line}: {why}")
        for p in erps.postings()
        if (why := _account_failure(p, facts))
    ]
    return problem("gl_accounts_exist", failures)


def _account_failure(posting: Posting, facts: Facts) -> str | None:
    """Many lines are posted on few accounts: of each account and date it is found out once."""
    asked, found = (posting.company, posting.account, posting.on), facts.account_failures
    if asked not in found:
        found[asked] = _failure_of_account(*asked, facts)
    return found[asked]


def _failure_of_account(company: str, account: str | None, on: date | None, facts: Facts) -> str | None:
    if not account:
        return "no GL account. Enter one in the ERP."
    why = _erp_account_failure(facts.accounts.get((company, account)), on) or _target_account_failure(
        account, on, facts
    )
    return why and f"GL account {account} of company {company}{why}"


def _erp_account_failure(account: LedgerAccount | None, on: date | None) -> str | None:
    if account is None:
        return " is not in the ERP's chart of accounts. Correct the line, or create the account."
    if account.blocked:
        return " is blocked in the ERP. Unblock it, or post to another account."
    first, last = account.valid_from, account.valid_until
    if on is None and (first or last):
        return " is valid between dates only, and the record has no posting date. Enter one in the ERP."
    if on and first and on < first:
        return f" is valid from {first}, and the posting date is {on}. Correct one of them."
    if on and last and on > last:
        return f" was valid until {last}, and the posting date is {on}. Correct one of them."
    return None


def _target_account_failure(account: str, on: date | None, facts: Facts) -> str | None:
    code = facts.account_in_target(account)
    if not facts.books.has_chart or code in facts.books.accounts:
        return None
    mapped = f" (there {code}, by gl_accounts)" if code != account else ""
    dated = f", posted {on}" if on else ""
    return (
        f"{mapped}{dated} is not in the target's active chart of accounts. "
        "Create or activate it there, or map it under gl_accounts in mlc.yaml."
    )


def accounts_are_in_the_following_ledger(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every GL account that is posted to in the ERP is in the chart of the ledger that follows its company, and active:
    asked before it is posted. No company has such a ledger unless mlc.yaml says so.
    """
    failures = [
        (p.account or "", why if p.line in (None, "") else f"line {p.line}: {why}")
        for p in target.postings()
        if p.account and (why := _not_followed(p.company, p.account, facts))
    ]
    return problem("accounts_are_in_the_following_ledger", failures)


def _not_followed(company: str, account: str, facts: Facts) -> str:
    for ledger in facts.following.get(company, ()):
        if ledger.fault:
            return ledger.fault
        there = ledger.gl_accounts.get(account, account)
        if there not in ledger.accounts:
            mapped = f" (there {there}, by gl_accounts)" if there != account else ""
            said = f"{mapped} is not in the active chart of {ledger.title}, whose ledger follows that company"
            cure = "Create or activate it there, or map it under gl_accounts in mlc.yaml"
            return f"GL account {account} of company {company}{said}. {cure}; nothing was posted."
    return ""


def company_is_mapped(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The record's company is one that mlc.yaml lists."""
    if source.company in facts.companies:
        return None
    if not source.company:
        return Problem("company_is_mapped", "The record has no company. Enter it in the ERP.")
    known = ", ".join(sorted(facts.companies)) or "none"
    reason = f"Company {source.company} is not listed in mlc.yaml (listed: {known}). Add it under companies."
    return Problem("company_is_mapped", reason, source.company)


def payment_term_is_mapped(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The ERP's payment term has a name in the target, and the target knows that name as an active term."""
    code = source.payment_terms
    if not code:
        return Problem("payment_term_is_mapped", "No payment term. Enter one in the ERP: the target needs it.")
    if (name := facts.payment_terms.get(code)) is None:
        reason = f"Payment term {code} has no name in the target. Add it under payment_terms in mlc.yaml."
        return Problem("payment_term_is_mapped", reason, code)
    if name in facts.books.payment_terms:
        return None
    reason = f"Payment term {code} is {name!r} in mlc.yaml, and the target has no active term of that name."
    return Problem("payment_term_is_mapped", f"{reason} Create or activate it there, or correct mlc.yaml.", code)


def payment_term_has_a_name(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Where mlc.yaml has a table of payment terms, it names the record's: the ERP's code never stands for a name."""
    code = source.payment_terms
    if not code or not facts.payment_terms or code in facts.payment_terms:
        return None
    reason = f"Payment term {code} is not in payment_terms in mlc.yaml. Add it there ({code}: its name in the target)"
    return Problem("payment_term_has_a_name", f"{reason}, or correct it in the ERP.", code)


def tax_rule_is_mapped(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every tax code of the record has a tax rule in the target, active and meant for purchases."""
    failures = [
        (code or "", _tax_failure(where, code, rule))
        for where, code, rule in target.taxes()
        if not rule or rule not in facts.books.tax_rules
    ]
    return problem("tax_rule_is_mapped", failures)


def _tax_failure(where: str, code: str | None, rule: str | None) -> str:
    start = f"{where}: " if where else ""
    named = f"tax code {code}" if code else "no tax code, so the default tax rule"
    if not rule:
        return f"{start}{named} has no tax rule in the target. Add it under tax_rules in mlc.yaml."
    return f"{start}{named} is {rule!r} in mlc.yaml, and the target has no active purchase tax rule of that name."


def products_exist(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every part of the record is a product of the target."""
    failures = [
        (sku, f"{where}: part {sku} is no product of the target. Create the product there with this SKU.")
        for where, sku in target.skus()
        if sku not in facts.books.products
    ]
    return problem("products_exist", failures)


def site_is_mapped(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The record's site is one that mlc.yaml names, where it names sites of its company; an invoice may be of none."""
    mapping, site = facts.companies.get(source.company or ""), source.contract
    if mapping is None or not mapping.sites or site in mapping.sites or (not site and not hasattr(source, "order_no")):
        return None
    named = ", ".join(sorted(mapping.sites))
    reason = f"Site {site or '(none)'} is not among the sites of company {source.company} in mlc.yaml ({named})"
    return Problem("site_is_mapped", f"{reason}. Add it under companies.{source.company}.sites.", site or "")


def location_exists(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The place where the target receives the goods is one of its locations."""
    if target.location in facts.books.locations:
        return None
    reason = f"The target has no location {target.location!r}. Create it there, or correct location in mlc.yaml."
    return Problem("location_exists", reason, target.location)
