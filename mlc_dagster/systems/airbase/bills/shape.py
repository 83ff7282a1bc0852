"""What a tenant's bill looks like: a body to send, and what is read back, each field at its dotted path. Pure.

Nobody has published how bills are written by Airbase's API, or whether they can be: the paths here are ours, in the
style of its ledger entries, and mlc.yaml corrects them (airbase.bill_fields). An empty path: this tenant
has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from mlc_dagster.core.outcomes import Shown, Worth
from mlc_dagster.core.shown_values import Value, value_of
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.systems.airbase.api import Document, amount_of, id_of, reference_of
from mlc_dagster.systems.airbase.bills.records import Bill, BillLine
from mlc_dagster.systems.airbase.spend.fields import value_at

BILL: Mapping[str, str] = {
    "invoice_number": "invoice_number",
    "vendor": "vendor.airbase_id",
    "purchase_order": "purchase_order.airbase_id",
    "subsidiary": "subsidiary.erp_reference_id",
    "currency": "currency.iso_code",
    "invoice_date": "entry_date",
    "due_date": "due_date",
    "total_amount": "total_amount",
    "state": "",  # the ERP's own word for it
    "notes": "notes",
    "lines": "expense_list",
    "line_key": "erp_reference_id",
    "line_number": "line_number",
    "line_description": "description",
    "line_amount": "amount",
    "line_account": "account.erp_reference_id",
}
NEEDED = ("invoice_number", "vendor", "currency", "total_amount", "lines", "line_amount")
ZERO = Decimal(0)
TAX = "/tax"
"""How the key of a tax line ends."""
_AMOUNTS = frozenset({"total_amount", "line_amount"})
_DATES = frozenset({"invoice_date", "due_date"})


@dataclass(frozen=True)
class BillShape:
    """`own`: our field -> path, where it differs; `constants`: members of a new bill that are always the same."""

    own: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str | bool] = field(default_factory=dict)

    def path(self, name: str) -> str:
        return self.own.get(name, BILL[name])

    def body(self, bill: Bill, theirs: Document | None) -> dict[str, Any]:
        """The bill with all its lines. Its constants are set once: afterwards they are Airbase's business."""
        body: dict[str, Any] = {"erp_reference_id": bill.key}
        for name, value in _values(bill):
            _put(body, self.path(name), value)
        if path := self.path("lines"):
            _put(body, path, [self._line(line, bill.decimals) for line in bill.lines])
        if theirs is not None and not bill.order_no and self.order(theirs):
            body[self.path("purchase_order").split(".")[0]] = None
        return body if theirs is not None else {**self.constants, **body}

    def _line(self, line: BillLine, decimals: int) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for name, value in _line_values(line, decimals):
            _put(body, self.path(name), value)
        return body

    # --- as it was sent, and as it is shown ---------------------------------------------------------------------------

    def expected(self, bill: Bill) -> Shown:
        lines = {
            f"{self._row(place)}.{self.path(name)}": _typed(name, value)
            for place, line in enumerate(bill.lines, 1)
            for name, value in _line_values(line, bill.decimals)
            if self.path(name)
        }
        flat = {self.path(name): _typed(name, value) for name, value in _values(bill) if self.path(name)}
        return {"erp_reference_id": bill.key, **flat, self.path("lines"): Decimal(len(bill.lines)), **lines}

    def shown(self, row: Document) -> Shown:
        """Lines by their place: bills of Airbase have no key of ours in their lines everywhere."""
        rows = value_at(row, self.path("lines")) or ()
        lines = {
            f"{self._row(place)}.{path}": _typed(name, value_at(line, path))
            for place, line in enumerate(rows, 1)
            for name in BILL
            if name.startswith("line_") and (path := self.path(name)) and _has(line, path)
        }
        names = [name for name in BILL if name != "lines" and not name.startswith("line_") and self.path(name)]
        flat = {self.path(name): _typed(name, value_at(row, self.path(name))) for name in names}
        return {
            "erp_reference_id": reference_of(row) or None,
            **flat,
            self.path("lines"): Decimal(len(rows)),
            **lines,
        }

    def _row(self, place: int) -> str:
        return f"{self.path('lines')}[{place}]"

    def worth(self, values: Shown) -> Worth:
        total, currency = values.get(self.path("total_amount")), values.get(self.path("currency"))
        company = values.get(self.path("subsidiary"))
        return Worth(str(company or ""), total if isinstance(total, Decimal) else None, str(currency or ""))

    # --- which one it is ----------------------------------------------------------------------------------------------

    def identity(self, row: Document) -> str:
        """What a person would take for one bill: vendor and number, in any case; empty where one is not told."""
        return same_bill(value_at(row, self.path("vendor")), value_at(row, self.path("invoice_number")))

    def total(self, row: Document) -> Decimal | None:
        return amount_of(value_at(row, self.path("total_amount")))

    def net(self, row: Document) -> Decimal:
        """Its total without the tax that we sent as a line of its own; of another's bill the whole of it."""
        key, amount = self.path("line_key"), self.path("line_amount")
        rows = value_at(row, self.path("lines")) or () if key else ()
        taxes = [line for line in rows if str(value_at(line, key) or "").endswith(TAX)]
        return (self.total(row) or Decimal(0)) - sum((amount_of(value_at(x, amount)) or ZERO for x in taxes), ZERO)

    def currency(self, row: Document) -> str:
        return str(value_at(row, self.path("currency")) or "")

    def order(self, row: Document) -> str:
        """Airbase's id of the order that it stands beside; empty where it says none."""
        path = self.path("purchase_order")
        return str(value_at(row, path) or "") if path else ""


def same_bill(vendor: object, number: object) -> str:
    name = " ".join(str(number or "").split()).casefold()
    return key_text(vendor, name) if vendor and name else ""


def _values(bill: Bill) -> Iterator[tuple[str, Any]]:
    """What is None is left out: Airbase keeps its own."""
    given = {
        "invoice_number": bill.invoice_number,
        "vendor": bill.supplier_id,
        "purchase_order": bill.purchase_id,
        "subsidiary": bill.subsidiary or None,
        "currency": bill.currency,
        "invoice_date": bill.invoice_date.isoformat() if bill.invoice_date else None,
        "due_date": bill.due_date.isoformat() if bill.due_date else None,
        "total_amount": bill.total(),
        "state": bill.state,
        "notes": bill.remark or "",
    }
    yield from ((name, value) for name, value in given.items() if value is not None)


def _line_values(line: BillLine, decimals: int) -> Iterator[tuple[str, Any]]:
    yield "line_key", line.key
    yield "line_number", line.number
    yield "line_description", line.description
    yield "line_amount", line.total(decimals)
    if line.account:
        yield "line_account", line.account


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    if path:
        *above, last = path.split(".")
        for name in above:
            body = body.setdefault(name, {})
        body[last] = value


def _has(line: Any, path: str) -> bool:
    return isinstance(line, Mapping) and path.split(".")[0] in line


def _typed(name: str, value: Any) -> Value:
    if name in _AMOUNTS and (found := amount_of(value)) is not None:
        return found
    return str(value)[:10] if name in _DATES and value else value_of(value)


def named(row: Document) -> str:
    """How a bill is named to a person: its id, and its link where there is one."""
    link = str(row.get("airbase_url") or "")
    return f"bill {id_of(row)}{f' ({link})' if link else ''}"
