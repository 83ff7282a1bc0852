"""What is written and looked up in the ERP, and not read day by day."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from mlc_dagster.core.vocabulary import Record
from mlc_dagster.systems.ifs.line_records import SupplierInvoiceLine


class SupplierInvoice(Record, frozen=True, kw_only=True):
    """A supplier invoice of the ERP, as it is looked up before one is entered."""

    company: str
    invoice_id: int
    invoice_no: str | None = None
    supplier_id: str | None = None
    invoice_date: date | None = None
    due_date: date | None = None
    currency_code: str | None = None
    net_amount: Decimal | None = None
    vat_amount: Decimal | None = None
    gross_amount: Decimal | None = None
    po_reference: str | None = None
    external_ref: str | None = None
    text: str | None = None
    obj_state: str | None = None
    last_modified: datetime | None = None
    lines: tuple[SupplierInvoiceLine, ...] = ()
