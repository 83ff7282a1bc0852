"""What is true of a record beside the books: accounts, companies, reference lists."""

from __future__ import annotations

from datetime import date
from typing import Any, Protocol

from mlc_dagster.facts import Facts
from mlc_dagster.rules.saying import problem
from mlc_dagster.vocabulary import Problem


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
    failures = [(p.account or "", why) for p in erps.postings() if (why := _account_failure(p, facts))]
    return problem("gl_accounts_exist", failures)


def _account_failure(posting: Posting, facts: Facts) -> str | None:
    where = f"line {posting.line}: " if posting.line not in (None, "") else ""
    if not posting.account:
        return f"{where}no GL account. Enter one in the ERP."
    named = f"{where}GL account {posting.account} of company {posting.company}"
    account = facts.accounts.get((posting.company, posting.account))
    if account is None:
        return f"{named} is not in the ERP's chart of accounts. Correct the line, or create the account."
    if account.blocked:
        return f"{named} is blocked in the ERP. Unblock it, or post to another account."
    if posting.on is None and (account.valid_from or account.valid_until):
        return f"{named} is valid between dates only, and the record has no posting date. Enter one in the ERP."
    if posting.on and account.valid_from and posting.on < account.valid_from:
        return f"{named} is valid from {account.valid_from}, and the posting date is {posting.on}. Correct one of them."
    if posting.on and account.valid_until and posting.on > account.valid_until:
        return (
            f"{named} was valid until {account.valid_until}, and the posting date is {posting.on}. Correct one of them."
        )
    return _target_account_failure(named, posting, facts)


def _target_account_failure(named: str, posting: Posting, facts: Facts) -> str | None:
    code = facts.account_in_target(posting.account or "")
    if not facts.books.has_chart or code in facts.books.accounts:
        return None
    mapped = f" (there {code}, by gl_accounts)" if code != posting.account else ""
    dated = f", posted {posting.on}" if posting.on else ""
    return (
        f"{named}{mapped}{dated} is not in the target's active chart of accounts. "
        "Create or activate it there, or map it under gl_accounts in mlc.yaml."
    )


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


def tax_rule_is_mapped(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every tax code of the record has a tax rule in the target, active and meant for purchases."""
    failures = [
        (code or "", why) for where, code, rule in target.taxes() if (why := _tax_failure(where, code, rule, facts))
    ]
    return problem("tax_rule_is_mapped", failures)


def _tax_failure(where: str, code: str | None, rule: str | None, facts: Facts) -> str | None:
    start = f"{where}: " if where else ""
    named = f"tax code {code}" if code else "no tax code, so the default tax rule"
    if not rule:
        return f"{start}{named} has no tax rule in the target. Add it under tax_rules in mlc.yaml."
    if rule not in facts.books.tax_rules:
        return f"{start}{named} is {rule!r} in mlc.yaml, and the target has no active purchase tax rule of that name."
    return None


def products_exist(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every part of the record is a product of the target."""
    failures = [
        (sku, f"{where}: part {sku} is no product of the target. Create the product there with this SKU.")
        for where, sku in target.skus()
        if sku not in facts.books.products
    ]
    return problem("products_exist", failures)


def location_exists(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The place where the target receives the goods is one of its locations."""
    if target.location in facts.books.locations:
        return None
    reason = f"The target has no location {target.location!r}. Create it there, or correct location in mlc.yaml."
    return Problem("location_exists", reason, target.location)
