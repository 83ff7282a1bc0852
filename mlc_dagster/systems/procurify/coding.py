"""Where what was spent belongs in the ERP: company, account's dimensions, and the flows and references of documents."""

from __future__ import annotations

from mlc_dagster.core.amounts import currency_decimals
from mlc_dagster.core.facts import Facts
from mlc_dagster.systems.ifs.origins import EXPECTED
from mlc_dagster.systems.procurify.records import Allocation, SpendDocument

BILLS_FLOW = "ifs/supplier_invoices_from_procurify"
PROPOSALS_FLOW = "ifs/posting_proposals_from_procurify"
SUPPLIERS_FLOW = "ifs/suppliers_from_procurify"
VENDORS_FLOW = "procurify/vendors"
BILL = "procurify-bill-"
"""What the external reference of a bill's invoice begins with."""


def proposal_reference(order: str, facts: Facts) -> str:
    """The external reference of an order's proposal."""
    return facts.reference(EXPECTED, order)


def company_of(document: SpendDocument, facts: Facts) -> str | None:
    """The ERP's company of all that has a department; None where one has none, or they have several."""
    found = {company_of_location(each, facts) for each in document.allocations if each.department}
    return found.pop() if len(found) == 1 else None


def company_of_location(each: Allocation, facts: Facts) -> str | None:
    """By the table; where there is none, the location's external id or name where it is a company's code itself."""
    names = [name for name in (each.location_external_id, each.location) if name]
    own = next((name for name in names if name in facts.companies), None)
    return facts.stands_for("companies_by_location", names, own)


def cost_centre_of(each: Allocation, facts: Facts) -> str | None:
    """By the table; where there is none, the department's external id."""
    own = each.department_external_id
    return facts.stands_for("cost_centers", (own, each.department), own)


def codes(each: Allocation, facts: Facts) -> dict[str, str | None]:
    part = facts.options.get("department_code_part", "B")
    return {f"code_{part.lower()}": cost_centre_of(each, facts)} if part else {}


def decimals_of(document: SpendDocument, company: str, facts: Facts) -> int:
    mapping = facts.companies.get(company)
    return currency_decimals(document.currency, mapping) if document.currency else 2
