"""What must be true of a document of Procurify alone before it enters the books."""

from __future__ import annotations

from collections.abc import Iterator
from functools import wraps
from typing import Any

from mlc_dagster.core.amounts import round_half_up
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem, Rule
from mlc_dagster.rules.problems import problem
from mlc_dagster.systems.procurify.coding import company_of_location, cost_centre_of, dimension_of, told_of
from mlc_dagster.systems.procurify.mapping import linked_supplier
from mlc_dagster.systems.procurify.part_bills import reduces
from mlc_dagster.systems.procurify.statuses import belongs_in_the_books, is_of_no_known_state, why_not_a_bill


def where_it_belongs_in_the_books(rule: Rule) -> Rule:
    """The rule, for documents that are to be in the books: of one that is to leave them it asks nothing."""

    @wraps(rule)
    def judged(source: Any, target: Any, facts: Facts) -> Problem | None:
        is_to_be = belongs_in_the_books(source, facts) and not getattr(target, "is_final", False)
        return rule(source, target, facts) if is_to_be else None

    return judged


def where_its_company_is_known(rule: Rule) -> Rule:
    """The rule, for documents of one company: of others `all_is_of_one_company` says what is wrong."""

    @wraps(rule)
    def judged(source: Any, target: Any, facts: Facts) -> Problem | None:
        return rule(source, target, facts) if target.company else None

    return judged


def where_it_has_one_currency(rule: Rule) -> Rule:
    """The rule, for documents of one currency: of others `one_currency` says what is wrong, and sums mean nothing."""

    @wraps(rule)
    def judged(source: Any, target: Any, facts: Facts) -> Problem | None:
        return None if is_mixed(source) else rule(source, target, facts)

    return judged


def is_mixed(source: Any) -> bool:
    return bool(source.other_currencies) or bool(getattr(source, "has_multiple_currency", False))


def state_is_known(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Its state, and of a bill its type, is one that Procurify has published."""
    if not is_of_no_known_state(source):
        return None
    said = f"state {source.state}" if hasattr(source, "state") else f"status {source.status}, type {source.type}"
    reason = f"Procurify gives {said}, which was not known when this release was made: it may be approved or not."
    cure = "Look at it there, and enter it in the ERP by hand where it belongs; a newer release may know the state."
    return Problem("state_is_known", f"{reason} {cure}", said)


def one_currency(source: Any, target: Any, facts: Facts) -> Problem | None:
    """All lines are in the document's own currency."""
    if not is_mixed(source):
        return None
    named = ", ".join(source.other_currencies)
    found = f"Its lines are in {named}" if named else "Procurify says that it has several currencies"
    cure = "An amount is never put in for one of another currency: split it in Procurify, or enter it by hand."
    return Problem("one_currency", f"{found}, and the document is in {source.currency}. {cure}", named)


def parts_of_orders_are_known(source: Any, target: Any, facts: Facts) -> Problem | None:
    """What the bill takes of each of its orders can be told: by its items, and in the orders' own currency."""
    if not reduces(facts) or not source.orders:
        return None
    if others := sorted({*source.order_currencies} - {source.currency}):
        why = f"Its orders are in {', '.join(others)}, and it is in {source.currency}"
    elif len(source.orders) > 1 and not any(each.order for each in source.allocations):
        why = f"It covers orders {', '.join(source.order_numbers)}, and no item says of which it is"
    else:
        return None
    cure = "Correct it in Procurify; or release this hold, and correct the orders' posting proposals by hand."
    return Problem("parts_of_orders_are_known", f"{why}: what is left of an order is not known. {cure}")


def document_is_active(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Procurify does not say that the document is inactive."""
    if source.is_active:
        return None
    reason = "Procurify says active: false, and does not publish what that means: archived, or taken back?"
    return Problem("document_is_active", f"{reason} Look at it there: release this hold to post it, or discard it.")


def dates_are_certain(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every date is a date by itself, or a moment of a company, or at a location, whose time zone is known."""
    company = facts.companies.get(target.company)
    if not source.unsure_dates or (company and company.calendar.time_zone):
        return None
    places = ", ".join(sorted({each.location for each in source.allocations if each.location})) or "(no location)"
    cure = (
        f"Set companies.{target.company}.time_zone in mlc.yaml, such as Europe/Stockholm; or name the zone of the "
        "location under procurify.time_zones."
    )
    reason = f"{source.unsure_dates} may be two dates: the time zone of {places} is not told, or as hours alone"
    return Problem("dates_are_certain", f"{reason}. {cure}", places)


def vendor_is_one_supplier(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The vendor's external id on the document is the supplier that the vendor was linked with."""
    linked, said = linked_supplier(source, facts), target.supplier_id
    if linked is None or said in (None, linked):
        return None
    reason = f"Vendor {source.vendor_id} has external id {said} on it, and was linked with supplier {linked}."
    cure = "Correct the external id in Procurify; or forget the link, if another supplier is right now."
    return Problem("vendor_is_one_supplier", f"{reason} {cure}", str(source.vendor_id))


def invoice_total_agrees(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The total of the vendor's invoice, where it was entered, is what the bill comes to."""
    total = source.invoice_total
    if not total or source.payable is None or round_half_up(total, 2) == round_half_up(source.payable, 2):
        return None
    reason = f"The vendor's invoice comes to {total} {source.currency} by Procurify, and the bill to {source.payable}."
    return Problem("invoice_total_agrees", f"{reason} Correct one of them in Procurify.")


def bill_still_stands(source: Any, target: Any, facts: Facts) -> Problem | None:
    """A bill that was posted in the ERP is still approved in Procurify, and still a bill of a supplier."""
    if belongs_in_the_books(source, facts) or is_of_no_known_state(source):
        return None
    why = why_not_a_bill(source, facts)
    reason = f"Bill {source.number} was posted in the ERP, and in Procurify it is now: {why}."
    return Problem(
        "bill_still_stands", f"{reason} Cancel or credit it in the ERP by hand, then discard this hold.", why
    )


def credits_are_posted(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The bill is not below zero, or credits are to be posted as credit invoices."""
    if facts.options.get("post_credits") or target.gross_amount >= 0:
        return None
    reason = f"The total is {target.gross_amount} {target.currency}: a credit."
    return Problem("credits_are_posted", f"{reason} Enter it in the ERP by hand, or set procurify.post_credits.")


def all_is_of_one_company(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every line is of a location that stands for one and the same company, which mlc.yaml lists."""
    failures, companies = [], set()
    for each in source.allocations:
        if not each.department:  # department_is_mapped says so
            continue
        company = company_of_location(each, facts)
        companies.add(company)
        if why := _company_failure(each.location, company, facts):
            failures.append((each.location or "", f"line {each.line}: {why}"))
    if not failures and len(companies) > 1:
        named = ", ".join(sorted(str(company) for company in companies))
        failures.append((named, f"Its lines are of companies {named}. Split it in Procurify: a document has one."))
    return problem("all_is_of_one_company", failures)


def _company_failure(location: str | None, company: str | None, facts: Facts) -> str:
    if not location:
        return "its department has no location. Give it one in Procurify."
    if company is None:
        return f"location {location} stands for no company. Add it under procurify.companies_by_location in mlc.yaml."
    if company not in facts.companies:
        return f"location {location} is company {company}, which mlc.yaml does not list. Add it under companies."
    return ""


def department_is_mapped(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every line has a department, and the department a cost centre, unless lines have none by mlc.yaml."""
    is_coded = bool(facts.options.get("department_code_part", "B"))
    failures = [
        (each.department or "", f"line {each.line}: {_department_failure(each, facts)}")
        for each in source.allocations
        if not each.department or (is_coded and not cost_centre_of(each, facts))
    ]
    return problem("department_is_mapped", failures)


def code_parts_are_mapped(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every line has a value for each code part of procurify.dimensions, unless mlc.yaml says that it need not."""
    failures = [
        (subject, f"line {each.line}: {why}")
        for each in source.allocations
        if each.department
        for part, where in facts.table("dimensions").items()
        for subject, why in _dimension_failures(each, part, where, facts)
    ]
    return problem("code_parts_are_mapped", failures)


def _dimension_failures(each: Any, part: str, where: str, facts: Facts) -> Iterator[tuple[str, str]]:
    setting, kind = f"procurify.dimensions.{part}", where.replace("_", " ")
    names, _ = told_of(each, where, facts)
    if not names:
        if part not in facts.table("dimensions.optional"):
            cure = f"Enter it in Procurify, or set {setting}.required: false."
            yield "", f"it has no {kind}, from which code part {part} comes. {cure}"
    elif not dimension_of(each, part, facts):
        shown = names[-1] if len(names) == 1 else f"{names[-1]} ({names[0]})"
        if facts.table(f"dimensions.{part}"):
            yield names[-1], f"{setting}.values in mlc.yaml does not name {kind} {shown}. Add it there."
        else:
            yield names[-1], f"{kind} {shown} has no external id. Give it one there, or add it under {setting}.values."


def _department_failure(each: Any, facts: Facts) -> str:
    if not each.department:
        return "it is allocated to no department. Allocate it in Procurify."
    if facts.table("cost_centers"):
        code = f" ({each.department_external_id})" if each.department_external_id else ""
        return f"procurify.cost_centers in mlc.yaml does not name department {each.department}{code}. Add it there."
    cure = "Give it an external id there, or add it under procurify.cost_centers in mlc.yaml."
    return f"department {each.department} has no external id, and so no cost centre. {cure}"
