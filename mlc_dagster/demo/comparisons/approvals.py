"""Is every invoice that was approved in Airbase in the state that it was led to, with the approver's name?"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mlc_dagster.core.vocabulary import ERP, key_text
from mlc_dagster.demo.comparisons.compared import Compared, Document
from mlc_dagster.systems.ifs.state_records import INVOICE_STATES


def disagreements(compared: Compared) -> Iterator[str]:
    """One line for each that is not as its request and the ERP's own document say."""
    requests = {row["airbase_id"]: row for row in compared.state("airbase")["purchase_requests"]}
    rows = compared.state(ERP)["documents"]["SupplierInvoiceSet"]
    invoices = {key_text(row["Company"], row["InvoiceId"]): row for row in rows}
    for flow in (each for each in compared.flows if each.target.name == INVOICE_STATES.name):
        yield from compared.doubled(flow, "an invoice")
        delivered = compared.delivered(flow)
        for key, number, record in compared.newest(flow):
            if fault := _fault(requests[key], invoices.get(number), record.to_state):
                yield f"{flow.name} {key}: {fault}"
        for number in sorted(set(invoices) - set(delivered.values())):
            if "Approved in Airbase" in (invoices[number]["Text"] or ""):
                yield f"invoice {number} says that it was approved in Airbase, and no flow delivered that"


def _fault(request: Document, invoice: Document | None, state: str) -> str:
    if invoice is None:
        return "the ERP does not have its invoice"
    if invoice["ObjState"] != state:
        return f"its invoice is {invoice['ObjState']}, not {state}"
    if request["approver"]["name"] not in (invoice["Text"] or ""):
        return f"its invoice does not say that {request['approver']['name']} approved it"
    approved, payable = Decimal(request["total_amount"]), Decimal(str(invoice["GrossAmount"]))
    return "" if approved == payable else f"{approved} was approved, and {payable} is payable"
