"""How far an order has come: what was received or shipped of each line, and when the rest is due. Pure.

The ERP says it line by line. Quantities of two units are never one sum; where a quantity is not known nothing is said
of it, and a line's own state stands for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

import msgspec

from mlc_dagster.core.amounts import currency_decimals, proportion, round_half_up
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.vocabulary import plain
from mlc_dagster.systems.ifs.line_records import PurchaseOrderLine
from mlc_dagster.systems.ifs.receipt_records import Receipt
from mlc_dagster.systems.ifs.records import CustomerOrder, PurchaseOrder
from mlc_dagster.systems.shared.order_lines import is_ordered, is_sold, sum_of

NOTHING, PARTLY, MORE, NOT_SHOWN = "Not", "Partly", "More than ordered", "No receipt shown"
ENDED = frozenset({"Received", "Invoiced", "Closed"})
"""States of an order of which something was received."""

MOST = 1900
"""Characters of the text of all lines: what follows is counted. A long text of monday holds 2,000."""

ZERO = Decimal(0)


class LineProgress(msgspec.Struct, frozen=True, gc=False):
    """One line. `done`: received, or shipped; None: not known. `due`: promised, else planned, else wanted."""

    where: str  # "1/1"
    ordered: Decimal | None
    done: Decimal | None
    unit: str = ""
    state: str = ""
    due: date | None = None
    is_ordered: bool = True  # it is not cancelled
    amount: Decimal | None = None  # of what is ordered, as the ERP states it

    @property
    def is_open(self) -> bool:
        return self.is_ordered and (self.done is None or self.done < (self.ordered or Decimal(1)))

    def words(self, verb: str) -> str:
        """ "1/1 3 of 5 pcs received, 2026-12-01"."""
        unit = f" {self.unit}" if self.unit else ""
        if not self.is_ordered:
            return f"{self.where} {self.state or 'not ordered'}, {_text(self.done or ZERO)}{unit} {verb}"
        amount = f"{_text(self.ordered)}{unit}" if self.ordered is not None else ""
        known = f"{_text(self.done)} of {amount or '1'} {verb}" if self.done is not None else f"{amount} {self.state}"
        return ", ".join(filter(None, (f"{self.where} {known}".strip(), self.due.isoformat() if self.due else "")))


class Progress(msgspec.Struct, frozen=True, gc=False):
    """All lines of one order, those that are not ordered any more only where something came of them."""

    lines: tuple[LineProgress, ...]
    verb: str
    state: str = ""  # the order's own
    last: date | None = None  # the day of the last receipt

    @property
    def is_known(self) -> bool:
        return bool(self.lines) and all(line.done is not None for line in self.lines)

    @property
    def words(self) -> str:
        """Not, Partly or wholly received (shipped), or more than was ordered; empty where that is not known."""
        if not self.is_known:
            return ""
        done = [line.done or ZERO for line in self.lines]
        if any(amount > (line.ordered or Decimal(1)) for amount, line in zip(done, self.lines, strict=True)):
            return MORE
        if not any(done):
            is_hidden = self.verb == "received" and self.state in ENDED
            return NOT_SHOWN if is_hidden else f"{NOTHING} {self.verb}"
        return f"{PARTLY} {self.verb}" if any(line.is_open for line in self.lines) else self.verb.capitalize()

    @property
    def text(self) -> str:
        """A piece for each line, as many as fit."""
        pieces = [line.words(self.verb) for line in self.lines]
        kept, length = 0, 0
        while kept < len(pieces) and length + len(pieces[kept]) + 2 <= MOST:
            length, kept = length + len(pieces[kept]) + 2, kept + 1
        left = [f"and {len(pieces) - kept} more lines"] if kept < len(pieces) else []
        return "; ".join([*pieces[:kept], *left])

    def ordered(self) -> Decimal | None:
        """The quantity of all lines; None where they are of several units, or one has none."""
        return self._sum(line.ordered for line in self.lines if line.is_ordered)

    def done(self) -> Decimal | None:
        return self._sum(line.done for line in self.lines)

    def _sum(self, quantities: Iterable[Decimal | None]) -> Decimal | None:
        return sum_of(quantities) if len({line.unit for line in self.lines}) == 1 else None

    def due(self) -> date | None:
        """When the last line is due."""
        return max((line.due for line in self.lines if line.due and line.is_ordered), default=None)

    def due_next(self) -> date | None:
        """When the first line is due of which something is still to come."""
        return min((line.due for line in self.lines if line.due and line.is_open), default=None)

    def amount(self, decimals: int) -> Decimal | None:
        """What was received is worth, by the ERP's amounts of its lines; a line that came whole counts to the cent."""
        return sum_of(_worth(line, decimals) for line in self.lines)


def received(order: PurchaseOrder, facts: Facts) -> Progress:
    """Of a purchase order. Receipts that were taken back, and those of other documents, do not count."""
    counted = _by_line(order.receipts or ())
    lines = [
        _received(line, counted.get((line.line_no, line.release_no), []), order, facts)
        for line in sorted(order.lines, key=lambda line: (len(line.line_no), line.line_no, line.release_no))
    ]
    days = [each.arrival_date for each in order.receipts or () if each.counts and each.arrival_date]
    kept = tuple(line for line in lines if line.is_ordered or line.done)
    return Progress(kept, "received", order.obj_state or "", max(days, default=None))


def shipped(order: CustomerOrder, facts: Facts) -> Progress:
    """Of a customer order."""
    lines = tuple(
        LineProgress(
            f"{line.line_no}/{line.rel_no}",
            line.buy_qty_due,
            line.qty_shipped,
            line.sales_unit_meas or "",
            line.obj_state or "",
            line.promised_delivery_date or line.planned_delivery_date,
            is_sold(order, line, facts),
        )
        for line in order.lines
        if not line.line_item_no or line.line_item_no <= 0  # a package's components are shipped with it
    )
    return Progress(tuple(line for line in lines if line.is_ordered or line.done), "shipped", order.obj_state or "")


def received_amount(order: PurchaseOrder, progress: Progress, facts: Facts) -> Decimal | None:
    """What was received is worth in the order's currency; None where a line does not say."""
    return progress.amount(currency_decimals(order.currency_code, facts.companies.get(order.company or "")))


def summary(progress: Progress) -> str:
    """ "Released; partly received (1 of 2 lines); next 2026-12-01": how an order stands, in one line."""
    whole = sum(not line.is_open for line in progress.lines if line.is_ordered)
    words = progress.words
    if words.startswith(PARTLY):
        words = f"{words} ({whole} of {sum(line.is_ordered for line in progress.lines)} lines)"
    due = progress.due_next()
    return "; ".join(filter(None, (progress.state, words.lower(), f"next {due}" if due else "")))


def _by_line(receipts: Sequence[Receipt]) -> dict[tuple[str, str], list[Receipt]]:
    found = defaultdict(list)
    for receipt in receipts:
        if receipt.counts:
            found[receipt.source_ref2 or "", receipt.source_ref3 or ""].append(receipt)
    return found


def _received(line: PurchaseOrderLine, receipts: Sequence[Receipt], order: PurchaseOrder, facts: Facts) -> LineProgress:
    quantity = sum((each.source_qty_arrived or ZERO for each in receipts), ZERO)
    return LineProgress(
        f"{line.line_no}/{line.release_no}",
        line.buy_qty_due,
        None if order.receipts is None else quantity,
        line.buy_unit_meas or "",
        line.obj_state or "",
        line.promised_delivery_date or line.planned_receipt_date or line.wanted_delivery_date,
        is_ordered(order, line, facts),
        line.line_amount,
    )


def _worth(line: LineProgress, decimals: int) -> Decimal | None:
    if line.done is None or line.amount is None or not (line.ordered or not line.done):
        return None
    return round_half_up(proportion(line.amount, line.done, line.ordered), decimals) if line.ordered else ZERO


def _text(number: Decimal) -> str:
    return f"{plain(number):f}"


def unplaced(order: PurchaseOrder) -> Iterator[tuple[str, str]]:
    """(what it is about, why) of each receipt that is on no line of the order, or cannot be counted there."""
    lines = {(line.line_no, line.release_no): line for line in order.lines}
    for receipt in order.receipts or ():
        if why := _why_unplaced(receipt, lines):
            yield str(receipt.receipt_sequence), f"receipt {receipt.receipt_sequence} {why}"
    for place, some in _by_line(order.receipts or ()).items():
        if (total := sum((each.source_qty_arrived or ZERO for each in some), ZERO)) < 0:
            words = f"line {'/'.join(place)}: {_text(total)} were received in all: more was taken back than is shown"
            yield "/".join(place), f"{words}. Look at the receipts of the line in the ERP."


def _why_unplaced(receipt: Receipt, lines: dict[tuple[str, str], PurchaseOrderLine]) -> str:
    if receipt.is_unknown:
        where = "ifs.entity_sets.receipt_info_set.fields: {source_ref_type: SourceRefTypeDb}"
        return f"is of a document of the kind {receipt.source_ref_type!r}, and PURCHASE_ORDER was expected: {where}."
    if not receipt.counts:
        return ""
    line = lines.get((receipt.source_ref2 or "", receipt.source_ref3 or ""))
    if line is None:
        return f"is of line {receipt.source_ref2}/{receipt.source_ref3}, which the order does not have."
    if receipt.source_qty_arrived is None:
        return "says no quantity."
    unit = receipt.source_unit_meas
    if unit and line.buy_unit_meas and unit != line.buy_unit_meas:
        return f"is in {unit}, and line {line.line_no}/{line.release_no} was ordered in {line.buy_unit_meas}."
    return ""
