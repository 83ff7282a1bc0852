"""The figures of a month end: numbers and exact sums by currency, never added over currencies. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from mlc_dagster.core.amounts import currency_decimals, round_half_up
from mlc_dagster.core.vocabulary import EXACT, plain
from mlc_dagster.ledger.records.closes import Books
from mlc_dagster.pipeline.closing.documents import Document, Side

Amounts = dict[str, Decimal]
"""Currency -> a sum."""


@dataclass
class Counted:
    """How many, and what they come to."""

    number: int = 0
    amounts: Amounts = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, number: int, amount: Decimal | None, currency: str) -> None:
        self.number += number
        if amount is not None:
            self.amounts[currency] = EXACT.add(self.amounts[currency], amount)

    def as_json(self) -> dict[str, Any]:
        return {"number": self.number, "amounts": _text(self.amounts)}


@dataclass
class BothSides:
    """On one account, in one currency."""

    ours: Decimal = Decimal(0)
    theirs: Decimal = Decimal(0)


class NamedDifference(NamedTuple):
    """A difference of this month, so that a person finds it."""

    flow: str
    key: str
    kind: str
    field: str
    ours: str
    theirs: str
    amount: str
    currency: str
    number: str  # in the target
    link: str
    since: str


class PostedAfter(NamedTuple):
    """A document of the month that came into the target when it was over, or signed."""

    flow: str
    key: str
    dated: str
    posted_at: str
    amount: str
    currency: str
    number: str
    after_the_signature: bool


@dataclass
class FlowFigures:
    """Of one flow, company and month."""

    flow: str
    system: str
    delivered: Counted = field(default_factory=Counted)
    held: Counted = field(default_factory=Counted)
    differing: Counted = field(default_factory=Counted)
    not_shown: Counted = field(default_factory=Counted)  # delivered, and its target was not looked at since
    rounded_up: Counted = field(default_factory=Counted)  # theirs is more, and no difference: the target rounds
    rounded_down: Counted = field(default_factory=Counted)
    accepted: Counted = field(default_factory=Counted)  # theirs is another amount, and a person said that it is right
    foreign: Counted = field(default_factory=Counted)  # in another currency than the company's: each side has its rate
    due: list[str] = field(default_factory=list)  # days
    sums: dict[tuple[str, str], BothSides] = field(default_factory=lambda: defaultdict(BothSides))
    """(account, currency) -> both sides"""
    first_look: datetime | None = None  # the oldest of the looks that theirs is of
    last_look: datetime | None = None

    def count(self, one: Document, own_currency: str) -> None:
        """A delivered document."""
        ours, theirs = one.ours, one.theirs
        self.delivered.add(1, ours.total if ours else None, ours.currency if ours else "")
        self._sum(ours, theirs)
        if ours and ours.currency != own_currency:
            self.foreign.add(1, ours.total, ours.currency)
        if one.verified_at is None:
            self.not_shown.add(1, ours.total if ours else None, ours.currency if ours else "")
            return
        self.first_look = min(filter(None, (self.first_look, one.verified_at)))
        self.last_look = max(filter(None, (self.last_look, one.verified_at)))
        if ours and not one.differences:
            self._count_residue(ours, theirs, is_accepted=one.is_accepted)

    def _sum(self, ours: Side | None, theirs: Side | None) -> None:
        for side, name in ((ours, "ours"), (theirs, "theirs")):
            for account, amount in side.parts.items() if side else ():
                both = self.sums[account, side.currency if side else ""]
                setattr(both, name, EXACT.add(getattr(both, name), amount))

    def _count_residue(self, ours: Side, theirs: Side | None, *, is_accepted: bool) -> None:
        """What differs though nobody calls it a difference; up and down are never netted."""
        more = EXACT.subtract(theirs.total if theirs else Decimal(0), ours.total)
        if not more and (theirs is None or theirs.currency == ours.currency):
            return
        place = self.accepted if is_accepted else self.rounded_up if more > 0 else self.rounded_down
        place.add(1, more, ours.currency)

    def add_extra(self, amount: str, currency: str) -> None:
        """What the target has beside what we delivered."""
        both = self.sums["", currency]
        both.theirs = EXACT.add(both.theirs, Decimal(amount))

    @property
    def is_open(self) -> bool:
        return bool(self.held.number or self.differing.number or self.due or self.not_shown.number)

    @property
    def is_empty(self) -> bool:
        return not (self.is_open or self.delivered.number or self.sums)

    def as_json(self) -> dict[str, Any]:
        counted = {name: getattr(self, name).as_json() for name in _COUNTED}
        return {
            "flow": self.flow,
            "system": self.system,
            **counted,
            "due": self.due,
            "first_look": self.first_look.isoformat() if self.first_look else None,
            "last_look": self.last_look.isoformat() if self.last_look else None,
            "sums": [_row(account, currency, both) for (account, currency), both in sorted(self.sums.items())],
        }


_COUNTED = (
    *("delivered", "held", "differing", "not_shown"),
    *("rounded_up", "rounded_down", "accepted", "foreign"),
)


@dataclass
class CompanyFigures:
    """Of one company and month."""

    books: Books
    flows: list[FlowFigures] = field(default_factory=list)
    differences: list[NamedDifference] = field(default_factory=list)
    posted_after: list[PostedAfter] = field(default_factory=list)
    decisions: list[dict[str, str]] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """Of the figures, and not of when they were looked at: what a signature is of."""
        told = [_signed(each.as_json()) for each in self.flows if not each.is_empty]
        text = json.dumps(told, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def as_json(self) -> dict[str, Any]:
        return {
            "company": self.books.company,
            "period": self.books.period,
            "fingerprint": self.fingerprint,
            "flows": [each.as_json() for each in self.flows],
            "differences": [each._asdict() for each in self.differences],
            "posted_after": [each._asdict() for each in self.posted_after],
            "decisions": self.decisions,
        }

    def open_in_words(self) -> list[str]:
        """What a signature is given in spite of."""
        return [line for each in self.flows for line in _open(each)]


def _open(each: FlowFigures) -> Iterator[str]:
    for name, words in (("held", "on hold"), ("differing", "different"), ("not_shown", "never looked at")):
        counted: Counted = getattr(each, name)
        if counted.number:
            yield f"{each.flow}: {counted.number} {words}{_worth(counted.amounts)}"
    if each.due:
        yield f"{each.flow}: {len(each.due)} day(s) due"


def _worth(amounts: Amounts) -> str:
    told = ", ".join(f"{in_text(amount, currency)} {currency}".strip() for currency, amount in sorted(amounts.items()))
    return f" ({told})" if told else ""


def changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What of signed figures is another one now: "cin7/purchases: theirs on 4010 21.00 -> 21.01 SEK"."""
    old, new = (_flat(each) for each in (before, now))
    return [
        f"{name} {old.get(name, 'none')} -> {new.get(name, 'none')}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _flat(document: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for flow in document["flows"]:
        for name in _SIGNED:
            found[f"{flow['flow']}: {name}"] = str(flow[name]["number"])
            for currency, amount in flow[name]["amounts"].items():
                found[f"{flow['flow']}: {name}, {currency}"] = amount
        for row in flow["sums"]:
            place = f"on {row['account'] or 'no account'}, {row['currency']}"
            found |= {f"{flow['flow']}: {side} {place}": row[side] for side in ("ours", "theirs")}
    return {name: value for name, value in found.items() if value not in ("0", "none")}


_SIGNED = ("delivered", "held", "differing")


def _signed(flow: Mapping[str, Any]) -> dict[str, Any]:
    return {name: flow[name] for name in ("flow", *_SIGNED, "sums")}


def _row(account: str, currency: str, both: BothSides) -> dict[str, str]:
    difference = EXACT.subtract(both.theirs, both.ours)
    told = {"ours": both.ours, "theirs": both.theirs, "difference": difference}
    named = {name: in_text(amount, currency) for name, amount in told.items()}
    return {"account": account, "currency": currency, **named}


def _text(amounts: Amounts) -> dict[str, str]:
    return {currency: in_text(amount, currency) for currency, amount in sorted(amounts.items())}


def in_text(amount: Decimal, currency: str) -> str:
    """Equal amounts are one text: with as many decimals as the currency has, and more where it needs them."""
    decimals = currency_decimals(currency, None)
    rounded = round_half_up(amount, decimals)
    return f"{rounded if rounded == amount else plain(amount):f}"
