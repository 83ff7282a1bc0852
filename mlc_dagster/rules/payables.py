"""What is payable beside net plus tax: rounding to whole coins, tax that is withheld. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem

NOTHING = Decimal(0)


def difference_account(difference: Decimal, facts: Facts) -> str:
    """The ERP's account that mlc.yaml has for such a difference; empty where it has none, or it is too large."""
    most = Decimal(facts.options.get("payable_difference_most") or 0)
    return facts.options.get("payable_difference_account", "") if difference and abs(difference) <= most else ""


def placed_difference(net: Decimal | None, vat: Decimal | None, gross: Decimal | None, facts: Facts) -> Decimal:
    """What is payable beside net plus tax, where it has an account; else nothing."""
    if net is None or gross is None:
        return NOTHING
    difference = gross - net - (vat or NOTHING)
    return difference if difference_account(difference, facts) else NOTHING


def payable_is_net_plus_tax(source: Any, target: Any, facts: Facts) -> Problem | None:
    """What is payable is net plus tax, or mlc.yaml has an account for the rest, which the ERP's chart has."""
    net, vat, gross = source.net_amount, source.vat_amount, source.gross_amount
    if net is None or gross is None or not (difference := gross - net - (vat or NOTHING)):
        return None
    account = difference_account(difference, facts)
    if not account:
        reason = f"{gross} is payable, and net {net} plus tax {vat or NOTHING} is {gross - difference}: {difference}"
        cure = "Where that is rounding or withholding, set payable_difference_account and, for so much, "
        cure += "payable_difference_most in mlc.yaml; else correct it in the ERP."
        return Problem("payable_is_net_plus_tax", f"{reason} between them. {cure}")
    known = facts.accounts.get((source.company, account))
    if known is not None and not known.blocked:
        return None
    why = "is blocked in the ERP" if known else f"is not in the chart of accounts of company {source.company}"
    reason = f"payable_difference_account {account} in mlc.yaml {why}. Correct it."
    return Problem("payable_is_net_plus_tax", reason, account)
