"""What Airbase keeps of its own accounts and subsidiaries, and what is asked of them beside the ERP's."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from mlc_dagster.core.facts import Facts
from mlc_dagster.rules.chart_agreement import Missing, companies_without_subsidiary, missing_in_erp, missing_in_target
from mlc_dagster.systems.airbase.bills.agreement import shows_bills
from mlc_dagster.systems.airbase.bills.records import BILL_LIST, ListedBill
from mlc_dagster.systems.airbase.records import Account, Subsidiary
from mlc_dagster.systems.airbase.settings import AirbaseSettings
from mlc_dagster.systems.airbase.spend.entry_types import TYPE_CURE, TYPES, EntryType
from mlc_dagster.systems.system import Chart, Reference, ReferenceCheck


def _has_accounts(section: AirbaseSettings) -> bool:
    return bool(section.paths.accounts)


def _has_subsidiaries(section: AirbaseSettings) -> bool:
    return bool(section.paths.subsidiaries)


def _posts_entries(section: AirbaseSettings) -> bool:
    return section.payments_into_ifs and bool(section.paths.ledger_entries)


def types_without_meaning(chart: Chart, theirs: Iterable[EntryType], facts: Facts, today: date) -> list[Missing]:
    """Types that wait for the ERP and that airbase.types does not name: none of these entries is in the books."""
    return [
        Missing("mlc.yaml", "", each.type or "(none)", each.currency, f"{each.words()}. {TYPE_CURE}")
        for each in theirs
        if each.type not in facts.table(TYPES)
    ]


REFERENCES = (
    Reference(BILL_LIST.name, ListedBill, shows_bills),
    Reference(
        "ledger_entry_types",
        EntryType,
        _posts_entries,
        (
            ReferenceCheck(
                "airbase_entry_types_are_mapped",
                "Every type of Airbase's ledger entries that wait for the ERP is named in airbase.types.",
                types_without_meaning,
                asks_the_chart=False,
            ),
        ),
        shown=True,
    ),
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
