"""What a document and its lines come to, in its own currency and in the company's, so that nothing is lost. Pure.

An amount is rounded once, half up, to the decimals of its currency. What rounding leaves over goes to the largest line.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple, TypeVar

import msgspec

from mlc_dagster.core.amounts import currency_decimals, proportion, round_half_up
from mlc_dagster.core.facts import CompanyMapping, Facts
from mlc_dagster.rules.payables import difference_account
from mlc_dagster.systems.airbase.spend.records import Spend, SpendLine

NOTHING = Decimal(0)
AnySpend = TypeVar("AnySpend", bound=Spend)


class Money(NamedTuple):
    """An amount in the document's currency, and in the company's; None: nobody says what it is there."""

    own: Decimal
    home: Decimal | None


def is_foreign(document: Spend, company: CompanyMapping | None) -> bool:
    """Whether the document is in another currency than its company keeps its books in."""
    return company is not None and document.currency not in (None, company.currency)


def with_difference(document: AnySpend, company: CompanyMapping | None, facts: Facts) -> AnySpend:
    """The document with one line more, where its total is unlike its lines and mlc.yaml has an account for that."""
    if not document.lines or is_rounding(document, company) or any(line.amount is None for line in document.lines):
        return document
    rest = difference(document)
    if not (account := difference_account(rest, facts)):
        return document
    line = SpendLine(description="Difference of the total", amount=rest, account=facts.account_in_target(account))
    return msgspec.structs.replace(document, lines=(*document.lines, line))


def total_of(document: Spend, company: CompanyMapping | None) -> Money:
    """The document's total; that of its lines where it states none."""
    total = document.total_amount if document.total_amount is not None else _sum(amounts_of(document))
    own = round_half_up(total, currency_decimals(document.currency, company))
    return Money(own, _in_home(document, company) if is_foreign(document, company) else own)


def amounts_by_line(document: Spend, company: CompanyMapping | None) -> list[Money]:
    """Each line's share of the total. Lines that do not make the total stay as they are: a rule says so."""
    total, decimals = total_of(document, company), currency_decimals(document.currency, company)
    own = [round_half_up(amount, decimals) for amount in amounts_of(document)]
    if is_rounding(document, company):
        own = _with_rest(own, total.own)
    if not is_foreign(document, company):
        return [Money(amount, amount) for amount in own]
    if total.home is None or company is None:
        return [Money(amount, None) for amount in own]
    home = in_proportion(total.home, own, company.decimals)
    return [Money(*pair) for pair in zip(own, home, strict=True)]


def in_proportion(total: Decimal, weights: Sequence[Decimal], decimals: int) -> list[Decimal]:
    """The total in proportion to the weights; their sum is the total, exactly."""
    together = _sum(weights)
    amounts = [round_half_up(proportion(total, each, together), decimals) if together else NOTHING for each in weights]
    return _with_rest(amounts, total)


def amounts_of(document: Spend) -> list[Decimal]:
    """The lines' amounts as stated; a document without lines is one line of its total."""
    if not document.lines:
        return [document.total_amount or NOTHING]
    return [line.amount or NOTHING for line in document.lines]


def difference(document: Spend) -> Decimal:
    """The stated total less the lines; nothing where there is no total."""
    total = document.total_amount
    return NOTHING if total is None else total - _sum(amounts_of(document))


def is_rounding(document: Spend, company: CompanyMapping | None) -> bool:
    """Whether the difference can come of rounding: half of the smallest coin for each line, of more lines than one."""
    count, coin = len(document.lines), Decimal(1).scaleb(-currency_decimals(document.currency, company))
    most = coin / 2 * count if count > 1 else NOTHING
    return abs(difference(document)) <= most


def _in_home(document: Spend, company: CompanyMapping | None) -> Decimal | None:
    amount, currency = document.subsidiary_amount, document.subsidiary_currency
    if company is None or amount is None or currency not in (None, company.currency):
        return None
    return round_half_up(amount, company.decimals)


def _with_rest(amounts: list[Decimal], total: Decimal) -> list[Decimal]:
    """The largest takes what is left, the first of equals."""
    if not amounts:
        return amounts
    largest = max(range(len(amounts)), key=lambda place: (abs(amounts[place]), -place))
    rest = total - _sum(amounts)
    return [amount + rest if place == largest else amount for place, amount in enumerate(amounts)]


def _sum(amounts: Sequence[Decimal]) -> Decimal:
    return sum(amounts, NOTHING)
