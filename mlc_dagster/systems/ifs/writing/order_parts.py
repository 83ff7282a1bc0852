"""What bills take of an order, and what is still expected of it: its proposal is always the order less all of them.

The ledger keeps, under the reference of the order's proposal, the whole order and the part of each bill, as the values
that both sides agreed on. What remains is computed from these anew each time, so that doing it twice changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from mlc_dagster.core.outcomes import Agreed, Draft
from mlc_dagster.core.vocabulary import Row
from mlc_dagster.systems.ifs.entry_records import BilledLine, PayableLine, Proposal

ORDER = "order"
"""Beside the references of bills."""
NOTHING = Decimal(0)
_CODES = (
    "account",
    *(name for name in PayableLine.__struct_fields__ if name.startswith("code_")),
)
_ENCODER = msgspec.json.Encoder(decimal_format="string", order="deterministic")


class OrderParts:
    """What is known of orders while drafts are saved: what the ledger has, and what was saved since."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, str]] = {}

    def of(self, draft: Draft, order: str) -> dict[str, str]:
        return dict(self._known.get(order) or draft.agreed(order) or {})

    def keep(self, order: str, content: Mapping[str, str]) -> tuple[str, Agreed]:
        """To be called when it is so on both sides."""
        self._known[order] = dict(content)
        return order, dict(content)


def as_text(value: Any) -> str:
    return _ENCODER.encode(value).decode()


def whole_order(record: Proposal) -> str:
    """The order as it is expected while nothing is billed, as text."""
    return as_text(msgspec.structs.replace(record, bills=(), given_back=()))


def from_row(row: Row) -> Proposal:
    """The order, from the proposal that stands for it and knows of no bill."""
    names = ("account", "tax_code", "text", *_CODES[1:])
    lines = tuple(
        PayableLine(amount=_in_its_currency(line), **{name: line.get(name) for name in names}) for line in row["lines"]
    )
    same: dict[str, Any] = {
        name: row[name] for name in ("company", "supplier_id", "po_reference", "external_ref", "text")
    }
    amounts: dict[str, Any] = {name: row[name] or NOTHING for name in ("net_amount", "vat_amount", "gross_amount")}
    foreign = any(line.get("amount") is None for line in row["lines"])  # as ProposalWriter.row sends them
    return Proposal(
        currency=row["currency_code"], dated=row["invoice_date"], lines=lines, is_foreign=foreign, **same, **amounts
    )


def _in_its_currency(line: Mapping[str, Any]) -> Decimal:
    """A line's amount in the currency of its document; the company's own stands beside it."""
    found: Decimal | None = line.get("currency_amount")
    return (line.get("amount") or NOTHING) if found is None else found


def remaining(content: Mapping[str, str]) -> Proposal | None:
    """What is still expected; cancelled where nothing is, or nothing is to be. None: the order itself is not known."""
    if ORDER not in content:
        return None
    order = msgspec.json.decode(content[ORDER], type=Proposal)
    parts = [line for name, text in content.items() if name != ORDER for line in _lines(text)]
    if not parts:
        return msgspec.structs.replace(order, is_cancelled=order.is_cancelled or order.is_final)
    lines = tuple(line for line in _less(order, parts) if line.amount)
    net = sum((line.amount for line in lines), NOTHING)
    vat = max(NOTHING, order.vat_amount - sum((part.vat for part in parts), NOTHING))
    return msgspec.structs.replace(
        order,
        lines=lines,
        net_amount=net,
        vat_amount=vat,
        gross_amount=net + vat,
        stated_gross=net + vat,
        is_cancelled=order.is_cancelled or order.is_final or not lines,
    )


def is_as_it_stands(rest: Proposal, row: Row) -> bool:
    """Whether the lines and amounts of a proposal, read whole, are those that remain."""
    ours = sorted((*_coding(line), line.amount) for line in rest.lines)
    theirs = sorted((*_coded(line), line["amount"]) for line in row["lines"])
    return ours == theirs and (row["gross_amount"], row["currency_code"]) == (rest.gross_amount, rest.currency)


def _lines(text: str) -> list[BilledLine]:
    return msgspec.json.decode(text, type=list[BilledLine])


def _less(order: Proposal, parts: Sequence[BilledLine]) -> Iterator[PayableLine]:
    """First what is billed on the account and cost centre that was ordered; what is left of it anywhere, largest first.

    No line goes below zero: what is billed beyond the order was never expected.
    """
    billed: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
    for part in parts:
        billed[_coding(part)] += part.amount
    charges = min(order.charges or NOTHING, sum((part.charges for part in parts), NOTHING))
    amounts = [_taken(line.amount, billed, _coding(line)) for line in order.lines]
    left = sum(billed.values(), charges)
    for place in sorted(range(len(amounts)), key=lambda each: -amounts[each]):
        taken = max(NOTHING, min(left, amounts[place]))
        amounts[place], left = amounts[place] - taken, left - taken
    for line, amount in zip(order.lines, amounts, strict=True):
        yield msgspec.structs.replace(line, amount=amount)


def _taken(amount: Decimal, billed: dict[tuple[str, ...], Decimal], coding: tuple[str, ...]) -> Decimal:
    taken = max(NOTHING, min(billed[coding], amount))
    billed[coding] -= taken
    return amount - taken


def _coding(line: PayableLine | BilledLine) -> tuple[str, ...]:
    return tuple(getattr(line, name) or "" for name in _CODES)


def _coded(line: Row) -> tuple[str, ...]:
    return tuple(line.get(name) or "" for name in _CODES)


def by_order(billed: Iterable[BilledLine]) -> dict[str, list[BilledLine]]:
    found: dict[str, list[BilledLine]] = defaultdict(list)
    for line in billed:
        found[line.order].append(line)
    return found
