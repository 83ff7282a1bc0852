"""Is every bill of the sandboxed Procurify in the books once, or held, to the cent, and of each order what is left?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.demo.comparisons.books import Owed, amount
from mlc_dagster.demo.comparisons.compared import Compared, Document
from mlc_dagster.systems.procurify.documents.document_values import plain_uuid
from mlc_dagster.systems.procurify.mapping import BILLS_FLOW, PROPOSALS_FLOW, proposal_reference
from mlc_dagster.systems.procurify.settings import ProcurifySettings

CANCELLED = "Cancelled"


def disagreements(compared: Compared, section: ProcurifySettings) -> list[str]:
    """One line for each difference between what Procurify says is owed, and what the ERP holds."""
    held = {flow: {hold.key for hold in compared.ledger.open_holds(flow)} for flow in (BILLS_FLOW, PROPOSALS_FLOW)}
    return list(differences(compared.state("procurify"), compared.state(ERP)["documents"], held, section))


def differences(
    state: Document,
    documents: Mapping[str, Sequence[Document]],
    held: Mapping[str, set[str]],
    section: ProcurifySettings,
) -> Iterator[str]:
    """The lines. `documents`: entity set -> the ERP's rows; `held`: flow -> keys."""
    owed = [bill for bill in state["bills"] if is_owed(bill, section)]
    invoices, proposals = (_by_reference(documents[name]) for name in ("SupplierInvoiceSet", "PostingProposalHeadSet"))
    yield from _of_bills(owed, invoices, held[BILLS_FLOW])
    yield from _of_sums(owed, invoices, held[BILLS_FLOW])
    yield from _of_orders(state["purchase_orders"], owed, invoices, proposals, held[PROPOSALS_FLOW])


def is_owed(bill: Document, section: ProcurifySettings) -> bool:
    return bill["status"] in section.bill_statuses and bill["type"] in section.bill_types


def _by_reference(rows: Sequence[Document]) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = defaultdict(list)
    for row in rows:
        if row["ObjState"] != CANCELLED and (row["ExternalRef"] or "").startswith("procurify-"):
            found[row["ExternalRef"]].append(row)
    return found


def _reference(bill: Document) -> str:
    return f"procurify-bill-{plain_uuid(bill['uuid'])}"


def _of_bills(owed: Sequence[Document], invoices: Mapping[str, list[Document]], held: set[str]) -> Iterator[str]:
    for bill in owed:
        found, is_held = invoices.get(_reference(bill), []), plain_uuid(bill["uuid"]) in held
        if len(found) + is_held != 1:
            yield f"bill {bill['id']} of Procurify: {len(found)} invoices in IFS, {'held' if is_held else 'not held'}"
        yield from (f"bill {bill['id']} of Procurify: {fault}" for row in found if (fault := _difference(bill, row)))
    for reference in sorted(set(invoices) - {_reference(bill) for bill in owed}):
        yield f"IFS holds invoice {reference}, which no bill of Procurify stands for"


def _difference(bill: Document, invoice: Document) -> str:
    gross, owed = amount(invoice["GrossAmount"]), amount(bill["total_cost_with_tax"])
    lines = sum((amount(line["Amount"]) for line in invoice["SupplierInvoiceLines"]), amount(invoice["VatAmount"]))
    if (gross, invoice["CurrencyCode"]) != (owed, bill["currency"]["name"]):
        return f"{owed} {bill['currency']['name']} is owed, and IFS has {gross} {invoice['CurrencyCode']}"
    return "" if lines == gross else f"its lines and VAT make {lines} in IFS, and the invoice is {gross}"


def _of_sums(owed: Sequence[Document], invoices: Mapping[str, list[Document]], held: set[str]) -> Iterator[str]:
    """By currency: posted and held together are what Procurify says."""
    there, here = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
    for bill in owed:
        there[bill["currency"]["name"]] += amount(bill["total_cost_with_tax"])
        if plain_uuid(bill["uuid"]) in held:
            here[bill["currency"]["name"]] += amount(bill["total_cost_with_tax"])
    for row in (row for rows in invoices.values() for row in rows):
        here[row["CurrencyCode"]] += amount(row["GrossAmount"])
    for currency in sorted({*there, *here}):
        if there[currency] != here[currency]:
            yield f"{currency}: Procurify's bills are {there[currency]}, posted and held are {here[currency]}"


def _of_orders(
    orders: Sequence[Document],
    owed: Sequence[Document],
    invoices: Mapping[str, list[Document]],
    proposals: Mapping[str, list[Document]],
    held: set[str],
) -> Iterator[str]:
    posted = [bill for bill in owed if invoices.get(_reference(bill))]
    for order in orders:
        number, found = order["procurify_PO"], proposals.get(proposal_reference(order["procurify_PO"], Facts()), [])
        left = _left(order, posted)
        there = sum((amount(row["NetAmount"]) for row in found), Decimal(0))
        if found and there != left:
            yield f"of order {number} of Procurify {left} is not billed yet, and IFS expects {there}"
        elif _is_expected(order) and left and len(found) + (str(number) in held) != 1:
            yield f"order {number} of Procurify has {len(found)} proposals in IFS, and is not held"
    for reference in sorted(set(proposals) - {proposal_reference(each["procurify_PO"], Facts()) for each in orders}):
        yield f"IFS holds proposal {reference}, which no order of Procurify stands for"


def _left(order: Document, posted: Sequence[Document]) -> Decimal:
    """What no posted bill has taken of an order, without tax; charges count where the bill is of this order alone."""
    number, charges = order["procurify_PO"], amount(order["freight"]) + amount(order["other"])
    lines = sum((_exact(item) for item in order["order_items"] if item["status"] not in (7, 8)), Decimal(0))
    billed = billed_charges = Decimal(0)
    for bill in posted:
        billed += sum((_cost(item) for item in bill["items"] if (item["po"] or {}).get("id") == number), Decimal(0))
        if [each["id"] for each in bill["added_purchase_orders"]] == [number]:
            billed_charges += sum((amount(cost["amount"]) for cost in bill["costs"]), amount(bill["shipping_amount"]))
    return max(Decimal(0), lines + charges - billed - min(charges, billed_charges))


def _exact(item: Document) -> Decimal:
    """An order's line to its last decimal, of which its total has two."""
    return amount(item["price"]) * amount(item["quantity"])


def _cost(item: Document) -> Decimal:
    """A bill's line without tax; tax that is in the price stays in the books as cost."""
    return amount(item["total_cost"])


def _is_expected(order: Document) -> bool:
    """Open when it was first seen, and the newest of its versions."""
    return order["state"] in (0, 5) and order["most_recent_version"] is not False


def owed(compared: Compared, section: ProcurifySettings) -> list[Owed]:
    """By currency, of the bills in states that may be posted, and where they are."""
    on_hold = {hold.key for hold in compared.ledger.open_holds(BILLS_FLOW, limit=None)}
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for bill in compared.state("procurify")["bills"]:
        if is_owed(bill, section):
            currency, total = bill["currency"]["name"], amount(bill["total_cost_with_tax"])
            sums[currency][0] += total
            sums[currency][2] += total if plain_uuid(bill["uuid"]) in on_hold else Decimal(0)
    for invoice in compared.state(ERP)["documents"]["SupplierInvoiceSet"]:
        if (invoice["ExternalRef"] or "").startswith("procurify-") and invoice["ObjState"] != CANCELLED:
            sums[invoice["CurrencyCode"]][1] += amount(invoice["GrossAmount"])
    return [Owed(currency, *sums[currency]) for currency in sorted(sums)]
