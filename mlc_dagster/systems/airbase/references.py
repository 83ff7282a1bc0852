"""What Airbase keeps of its own accounts and subsidiaries, and what is asked of them beside the ERP's."""

from __future__ import annotations

from mlc_dagster.rules.chart_agreement import companies_without_subsidiary, missing_in_erp, missing_in_target
from mlc_dagster.systems.airbase.records import Account, Subsidiary
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.system import Reference, ReferenceCheck


def _has_accounts(section: AirbaseSettings) -> bool:
    return bool(section.paths.accounts)


def _has_subsidiaries(section: AirbaseSettings) -> bool:
    return bool(section.paths.subsidiaries)


REFERENCES = (
    Reference(
        "accounts",
        Account,
        _has_accounts,
        (
            ReferenceCheck(
                "ifs_accounts_are_in_airbase",
                "Every account of IFS that may be posted to is an active account of Airbase, for that company.",
                missing_in_target,
                counts_the_chart=True,
            ),
            ReferenceCheck(
                "airbase_accounts_are_in_ifs",
                "Every active account of Airbase is in the IFS chart of a company that may post to it, and open.",
                missing_in_erp,
            ),
        ),
    ),
    Reference(
        "subsidiaries",
        Subsidiary,
        _has_subsidiaries,
        (
            ReferenceCheck(
                "companies_are_subsidiaries",
                "Every company in mlc.yaml is a subsidiary of Airbase, and every subsidiary is one of these companies.",
                companies_without_subsidiary,
            ),
        ),
    ),
)
