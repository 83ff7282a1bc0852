"""What leads a supplier invoice of the ERP from one state to another, because somebody approved it elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from mlc_dagster.core.flows import Target
from mlc_dagster.core.vocabulary import ERP, Record
from mlc_dagster.systems.ifs.entry_records import NUMBER, TEXT

NOT_PAYABLE = frozenset(
    {"AwaitingApproval", "NotApproved", "PartlyApproved", "Preliminary", "PrelPosted", "Unbalanced"}
)
"""States in which an invoice is certainly not paid (facts/ifs-tenants.md, 3.10). Any other one may be: authorised,
posted, or one that a tenant has made for itself.
"""


class InvoiceState(Record, frozen=True, kw_only=True):
    """Which invoice, in which state it must be found, and to which it is led."""

    external_ref: str  # Flow.marks, and the key of what was approved
    company: str
    supplier_id: str | None
    invoice_no: str | None
    amount: Decimal | None  # that was approved: what is payable, or that without tax
    currency: str | None
    from_state: str
    to_state: str
    text: str = ""  # who approved it, and when: it is added to the invoice's own

    def required(self) -> Iterator[tuple[str, object]]:
        yield "amount", self.amount
        yield "currency", self.currency

    def texts(self) -> Iterator[tuple[str, str | None, int]]:
        yield "text", self.text, TEXT
        yield "invoice number", self.invoice_no, NUMBER


INVOICE_STATES = Target(ERP, "invoice_states", InvoiceState, batch=5)
