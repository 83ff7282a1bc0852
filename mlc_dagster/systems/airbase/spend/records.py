"""What was spent in Airbase, as it is read: approved purchase requests and ledger entries; and what is written back.

Records hold what enters the ERP's books, and nothing else: what changes in Airbase beside it changes no voucher.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal

from mlc_dagster.core.flows import Target
from mlc_dagster.core.vocabulary import EntitySet, Record
from mlc_dagster.rules.dates import DUE_AHEAD, Dated


class Tag(Record, frozen=True, kw_only=True):
    """A dimension of a line: a department, a project."""

    group: str | None = None
    code: str | None = None  # erp_reference_id
    name: str | None = None


class SpendLine(Record, frozen=True, kw_only=True):
    """An amount in the document's currency; without an account, that of the purchase type counts."""

    number: int | None = None
    description: str | None = None
    amount: Decimal | None = None
    account: str | None = None  # erp_reference_id
    tags: tuple[Tag, ...] = ()
    amortization_start: date | None = None  # of ledger entries: the days over which it becomes an expense
    amortization_end: date | None = None


class Spend(Record, frozen=True, kw_only=True):
    """What requests and payments have in common."""

    id: str
    status: str | None = None
    erp_reference_id: str | None = None  # the voucher's, once it was acknowledged
    supplier: str | None = None  # erp_reference_id of the vendor: the ERP's number of it
    subsidiary: str | None = None
    currency: str | None = None
    total_amount: Decimal | None = None
    subsidiary_amount: Decimal | None = None  # the total in the currency of the subsidiary
    subsidiary_currency: str | None = None
    tags: tuple[Tag, ...] = ()  # of every line that has none of the group
    lines: tuple[SpendLine, ...] = ()


class PurchaseRequest(Spend, frozen=True, kw_only=True):
    """Purchase requests that were approved in Airbase, with their lines: amounts, accounts and departments, on the day
    on which this state of them was first seen.
    """

    number: str | None = None
    purchase_type: str | None = None
    invoice_number: str | None = None  # of the document that was approved, where there is one
    approved_by: str | None = None
    approved_date: date | None = None
    approved_at: datetime | None = None  # where Airbase tells a moment, with its zone

    def dated_at(self) -> datetime | None:
        return self.approved_at

    def dates(self) -> Iterator[Dated]:
        yield Dated("the day of approval", self.approved_date)


class Payment(Spend, frozen=True, kw_only=True):
    """Payments and other ledger entries of Airbase that wait for the ERP, with their lines and bank account, on the day
    on which this state of them was first seen.
    """

    type: str | None = None
    entry_date: date | None = None
    payment_entry_date: date | None = None
    invoice_number: str | None = None
    bank_account: str | None = None  # erp_reference_id
    bank_name: str | None = None
    ap_account: str | None = None  # erp_reference_id
    applied_to: tuple[str, ...] = ()  # ids of the entries that it pays
    settlement_amount: Decimal | None = None  # what left the bank
    settlement_currency: str | None = None
    amortization_account: str | None = None  # erp_reference_id
    amortization_start: date | None = None  # of lines without days of their own
    amortization_end: date | None = None
    entry_at: datetime | None = None  # where Airbase tells moments, with their zone
    payment_entry_at: datetime | None = None

    def dated_at(self) -> datetime | None:
        return self.payment_entry_at if self.payment_entry_date else self.entry_at

    def dates(self) -> Iterator[Dated]:
        yield Dated("the entry's date", self.entry_date)
        yield Dated("the day of payment", self.payment_entry_date)
        spans = [(self.amortization_start, self.amortization_end)]
        for start, end in [*spans, *((line.amortization_start, line.amortization_end) for line in self.lines)]:
            yield Dated("the end of the amortization", end, DUE_AHEAD, ("its start", start))


class AcknowledgementField(Record, frozen=True, kw_only=True):
    """A field of an acknowledgement."""

    name: str
    text: str


class Acknowledgement(Record, frozen=True, kw_only=True):
    """Word to Airbase that the ledger has a request or a payment, under which voucher."""

    key: str  # Airbase's id
    of: str  # "purchase_requests" or "ledger_entries"
    voucher: str | None  # None: the ledger does not have it yet
    fields: tuple[AcknowledgementField, ...] = ()
    content: str = ""  # of what failed: a fingerprint of it, so that another content is told anew

    def body(self) -> dict[str, str | None]:
        """Field -> what it becomes; an empty text is null, as who writes to Airbase in public has it."""
        return {field.name: field.text or None for field in self.fields}

    def texts(self) -> Iterator[tuple[str, str | None, int]]:
        for field in self.fields:
            yield field.name, field.text, 255


def _list(name: str, path: str, record: type[Record]) -> EntitySet:
    description = " ".join((record.__doc__ or "").split())
    return EntitySet("airbase", name, "", path, record, ("id",), modified=None, delta="sweep", description=description)


PURCHASE_REQUESTS = _list("purchase_request_list", "purchase_requests", PurchaseRequest)
PAYMENTS = _list("payment_list", "ledger_entries", Payment)
ACKNOWLEDGEMENTS = Target("airbase", "acknowledgements", Acknowledgement, batch=20, shares=True)
