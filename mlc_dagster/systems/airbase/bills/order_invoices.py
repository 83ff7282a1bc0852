"""What is invoiced on an order, where Airbase's API takes no bills: a line of text for each invoice, and a sum."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any, NamedTuple

from mlc_dagster.core.amounts import round_half_up
from mlc_dagster.core.errors import OutcomeUnknown, RecordRejected, StaleRecord
from mlc_dagster.core.outcomes import Delivered, Draft, Outcome, Refused, Saved, Seen, Shown, Unanswered
from mlc_dagster.core.vocabulary import key_parts, key_text
from mlc_dagster.systems.airbase.api import AirbaseApi, Document, covers, id_of
from mlc_dagster.systems.airbase.bills.bill_writer import beyond
from mlc_dagster.systems.airbase.bills.records import OrderInvoice
from mlc_dagster.systems.airbase.bills.settings import OrderInvoiceFields
from mlc_dagster.systems.airbase.records import LONG_TEXT
from mlc_dagster.systems.airbase.writing.read_back import ended
from mlc_dagster.systems.airbase.writing.record_index import RecordIndex
from mlc_dagster.systems.shared.cancelled_documents import WasDeletedError
from mlc_dagster.systems.shared.saving import rule_of


class Line(NamedTuple):
    """An invoice in the text field of its order: `0010/77 F-1: 125.00 SEK, net 100.00, Posted`."""

    key: str
    number: str
    amount: Decimal
    currency: str
    net: Decimal
    state: str
    counts: bool

    def text(self) -> str:
        key = self.key.replace(" ", "%20")
        mark = "" if self.counts else "not counted: "
        return f"{key} {self.number}: {mark}{self.amount:f} {self.currency}, net {self.net:f}, {self.state}"


_LINE = re.compile(
    r"(?P<key>\S+) (?P<number>.*?): (?P<not>not counted: )?(?P<amount>-?\d+(?:\.\d+)?) (?P<currency>\S+), "
    r"net (?P<net>-?\d+(?:\.\d+)?), (?P<state>.*)"
)


def lines_in(text: object) -> dict[str, Line]:
    """Key -> invoice. Raises RecordRejected for a line that is none of ours."""
    found: dict[str, Line] = {}
    for each in str(text or "").splitlines():
        match = _LINE.fullmatch(each.strip())
        if each.strip() and match is None:
            raise RecordRejected(f"found {each.strip()[:80]!r}")
        if match:
            key, number, state = match["key"].replace("%20", " "), match["number"], match["state"]
            amount, net = Decimal(match["amount"]), Decimal(match["net"])
            found[key] = Line(key, number, amount, match["currency"], net, state, not match["not"])
    return found


class OrderInvoiceWriter:
    """Each invoice as a line of its order's text field; the sum is that of the lines that are there."""

    def __init__(self, api: AirbaseApi, orders: RecordIndex, fields: OrderInvoiceFields | None) -> None:
        self._api, self._orders, self._fields = api, orders, fields

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]:
        """One outcome for each draft. Raises AccessDenied, Misconfigured, TransientError for those not yet answered."""
        self._orders.invalidate()  # what others wrote into the field since is not written over
        self._orders.refresh({draft.record.order_no for draft in drafts}, None)
        for draft in drafts:
            try:
                yield self._saved(draft)
            except (RecordRejected, StaleRecord) as error:
                yield Refused(draft, error.message, rule_of(error))
            except OutcomeUnknown as error:
                yield Unanswered(draft, error.message)

    def _saved(self, draft: Draft) -> Outcome:
        record: OrderInvoice = draft.record
        order = self._order(record)
        there = self._lines(order)
        if draft.was_delivered and self._is_on(draft, order) and record.key not in there and not draft.anew:
            raise WasDeletedError(
                f"Invoice {record.invoice_number} was taken off order {record.order_no} in Airbase. Have it put there "
                "again by releasing this hold, or discard it."
            )
        self._take_off_another(draft, order)
        lines = {**there, record.key: _line_of(record)}
        body = self._body(lines)
        if covers(order, body):
            return self._told(draft, order, lines, "adopted")
        answer = self._api.patch(f"{self._orders.path}{id_of(order)}/", body)
        now = answer if isinstance(answer, Mapping) and covers(answer, body) else self._read_again(record)
        self._orders.keep({**order, **now})
        if lost := [name for name, value in body.items() if not covers(now.get(name), value)]:
            raise RecordRejected(
                f"Airbase took what is invoiced on order {record.order_no} and did not keep {', '.join(lost)}. Name "
                "fields that its orders have in airbase.order_invoices."
            )
        return self._told(draft, now, lines, "updated" if draft.was_delivered else "created")

    def _is_on(self, draft: Draft, order: Document) -> bool:
        return key_parts(draft.remote_id or "", 2)[0] in ("", id_of(order))

    def _take_off_another(self, draft: Draft, order: Document) -> None:
        """An invoice that names another order by now stands on the first one no more."""
        if self._is_on(draft, order):
            return
        before = self._orders.with_id(key_parts(draft.remote_id or "", 2)[0])
        if before is None:
            return
        lines = {key: line for key, line in self._lines(before).items() if key != draft.key}
        if not covers(before, body := self._body(lines)):
            self._api.patch(f"{self._orders.path}{id_of(before)}/", body)

    def _order(self, record: OrderInvoice) -> Document:
        order = self._orders.with_id(record.purchase_id)
        if order is None:
            raise WasDeletedError(
                f"Airbase does not have order {record.order_no} any more ({record.purchase_id}). Restore it there, or "
                "discard this hold."
            )
        if state := ended(order):
            raise RecordRejected(f"Order {record.order_no} is {state} in Airbase, and IFS has an invoice of it.")
        currency = str((order.get("currency") or {}).get("iso_code") or record.currency)
        if currency != record.currency:
            raise RecordRejected(
                f"Order {record.order_no} is in {currency} in Airbase, and the invoice in {record.currency}: they make "
                "no sum. Enter it there by hand, and discard this hold."
            )
        return order

    def _lines(self, order: Document) -> dict[str, Line]:
        assert self._fields is not None, "the flow is off without them"
        name = self._fields.invoices
        try:
            return lines_in(order.get(name))
        except RecordRejected as error:
            raise RecordRejected(
                f"{name} of order {id_of(order)} holds what we did not write: {error.message}. Empty that line, or "
                "name another field in airbase.order_invoices."
            ) from None

    def _body(self, lines: Mapping[str, Line]) -> dict[str, Any]:
        assert self._fields is not None, "the flow is off without them"
        rows = [lines[key] for key in sorted(lines)]
        text = "\n".join(row.text() for row in rows)
        if len(text) > LONG_TEXT:
            raise RecordRejected(f"{len(rows)} invoices make {len(text)} characters, and the field takes {LONG_TEXT}.")
        given = {
            self._fields.invoices: text,
            self._fields.amount: _sum(rows),
            self._fields.state: ", ".join(dict.fromkeys(row.state for row in rows)),
        }
        return {name: value for name, value in given.items() if name}

    def _read_again(self, record: OrderInvoice) -> Document:
        self._orders.invalidate()
        self._orders.refresh({record.order_no or ""}, None)
        return self._orders.with_id(record.purchase_id) or {}

    def _told(self, draft: Draft, order: Document, lines: Mapping[str, Line], action: Any) -> Saved:
        more = beyond(order, _sum(lines.values()), draft.record.currency)
        remote_id, link = key_text(id_of(order), draft.key), str(order.get("airbase_url") or "")
        return Saved(draft, remote_id, action, f"order {draft.record.order_no}", link, **more)

    # --- as it is shown -----------------------------------------------------------------------------------------------

    def read_back(self, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """By the list of orders; a line that people took out of the field is deleted, one that they changed edited."""
        rows = {id_of(row): row for row in self._api.pages(self._orders.path)} if delivered else {}
        for one in delivered:
            order = rows.get(key_parts(one.remote_id, 2)[0])
            line = self._line_in(order, one.key) if order else None
            if order is None or line is None:
                yield Seen(one.key, one.remote_id, "deleted")
            else:
                link = str(order.get("airbase_url") or "")
                yield Seen(one.key, one.remote_id, "there", {"invoice": line.text(), **_worth_of(line)}, detail=link)

    def _line_in(self, order: Document, key: str) -> Line | None:
        """What can be read of the field: a line of somebody else's says nothing of ours."""
        assert self._fields is not None, "the flow is off without them"
        for text in str(order.get(self._fields.invoices) or "").splitlines():
            try:
                if (line := lines_in(text).get(key)) is not None:
                    return line
            except RecordRejected:
                continue
        return None

    def ours(self, known: AbstractSet[str]) -> Iterator[Seen]:
        """What stands on orders under a key of the ERP's, and is not known."""
        for order in self._api.pages(self._orders.path):
            for text in str(order.get(self._fields.invoices) or "").splitlines() if self._fields else ():
                match = _LINE.fullmatch(text.strip())
                if match and (remote_id := key_text(id_of(order), match["key"])) not in known:
                    yield Seen(match["key"], remote_id, "there", {"invoice": text.strip()})


def has_invoice(order: Document, key: str, fields: OrderInvoiceFields | None) -> bool:
    """Whether the order shows the invoice of this key."""
    text = str(order.get(fields.invoices) or "") if fields else ""
    matches = (_LINE.fullmatch(line.strip()) for line in text.splitlines())
    return any(match["key"].replace("%20", " ") == key for match in matches if match)


def expected_on_order(record: OrderInvoice) -> Shown:
    line = _line_of(record)
    return {"invoice": line.text(), **_worth_of(line)}


def _worth_of(line: Line) -> dict[str, Any]:
    return {"amount": line.amount if line.counts else Decimal(0), "currency": line.currency}


def _line_of(record: OrderInvoice) -> Line:
    number = " ".join((record.invoice_number or "").split())
    amount = _written(record.amount or Decimal(0), record.decimals)
    net = amount if record.net is None else _written(record.net, record.decimals)
    return Line(record.key, number, amount, record.currency or "", net, record.state or "in no state", record.counts)


def _written(amount: Decimal, decimals: int) -> Decimal:
    """100 as 100.00; nothing is rounded away."""
    rounded = round_half_up(amount, decimals)
    return rounded if rounded == amount else amount


def _sum(lines: Iterable[Line]) -> Decimal:
    """Without tax, as the total of an order is."""
    return sum((line.net for line in lines if line.counts), Decimal(0))
