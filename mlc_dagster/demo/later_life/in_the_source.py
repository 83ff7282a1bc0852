"""What people do in a source to what was delivered from it: a payment voided, a line edited, an order deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar

from mlc_dagster.core.difference_kinds import GONE_IN_THE_SOURCE, TAKEN_BACK
from mlc_dagster.core.vocabulary import ERP, key_text
from mlc_dagster.demo.later_life.event import (
    AIRBASE_ORDERS,
    MONDAY_ORDERS,
    ORDER_FLOWS,
    ORDERS,
    PURCHASES,
    Books,
    Document,
    Outcome,
    Records,
    picked,
)

PAYMENTS, ACKNOWLEDGED = "ifs/vouchers_from_airbase_payments", "airbase/payments_acknowledged"
VOUCHER_KEYS = ("Company", "VoucherType", "AccountingYear", "VoucherNo")


@dataclass(frozen=True)
class PaymentVoided:
    """In Airbase, when its voucher is in the books already. By default nothing is written because of it."""

    key: str
    voucher: str
    amount: Decimal
    currency: str
    what: ClassVar[str] = "a payment is voided"
    where: ClassVar[str] = "Airbase"
    carried: ClassVar[Records] = ()

    @classmethod
    def happens(cls, books: Books) -> PaymentVoided:
        delivered = books.ledger.remote_ids(PAYMENTS)
        entries = {row["airbase_id"]: row for row in books.of("airbase")["ledger_entries"]}
        key = picked(sorted(delivered.keys() & entries.keys()), "payment with a voucher")
        books.place.control("POST", "airbase/change", {"kind": "ledger_entries", "id": key, "status": "voided"})
        row = entries[key]
        return cls(key, delivered[key], Decimal(row["total_amount"]), row["currency"]["iso_code"])

    @property
    def document(self) -> str:
        return f"payment {self.key}"

    @property
    def differs(self) -> Records:
        return ((PAYMENTS, self.key), (ACKNOWLEDGED, self.key))  # Airbase says it of both

    def judged(self, books: Books) -> Outcome:
        found = books.open(PAYMENTS, self.key, TAKEN_BACK)
        said = f"difference {TAKEN_BACK}: voucher {self.voucher} stands (on_taken_back: hold)"
        return Outcome(said, [*self._of_the_difference(found), *self._of_the_books(books)])

    def _of_the_difference(self, found: list[Any]) -> Iterator[str]:
        if len(found) != 1:
            yield f"{len(found)} differences say that it was taken back"
        for one in found:
            if (one.ours, Decimal(one.amount or 0), one.currency) != (self.voucher, self.amount, self.currency):
                yield f"the difference says {one.ours}, {one.amount} {one.currency}"

    def _of_the_books(self, books: Books) -> Iterator[str]:
        vouchers = books.of(ERP)["documents"]["VoucherSet"]
        mine = [row for row in vouchers if str(row["ExternalRef"] or "").endswith(self.key)]
        numbers = [key_text(*(row[name] for name in VOUCHER_KEYS)) for row in mine if row["ObjState"] != "Cancelled"]
        if numbers != [self.voucher]:
            yield f"IFS has {', '.join(numbers) or 'no voucher'} for it"
        for row in mine:
            if (there := -row["VoucherRows"][-1]["CurrencyAmount"]) != self.amount:
                yield f"its voucher says {there}"


@dataclass(frozen=True)
class LineEdited:
    """In the ERP: the line has a stamp of its own, and that of its header stays."""

    order: Document
    before: Decimal
    amount: Decimal
    currency: str
    what: ClassVar[str] = "an order line is edited"
    where: ClassVar[str] = "IFS"
    differs: ClassVar[Records] = ()
    carried: ClassVar[Records] = ()

    @classmethod
    def happens(cls, books: Books, taken: set[str]) -> LineEdited:
        order = books.orders()[picked(delivered_orders(books, taken), "order in Cin7, Airbase and monday.com")]
        first, *others = order["PurchaseOrderLines"]
        quantity = first["BuyQtyDue"] + 1
        edited = {**first, "BuyQtyDue": quantity, "LineAmount": quantity * first["BuyUnitPrice"]}
        edited["LastModified"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        total = order["TotalAmount"] + first["BuyUnitPrice"]
        books.place.control(
            "PUT", f"{ERP}/{ORDERS}", _row({**order, "PurchaseOrderLines": [edited, *others], "TotalAmount": total})
        )
        return cls(order, order["TotalAmount"], total, order["CurrencyCode"])

    @property
    def document(self) -> str:
        return f"order {self.order['OrderNo']}, {self.before:,} before"

    def judged(self, books: Books) -> Outcome:
        now = books.orders()[self.order["OrderNo"]]
        return Outcome(
            "delivered to Cin7, Airbase and monday.com", [*self._of_the_source(now), *_agrees(books, now, self.amount)]
        )

    def _of_the_source(self, now: Document) -> Iterator[str]:
        if (now["LastModified"], now["TotalAmount"]) != (self.order["LastModified"], self.amount):
            yield f"IFS says {now['TotalAmount']}, and its header is stamped {now['LastModified']}"


@dataclass(frozen=True)
class OrderDeleted:
    """In the ERP. What it became stays, and is told; nothing is deleted because of it, and nothing made again."""

    order: Document
    in_cin7: Decimal
    amount: Decimal
    currency: str
    what: ClassVar[str] = "an order is deleted"
    where: ClassVar[str] = "IFS"
    carried: ClassVar[Records] = ()

    @classmethod
    def happens(cls, books: Books, taken: set[str]) -> OrderDeleted:
        order = books.orders()[picked(delivered_orders(books, taken), "order in Cin7, Airbase and monday.com")]
        (purchase,) = books.purchases(order)
        books.place.control("DELETE", f"{ERP}/{ORDERS}", {"OrderNo": order["OrderNo"]})
        return cls(order, purchase["Order"]["Total"], order["TotalAmount"], order["CurrencyCode"])

    @property
    def document(self) -> str:
        return f"order {self.order['OrderNo']}"

    @property
    def differs(self) -> Records:
        return tuple((flow, self.order["OrderNo"]) for flow in ORDER_FLOWS)

    def judged(self, books: Books) -> Outcome:
        said = f"difference {GONE_IN_THE_SOURCE} of each: it stands in Cin7, Airbase and monday.com"
        return Outcome(said, [*self._of_the_differences(books), *_agrees(books, self.order, self.amount)])

    def _of_the_differences(self, books: Books) -> Iterator[str]:
        worths = {PURCHASES: self.in_cin7, AIRBASE_ORDERS: self.amount, MONDAY_ORDERS: self.amount}
        for flow, worth in worths.items():
            found = books.open(flow, self.order["OrderNo"], GONE_IN_THE_SOURCE)
            if [(Decimal(one.amount or 0), one.currency) for one in found] != [(worth, self.currency)]:
                told = ", ".join(f"{one.amount} {one.currency}" for one in found)
                yield f"{flow} says {told or 'nothing'} of it, and {worth} {self.currency} is at stake"


def delivered_orders(books: Books, taken: set[str]) -> Iterator[str]:
    """Those that stand in Cin7, Airbase and monday.com to the cent, and differ in nothing; each is taken once."""
    delivered = set.intersection(*(set(books.ledger.remote_ids(flow)) for flow in ORDER_FLOWS))
    for number in sorted((delivered & books.orders().keys()) - taken - books.differing()):
        if is_plain(books.orders()[number]) and not list(_agrees(books, books.orders()[number])):
            taken.add(number)
            yield number


def is_plain(order: Document) -> bool:
    """Whether its first line can be edited by a whole unit."""
    first = order["PurchaseOrderLines"][0]
    return bool(first["BuyQtyDue"] * first["BuyUnitPrice"] == first["LineAmount"])


def _agrees(books: Books, order: Document, amount: Decimal | None = None) -> Iterator[str]:
    """How Cin7, Airbase and monday.com do not have an order once, and to the cent: net, as the ERP says it."""
    wanted = order["TotalAmount"] if amount is None else amount
    in_cin7 = [row["Order"]["TotalBeforeTax"] for row in books.purchases(order)]
    in_airbase = [Decimal(row["total_amount"]) for row in books.airbase_orders(order["OrderNo"])]
    on_monday = [Decimal(str(item["Amount"])) for item in books.monday_orders(order) if item["Amount"]]
    for system, there in (("Cin7", in_cin7), ("Airbase", in_airbase), ("monday.com", on_monday)):
        if there != [wanted]:
            yield f"{system} has {', '.join(map(str, there)) or 'none'} of it, and {wanted} is right"


def _row(order: Document) -> dict[str, Any]:
    return {name: value for name, value in order.items() if not name.startswith("@")}
