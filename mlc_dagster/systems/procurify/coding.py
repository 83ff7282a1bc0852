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


def account_of(each: Allocation, facts: Facts) -> str | None:
    """The ERP's account for the one of the allocation, or for the segment of it that is the account."""
    which = int(facts.options.get("account_segment") or 1)
    code = segment_of(each, which, facts) if facts.options.get("account_separator") else each.account
    return (code and facts.account_in_erp(code)) or None


def segment_of(each: Allocation, which: int, facts: Facts) -> str | None:
    """A segment of its account code, counted from 1."""
    segments = (each.account or "").split(facts.options.get("account_separator") or None)
    return (segments[which - 1].strip() if which <= len(segments) else "") or None


def codes(each: Allocation, facts: Facts) -> dict[str, str | None]:
    """The values of its code parts, by the fields of a line of the ERP."""
    part = facts.options.get("department_code_part", "B")
    cost_centre = {part: cost_centre_of(each, facts)} if part else {}
    more = {part: dimension_of(each, part, facts) for part in facts.table("dimensions")}
    return {f"code_{part.lower()}": value for part, value in {**cost_centre, **more}.items()}


def dimension_of(each: Allocation, part: str, facts: Facts) -> str | None:
    """By the table of procurify.dimensions; where there is none, what Procurify has is the value itself."""
    names, own = told_of(each, facts.table("dimensions")[part], facts)
    return facts.stands_for(f"dimensions.{part}", names, own)


def told_of(each: Allocation, where: str, facts: Facts) -> tuple[tuple[str, ...], str | None]:
    """(all that a table may know it by, what stands for it without a table). `where`: as Dimension.where has it."""
    source, _, which = where.partition(" ")
    code, name = {
        "department": (each.department_external_id, each.department),
        "location": (each.location_external_id, each.location),
        "project": _project(each, which),
        "custom_field": (field_of(each, which), None),
        "account_segment": (segment_of(each, int(which), facts) if source == "account_segment" else None, None),
    }[source]
    return tuple(one for one in (code, name) if one), code


def _project(each: Allocation, field: str) -> tuple[str | None, str | None]:
    if each.project or each.project_external_id:
        return each.project_external_id or each.project, each.project
    return field_of(each, field), None


def field_of(each: Allocation, name: str) -> str | None:
    """What people filled in under this name, in any case."""
    return next((one.value for one in each.custom_fields if one.name.casefold() == name.casefold()), None)


def decimals_of(document: SpendDocument, company: str, facts: Facts) -> int:
    mapping = facts.companies.get(company)
    return currency_decimals(document.currency, mapping) if document.currency else 2
