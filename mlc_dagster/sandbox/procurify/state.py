"""What the sandboxed Procurify holds: vendors, purchase orders and bills over its reference data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlc_dagster.sandbox.procurify import documents as papers
from mlc_dagster.sandbox.procurify import whole_documents as whole
from mlc_dagster.sandbox.procurify.lines import Cost, Line
from mlc_dagster.sandbox.procurify.reference_data import Amount, Books, Row
from mlc_dagster.sandbox.procurify.vendors import blank, brief

_KEPT_BOOKS = ("currencies", "locations", "departments", "account_codes")
_BEFORE_VENDORS, _BEFORE_ORDERS, _BEFORE_BILLS = 80, 1000, 700


class Shelves:
    """Vendors and purchase orders by id, bills by their uuid without dashes."""

    def __init__(self) -> None:
        self.books = Books()
        self.vendors: dict[int, Row] = {}
        self.purchase_orders: dict[int, Row] = {}
        self.bills: dict[str, Row] = {}
        self._last_bill = _BEFORE_BILLS

    def put_vendor(self, fields: Row) -> Row:
        number = fields.pop("id", None) or max(self.vendors, default=_BEFORE_VENDORS) + 1
        given = papers.plain(fields)
        if isinstance(given.get("currency"), str):
            given["currency"] = self.books.currency(given["currency"])["id"]
        self.vendors[number] = {**blank(number), "name": f"Vendor {number}", **given}
        return self.vendors[number]

    def put_order(self, vendor: int | None, lines: Sequence[Line], currency: str | None, given: Row) -> Row:
        number = given.get("procurify_PO") or max(self.purchase_orders, default=_BEFORE_ORDERS) + 1
        buyer = self._vendor(vendor)
        money = currency or self._currency_of(buyer)
        self.purchase_orders[number] = papers.order(self.books, number, brief(buyer), lines, money, given)
        return self.purchase_orders[number]

    def put_bill(
        self,
        vendor: int | None,
        lines: Sequence[Line],
        costs: Sequence[Cost],
        shipping: Amount,
        currency: str | None,
        orders: Sequence[int],
        given: Row,
    ) -> str:
        number = given.get("id") or self._last_bill + 1
        biller = self._vendor(vendor)
        numbers = dict.fromkeys([*orders, *(line.po for line in lines if line.po)])
        covered = {each: self.purchase_orders[each] for each in numbers}
        money = currency or self._currency_of(biller)
        bill = papers.bill(self.books, number, brief(biller), lines, costs, shipping, money, covered, given)
        self._last_bill = max(self._last_bill, number)
        key: str = bill["uuid"].replace("-", "")
        self.bills[key] = bill
        return key

    def _vendor(self, number: int | None) -> Row:
        if number is None:
            return next(iter(self.vendors.values()), None) or self.put_vendor({"name": "Acme Tools"})
        return self.vendors[number]

    def _currency_of(self, vendor: Row) -> str:
        names = (row["name"] for row in self.books.currencies.values() if row["id"] == vendor["currency"])
        return str(next(names, None) or self.books.base_currency["name"])

    # --- as they are answered ---

    def shown(self, paper: Row) -> Row:
        """A bill or a purchase order with its vendor as it is today."""
        name = "pref_vendor" if "pref_vendor" in paper else "vendor"
        known = self.vendors.get((paper[name] or {}).get("id", 0))
        return {**paper, name: brief(known)} if known else dict(paper)

    def bill_row(self, bill: Row) -> Row:
        """A bill as the list has it: its items are ids."""
        left_out = ("costs", "bill_statuses", "added_purchase_orders", "invoice_attachments")
        row = {name: value for name, value in self.shown(bill).items() if name not in left_out}
        return whole.listed_bill({**row, "items": [item["id"] for item in bill["items"]]})

    def order_row(self, order: Row) -> Row:
        return whole.order({name: value for name, value in self.shown(order).items() if name != "order_items"})

    def order_of(self, which: str) -> Row | None:
        """By its number, or its uuid with dashes or without."""
        if which.isascii() and which.isdigit() and int(which) in self.purchase_orders:
            return self.purchase_orders[int(which)]
        wanted = which.replace("-", "").lower()
        orders = self.purchase_orders.values()
        return next((order for order in orders if order["uuid"].replace("-", "") == wanted), None)

    # --- across restarts ---

    def kept(self) -> dict[str, Any]:
        books = {name: list(getattr(self.books, name).values()) for name in _KEPT_BOOKS}
        papers_kept = {name: list(getattr(self, name).values()) for name in ("vendors", "purchase_orders", "bills")}
        return {**papers_kept, **books}

    def recall(self, kept: dict[str, Any]) -> None:
        for name in _KEPT_BOOKS:
            key = "code" if name == "account_codes" else "name"
            setattr(self.books, name, {row[key]: row for row in kept[name]})
        self.vendors = {row["id"]: row for row in kept["vendors"]}
        self.purchase_orders = {row["procurify_PO"]: row for row in kept["purchase_orders"]}
        self.bills = {row["uuid"].replace("-", ""): row for row in kept["bills"]}
        self._last_bill = max((row["id"] for row in kept["bills"]), default=_BEFORE_BILLS)
