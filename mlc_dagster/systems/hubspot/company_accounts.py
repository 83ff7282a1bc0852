"""What a supplier or customer is booked on in each company of the ERP, and how one of HubSpot shows several. Pure.

Where several companies agree, their value stands alone; where not, each has its own: "0010: 4010; 0020: 4020".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mlc_dagster.core.facts import ExtraField, Facts
from mlc_dagster.core.vocabulary import Record

SHOWN = ("gl_account", "gl_account_name", "cost_center", "cost_center_name", "dimensions", "dimension_names")
"""What is shown of a company: each a property of ours, and one more for each company that mlc.yaml gives a prefix."""

COST_CENTRE = "B"
APART, BLOCKED = "; ", "(blocked)"


class CompanyAccount(Record, frozen=True, kw_only=True):
    """A default account, and its dimensions, in one company."""

    company: str
    code: str = ""  # the ERP's; empty: it has none there
    gl_account: str = ""  # the same, as HubSpot is told
    gl_account_name: str = ""
    cost_center: str = ""
    cost_center_name: str = ""
    dimensions: str = ""  # "B=CC100; D=P3"
    dimension_names: str = ""  # "B=Assembly; D=Apollo"
    is_stated: bool = True  # by the ERP or mlc.yaml; else it is taken from the charts that have the account


def accounts_of(partner: Any, facts: Facts) -> tuple[CompanyAccount, ...]:
    """By the ERP, where it has accounts by company; else its one account in its own company, in the one that mlc.yaml
    names, or in each company whose chart has it.
    """
    if own := _rows(partner, facts):
        return tuple(_of_row(partner, each, facts) for each in own)
    parts = {COST_CENTRE: partner.cost_center} if partner.cost_center else {}
    code = partner.default_account or ""
    stated = own_company(partner, facts)
    companies = [stated] if stated else _with_account(code, facts)
    return tuple(_account(each, code, parts, facts, is_stated=bool(stated)) for each in companies)


def _rows(partner: Any, facts: Facts) -> list[Any]:
    """What the ERP says by company; of the one alone that mlc.yaml names."""
    only = facts.options.get("company_code")
    rows = sorted(getattr(partner, "accounts", None) or (), key=lambda each: each.company)
    return [each for each in rows if not only or each.company == only]


def company_field(partner: Any, facts: Facts) -> str:
    """The field of the ERP's record that says which company it is of; empty: there is none."""
    flow = "supplier_companies" if "supplier_id" in partner.__struct_fields__ else "customer_companies"
    return facts.options.get(f"company_field.{flow}", "")


def own_company(partner: Any, facts: Facts) -> str:
    """The company that the ERP says a partner is of, the one that mlc.yaml names, or the only one; else empty."""
    said = str(getattr(partner, company_field(partner, facts), None) or "").strip()
    only = next(iter(facts.companies)) if len(facts.companies) == 1 else ""
    return said or facts.options.get("company_code") or only


def _with_account(code: str, facts: Facts) -> list[str]:
    """All companies of mlc.yaml whose chart has it; all of them where it is in none, or there is no account."""
    charted = [company for company in sorted(facts.companies) if code and (company, code) in facts.accounts]
    return charted or sorted(facts.companies)


def _of_row(partner: Any, row: Any, facts: Facts) -> CompanyAccount:
    """What a company does not say of its own is what the partner has in all."""
    told = {part: getattr(row, f"code_{part.lower()}") for part in "BCDEFGHIJ"}
    parts = {part: value for part, value in told.items() if value}
    if partner.cost_center:
        parts = {COST_CENTRE: partner.cost_center, **parts}
    return _account(row.company, row.account or partner.default_account or "", parts, facts)


def _account(
    company: str, code: str, parts: Mapping[str, str], facts: Facts, *, is_stated: bool = True
) -> CompanyAccount:
    account = facts.accounts.get((company, code))
    name = account.description if account else ""
    names = {part: _name(company, part, value, facts) for part, value in parts.items()}
    return CompanyAccount(
        company=company,
        code=code,
        gl_account=facts.account_in_target(code),
        gl_account_name=f"{name} {BLOCKED}".strip() if account and account.blocked else name,
        cost_center=parts.get(COST_CENTRE, ""),
        cost_center_name=names.get(COST_CENTRE, ""),
        dimensions=_pairs(parts),
        dimension_names=_pairs(names),
        is_stated=is_stated,
    )


def _name(company: str, part: str, value: str, facts: Facts) -> str:
    known = facts.code_parts.get((company, part, value))
    return known.description if known else ""


def _pairs(parts: Mapping[str, str]) -> str:
    return APART.join(f"{part}={value}" for part, value in sorted(parts.items()) if value)


def companies_in(accounts: Iterable[CompanyAccount]) -> str:
    return APART.join(each.company for each in accounts)


def joined(accounts: Iterable[CompanyAccount], field: str) -> str:
    """The value that all have, or that of each company behind its code."""
    told = [(each.company, str(getattr(each, field))) for each in accounts]
    values = {value for _, value in told}
    if len(values) < 2:
        return next(iter(values), "")
    return APART.join(f"{company}: {value}" for company, value in told if value)


def by_company(accounts: Iterable[CompanyAccount], facts: Facts) -> Iterator[ExtraField]:
    """The properties of each company that has a prefix in mlc.yaml; empty where the partner is not booked there."""
    known = {each.company: each for each in accounts}
    for company, prefix in sorted(facts.table("company_properties").items()):
        for field in SHOWN:
            text = str(getattr(known[company], field)) if company in known else ""
            yield ExtraField(name=f"{prefix}_{field}", text=text)
