"""Purchase orders, with their lines and with what was received of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from mlc_dagster.core.vocabulary import Record
from mlc_dagster.rules.dates import DUE_AHEAD, Dated
from mlc_dagster.systems.ifs.line_records import Posting, PurchaseOrderLine
from mlc_dagster.systems.ifs.receipt_records import Receipt


class PurchaseOrder(Record, frozen=True, kw_only=True):
    """Purchase orders of the ERP, with lines, that were created or changed on a day: supplier, site, currency and
    rate, quantities, prices, tax codes, GL account and dimensions of each line.
    """

    order_no: str
    company: str | None = None
    contract: str | None = None  # the site
    vendor_no: str | None = None  # a SupplierId
    order_date: date | None = None
    wanted_receipt_date: date | None = None
    currency_code: str | None = None
    currency_rate: Decimal | None = None
    buyer_code: str | None = None
    total_amount: Decimal | None = None
    notes: str | None = None
    obj_state: str | None = None
    last_modified: datetime | None = None
    lines: tuple[PurchaseOrderLine, ...] = ()
    receipts: tuple[Receipt, ...] | None = None  # None: this tenant's are not read

    def dates(self) -> Iterator[Dated]:
        yield Dated("OrderDate", self.order_date)
        yield Dated("WantedReceiptDate", self.wanted_receipt_date, DUE_AHEAD)

    def postings(self) -> Iterator[Posting]:
        """The lines that name an account. A line that is received into stock has none, and that is no fault."""
        for line in self.lines:
            if line.account:
                company = line.company or self.company or ""
                yield Posting(company, line.account, self.order_date, f"{line.line_no}/{line.release_no}")
