"""What must be true of a record before HubSpot gets it, beside the rules of the house. Pure."""

from __future__ import annotations

from typing import Any

from mlc_dagster import rules
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem
from mlc_dagster.rules.problems import problem
from mlc_dagster.systems.hubspot.company_accounts import CompanyAccount, accounts_of, company_field


def gl_accounts_exist(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The default GL account of a supplier or customer, where it has one, is in the ERP's chart, and not blocked: in
    each company that the ERP says; else in one at least.
    """
    judged = [each for each in accounts_of(source, facts) if each.code and each.company in facts.companies]
    failures = [(each.code, why) for each in judged if (why := _account_failure(each, facts))]
    is_usable_somewhere = len(failures) < len(judged) and not any(each.is_stated for each in judged)
    return None if is_usable_somewhere else problem("gl_accounts_exist", list(dict.fromkeys(failures)))


def company_field_exists(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The field that hubspot.company_fields names is one of the ERP's record."""
    field = company_field(source, facts)
    if not field or field in source.__struct_fields__:
        return None
    entity = "supplier_set" if hasattr(source, "supplier_id") else "customer_set"
    cure = f"Name it first under ifs.entity_sets.{entity}.extra_fields, such as {field}: Cf_Company."
    reason = f"hubspot.company_fields in mlc.yaml names the field {field}, which the record does not have"
    return Problem("company_field_exists", f"{reason}. {cure}", field)


def _account_failure(each: CompanyAccount, facts: Facts) -> str:
    account = facts.accounts.get((each.company, each.code))
    if account is None:
        where = f"company {each.company}" if each.is_stated else "any company in mlc.yaml"
        return (
            f"Default GL account {each.code} is not in the ERP's chart of accounts of {where}. Correct it in the ERP."
        )
    if account.blocked:
        where = f" in company {each.company}"
        return f"Default GL account {each.code} is blocked{where} in the ERP. Unblock it, or enter another account."
    return ""


def is_not_cancelled(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The record is in a state that is delivered; a cancelled one is, where mlc.yaml says that it is voided there."""
    return None if target.status == "voided" else rules.is_not_cancelled(source, target, facts)


def currency_is_in_the_portal(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The record's currency is one of the currencies of the HubSpot account."""
    told = facts.books.currencies  # none: the token may not ask for them, and HubSpot itself judges
    if not target.currency or not told or target.currency in told:
        return None
    known = ", ".join(sorted(told))
    reason = f"HubSpot has no currency {target.currency} (it has: {known}). Add it in HubSpot, Settings, Currencies."
    return Problem("currency_is_in_the_portal", reason, target.currency)


def prices_are_not_negative(source: Any, target: Any, facts: Facts) -> Problem | None:
    """No line is negative: HubSpot takes no price below zero, and knows no credit note."""
    below = [line for line in target.amount_lines() if line.price is not None and line.price < 0]
    if not below:
        return None
    named = ", ".join(f"{line.where}: {line.price}" for line in below[: rules.SHOWN])
    reason = f"{named}. HubSpot takes no negative price, and has no credit notes. Discard this hold, or correct the ERP"
    return Problem("prices_are_not_negative", f"{reason}.")


def customer_is_delivered(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The invoice's customer is in HubSpot already."""
    if target.supplier_id:
        return None
    if not target.customer_no:
        return Problem("customer_is_delivered", "The invoice has no customer. Enter it in the ERP.")
    reason = f"Customer {target.customer_no} is not delivered yet. Load it; this invoice follows by itself."
    return Problem("customer_is_delivered", reason, target.customer_no)


def invoice_is_delivered(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The deal's invoice is in HubSpot already."""
    if target.invoice_id:
        return None
    reason = f"Invoice {target.number} is not delivered yet. Load it; this deal follows by itself."
    return Problem("invoice_is_delivered", reason, target.number or "")


def invoice_is_not_voided(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The deal's invoice is not voided: what was cancelled was not won."""
    if target.status != "voided":
        return None
    reason = f"Invoice {target.number} is {source.obj_state} in the ERP. Where HubSpot has the deal, close it as lost."
    return Problem("invoice_is_not_voided", reason, target.number or "")
