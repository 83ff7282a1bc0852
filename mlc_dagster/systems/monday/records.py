"""monday.com's items: what is sent, and what a sent item is compared by.

An item is a row of a board: a name, and cells. Each cell names its column as mlc.yaml does, by id or by title; which
type that column has is the board's business, and is looked up when the item is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Literal

from mlc_dagster.core.flows import DuplicateWording, Target
from mlc_dagster.core.vocabulary import Record

NAME_LENGTH = 255  # ItemNameTooLongException
TEXT_LENGTH = 2000  # of a long_text column; together the cells of an item have 64 KB
NOT_LINKED = "-"

Kind = Literal["text", "email", "amount", "date", "state", "codes", "link"]

LINKS: Mapping[str, str] = {"supplier": "suppliers", "account_links": "accounts"}
"""Field of mlc.yaml that links to items -> the flow on whose board they are."""

KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(LINKS, "link"),
    **dict.fromkeys(("receipt_state", "shipment_state"), "state"),
    **dict.fromkeys(("ordered_quantity", "received_quantity", "received_amount", "shipped_quantity"), "amount"),
    **dict.fromkeys(("received_on", "promised_date", "next_delivery"), "date"),
    "status": "state",
    "email": "email",
    **dict.fromkeys(("accounts", "departments"), "codes"),
    **dict.fromkeys(("amount", "net_amount", "vat_amount", "debit", "credit"), "amount"),
    **dict.fromkeys(("invoice_date", "due_date", "order_date", "delivery_date", "voucher_date"), "date"),
    **dict.fromkeys(("valid_from", "valid_until"), "date"),
}
"""Field of mlc.yaml -> its kind, where that is not text."""

PROGRESS = frozenset(
    {
        *("received", "receipt_state", "received_quantity", "received_amount", "received_on", "promised_date"),
        *("shipped", "shipment_state", "shipped_quantity", "ordered_quantity", "next_delivery"),
    }
)
"""Fields that tell how far an order has come: of the receipts and dates of its lines."""


class Cell(Record, frozen=True, kw_only=True):
    """One value. `values` is empty, one text, or several (codes); amounts are plain decimals, links are item ids."""

    field: str  # as mlc.yaml calls it: "amount"
    column: str  # id or title of the column
    kind: Kind
    values: tuple[str, ...] = ()
    board: str = ""  # of a link: the board that it points to


class Item(Record, frozen=True, kw_only=True):
    """An item of a board. `key` is the ERP's key, kept in the board's key column."""

    board: str  # id
    key: str
    name: str
    cells: tuple[Cell, ...] = ()
    supplier_no: str | None = None
    company: str | None = None  # the record's own, where no column of the board has it
    group: str = ""  # id of the one that a new item goes to, by its site; empty: the board's usual one

    @property
    def tells_progress(self) -> bool:
        return any(cell.field in PROGRESS for cell in self.cells)

    @property
    def supplier_id(self) -> str | None:
        """The supplier's item; where no column links to it or has its name, nothing can be missing."""
        found = [cell.values for cell in self.cells if cell.field in ("supplier", "supplier_name")]
        return NOT_LINKED if not found else next(iter(found[0]), None)

    @property
    def stated_total(self) -> Decimal | None:
        """What the item is worth, where its board has a column for that; of a journal entry its debit side."""
        text = self._cell("amount") or self._cell("debit")
        return Decimal(text) if text else None

    @property
    def currency(self) -> str | None:
        return self._cell("currency")

    def _cell(self, field: str) -> str | None:
        return next((cell.values[0] for cell in self.cells if cell.field == field and cell.values), None)

    def required(self) -> Iterator[tuple[str, object]]:
        yield "a name for the item", self.name

    def texts(self) -> Iterator[tuple[str, str | None, int]]:
        yield "the item's name", self.name, NAME_LENGTH
        yield "the key", self.key, NAME_LENGTH
        yield from ((cell.field, ", ".join(cell.values), TEXT_LENGTH) for cell in self.cells)


def _target(name: str, of: str, *, shares: bool = False) -> Target:
    """A hundred items are looked up in one request, and written in requests of twenty."""
    twice = DuplicateWording("monday", "items", f"IFS {of}", "Delete one of them.")
    return Target("monday", name, Item, batch=100, twice=twice, shares=shares)


INVOICES, PURCHASE_ORDERS = _target("invoices", "posting proposal"), _target("purchase_orders", "order")
JOURNAL_ENTRIES, CUSTOMER_ORDERS = _target("journal_entries", "voucher"), _target("customer_orders", "customer order")
SUPPLIERS, ACCOUNTS = _target("suppliers", "supplier", shares=True), _target("accounts", "account", shares=True)
