"""Cin7's chart of accounts, and what is asked of it beside the ERP's: company by company where its ledger follows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from mlc_dagster.core.facts import Facts
from mlc_dagster.rules.chart_agreement import ERP, Missing, missing_in_erp, missing_in_target
from mlc_dagster.systems.cin7.chart_records import Account
from mlc_dagster.systems.cin7.settings import Cin7Settings
from mlc_dagster.systems.system import Chart, Reference, ReferenceCheck


def missing_in_cin7(chart: Chart, theirs: Sequence[Account], facts: Facts, today: date) -> list[Missing]:
    """Accounts that the ERP may post to and Cin7 lacks; of the companies that its ledger follows, where it says so."""
    return [each for some in _each_company(facts) for each in missing_in_target(chart, theirs, some, today)]


def missing_in_ifs(chart: Chart, theirs: Sequence[Account], facts: Facts, today: date) -> list[Missing]:
    """Active accounts of Cin7 that the ERP's charts lack: each company's that its ledger follows; else all of them."""
    coded = [account for account in theirs if account.code]
    return [*_without_code(theirs), *_missing_in_ifs(chart, coded, facts, today)]


def _without_code(theirs: Iterable[Account]) -> list[Missing]:
    why = "It has no code, so that nothing posted to it can be compared. Give it one in Cin7."
    return [Missing(ERP, "", "", each.name or "", why) for each in theirs if not each.code and each.is_active]


def _missing_in_ifs(chart: Chart, whole: Sequence[Account], facts: Facts, today: date) -> list[Missing]:
    if not _followed(facts):
        return missing_in_erp(chart, whole, facts, today)
    return [
        each._replace(company=company)
        for some in _each_company(facts)
        for company in some.companies
        for each in missing_in_erp(_of_company(chart, company), whole, some, today)
    ]


def _of_company(chart: Chart, company: str) -> Chart:
    return {key: account for key, account in chart.items() if key[0] == company}


def _followed(facts: Facts) -> list[str]:
    return [code for code, company in facts.companies.items() if company.names.get("ledger")]


def _each_company(facts: Facts) -> Iterator[Facts]:
    for code in _followed(facts) or list(facts.companies):
        yield replace(facts, companies={code: facts.companies[code]})


def _is_on(section: Cin7Settings) -> bool:
    """Every account has a chart."""
    return True


REFERENCES = (
    Reference(
        "accounts",
        Account,
        _is_on,
        (
            ReferenceCheck(
                "ifs_accounts_are_in_cin7",
                "Every account of IFS that may be posted to is an active account of Cin7, for each company.",
                missing_in_cin7,
                counts_the_chart=True,
            ),
            ReferenceCheck(
                "cin7_accounts_are_in_ifs",
                "Every active account of Cin7 is in the IFS chart of each company that its ledger follows, and open; "
                "where mlc.yaml names no such company, in that of one.",
                missing_in_ifs,
            ),
        ),
    ),
)
