"""Which products of an order an invoice is for: Cin7 takes the cost of goods from an invoice's product lines alone.

An invoice that names goods only as additional charges leaves them in stock at no cost (measured on a real account).
IFS's proposals name accounts, amounts and no parts, so each row is matched with the lines of its order in Cin7: by the
account that stands in their comment, and by the amount. What cannot be told is held, never guessed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from mlc_dagster.core.amounts import STEPS, proportion, round_to
from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.systems.cin7.api import Document
from mlc_dagster.systems.cin7.records import CENT, QUANTITY_DECIMALS, ZERO, Charge, PurchaseInvoice, line_total

OURS, ACCOUNT, TEXT = "IFS ", " account ", ": "
"""Of a line's comment: "IFS 0010/P100311 1/1 account 4010: Service"."""


@dataclass(frozen=True)
class InvoicedProduct:
    """A quantity of a product as the invoice takes it, on the account of the ERP's row."""

    line: Document  # of the order in Cin7
    row: Charge  # of the ERP's invoice
    quantity: Decimal
    total: Decimal  # before tax
    tax: Decimal


@dataclass
class _OrderLine:
    """A product line of the order, and how much of it nobody has invoiced yet."""

    line: Document
    left: Decimal
    account: str | None

    @property
    def amount(self) -> Decimal:
        return self.amount_of(self.left)

    def amount_of(self, quantity: Decimal) -> Decimal:
        return line_total(quantity, Decimal(self.line["Price"]), Decimal(self.line.get("Discount") or 0))


@dataclass
class Allocation:
    """The rows of an invoice: those that are products of its order, and those that are none."""

    products: list[InvoicedProduct] = field(default_factory=list)
    charges: list[Charge] = field(default_factory=list)


def allocate(document: PurchaseInvoice, purchase: Document, others: Sequence[Document]) -> Allocation:
    """Each row of the invoice on the products that it is for. `others`: the other invoices of the purchase, not voided.

    Raises RecordRejected where it cannot be told which products a row is for.
    """
    order = purchase.get("Order") or {}
    if document.as_charges or not order.get("Lines"):
        return Allocation(charges=list(document.charges))
    found, matching = Allocation(), _Matching(document, purchase, _left(order["Lines"], others))
    for row in document.charges:
        if taken := matching.products_of(row):
            found.products += _shares(row, taken)
        else:
            found.charges.append(row)
    if not found.products and any(line.left for line in matching.lines):
        raise matching.untold(document.charges[0])
    return found


def _left(lines: Iterable[Document], others: Sequence[Document]) -> list[_OrderLine]:
    """The order's lines, less what other invoices took, product by product."""
    taken: Counter[str] = Counter()
    for invoice in others:
        for line in invoice.get("Lines") or ():
            taken[str(line["ProductID"]).casefold()] += Decimal(line["Quantity"])  # type: ignore[assignment]
    found = []
    for line in lines:
        product, ordered = str(line["ProductID"]).casefold(), Decimal(line["Quantity"])
        gone = min(ordered, Decimal(taken[product]))
        taken[product] -= gone  # type: ignore[assignment]
        account = _account(line.get("Comment"))
        found.append(_OrderLine(line, ordered - gone, account))
    return found


def _account(comment: str | None) -> str | None:
    """None where the comment is not of our making."""
    head, _, rest = str(comment or "").strip().partition(ACCOUNT)
    account = rest.partition(TEXT)[0]
    is_ours = head.startswith(OURS) and head != OURS and account and not any(map(str.isspace, account))
    return account if is_ours else None


class _Matching:
    """Takes the order's lines one after the other, as the rows of an invoice claim them."""

    def __init__(self, document: PurchaseInvoice, purchase: Document, lines: list[_OrderLine]) -> None:
        self.lines, self._document, self._number = lines, document, purchase.get("OrderNumber")
        services = (purchase.get("Order") or {}).get("AdditionalCharges") or ()
        self._services = Counter((_account(each.get("Reference")), Decimal(each["Total"])) for each in services)
        self._rows = Counter((row.account, row.price) for row in document.charges)

    def products_of(self, row: Charge) -> list[tuple[_OrderLine, Decimal]]:
        """(line, quantity) of what the row is for; empty where it is no product. Raises RecordRejected."""
        amount = row.price or ZERO
        on_account = [line for line in self.lines if line.account == row.account]
        open_lines = [line for line in on_account if line.left]
        unnamed = [line for line in self.lines if line.account is None and line.left]
        taken = self._whole(row, amount, open_lines) or self._whole(row, amount, unnamed) or _part(amount, open_lines)
        if not taken:
            self._refuse_unlike(row, amount, on_account)
        self._rows[row.account, row.price] -= 1
        for line, quantity in taken:
            line.left -= quantity
        return taken

    def _whole(self, row: Charge, amount: Decimal, lines: Sequence[_OrderLine]) -> list[tuple[_OrderLine, Decimal]]:
        """One line that is all that the row says, or all lines where the row is their sum."""
        equal = [line for line in lines if line.amount == amount]
        if len(equal) > 1 and self._rows[row.account, row.price] < len(equal):
            equal = [line for line in equal if _is_named(line.line, f"{row.description} {row.comment}")]
            if len(equal) != 1:
                raise self.untold(row)
        if equal:
            return [(equal[0], equal[0].left)]
        is_sum = bool(lines) and sum((line.amount for line in lines), ZERO) == amount
        return [(line, line.left) for line in lines] if is_sum else []

    def _refuse_unlike(self, row: Charge, amount: Decimal, on_account: Sequence[_OrderLine]) -> None:
        """On an account of the order's products, and unlike all of them: another price, or invoiced before."""
        service = self._services[row.account, amount]
        if service:
            self._services[row.account, amount] -= 1
        elif on_account:
            raise self.untold(row)

    def untold(self, row: Charge) -> RecordRejected:
        there = "; ".join(f"{line.left} {line.line.get('SKU')} of {line.amount}" for line in self.lines if line.left)
        return RecordRejected(
            f"{row.where} of invoice {self._document.invoice_number} is {row.price} on account {row.account}, and "
            f"cannot be told apart by the products of {self._number} that are not invoiced yet: {there or 'none'}. As "
            "an additional charge it would leave goods without cost. Bring the order's price in IFS in line with the "
            "invoice, or enter the invoice in Cin7 by hand and discard this hold; cin7.invoice_lines: charges in "
            "mlc.yaml sends all invoices as charges."
        )


def _part(amount: Decimal, lines: Sequence[_OrderLine]) -> list[tuple[_OrderLine, Decimal]]:
    """A part of the only line there is: as many at the order's price as make the amount to the cent. Whole ones where
    whole ones were ordered.
    """
    if len(lines) != 1 or not lines[0].amount:
        return []
    line = lines[0]
    quantity = round_to(proportion(line.left, amount, line.amount), STEPS[QUANTITY_DECIMALS])
    is_whole = quantity == quantity.to_integral_value()
    ordered_whole = Decimal(line.line["Quantity"]) % 1 == 0
    fits = 1 <= quantity < line.left and line.amount_of(quantity) == amount and (is_whole or not ordered_whole)
    return [(line, quantity)] if fits else []


def _is_named(line: Document, text: str) -> bool:
    return any(re.search(rf"(?<!\w){re.escape(str(name))}(?!\w)", text) for name in (line["SKU"], line["Name"]))


def _shares(row: Charge, taken: Sequence[tuple[_OrderLine, Decimal]]) -> list[InvoicedProduct]:
    """The row's tax on its products by their amounts; what rounding leaves goes to the last."""
    whole, rest, found = row.price or ZERO, row.tax, []
    for place, (line, quantity) in enumerate(taken, 1):
        total = line.amount_of(quantity)
        tax = rest if place == len(taken) else round_to(proportion(row.tax, total, whole), CENT) if whole else ZERO
        rest -= tax
        found.append(InvoicedProduct(line.line, row, quantity, total, tax))
    return found


def body_of(product: InvoicedProduct) -> Mapping[str, object]:
    """The product as an invoice line, without its total: that may or may not hold the tax."""
    line, row = product.line, product.row
    return {
        "ProductID": line["ProductID"],
        "SKU": line["SKU"],
        "Name": line["Name"],
        "Quantity": product.quantity,
        "Price": Decimal(line["Price"]),
        "Discount": Decimal(line.get("Discount") or 0),
        "Tax": product.tax,
        "TaxRule": row.tax_rule,
        "Account": row.account,
        "Comment": row.comment,
    }
