"""What must be true of a record for monday.com alone."""

from __future__ import annotations

from typing import Any

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem
from mlc_dagster.rules.problems import problem
from mlc_dagster.systems.monday.mapping import ACCOUNTS_FLOW, account_key


def accounts_are_linked(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Each GL account of the record is an item on the accounts' board already, where a column links to them.

    One that the ERP's chart does not have is `gl_accounts_exist`'s to tell: it will never be an item.
    """
    if all(cell.field != "account_links" for cell in target.cells):
        return None
    named = {(each.company, each.account) for each in source.postings()} & facts.accounts.keys()
    wanted = {account_key(company, account) for company, account in named}
    failures = [
        (key, f"Account {key} is not on the accounts' board yet. Load monday/accounts; this record follows by itself.")
        for key in sorted(wanted)
        if not facts.remote_id(ACCOUNTS_FLOW, key)
    ]
    return problem("accounts_are_linked", failures)
