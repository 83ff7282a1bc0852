"""Exchange rates as Cin7 wants them: its base currency for ONE unit; the ERP states some currencies for 100. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from mlc_dagster.core.amounts import proportion, round_half_up, times
from mlc_dagster.systems.ifs import records as ifs

FACTORS = tuple(Decimal(10) ** power for power in range(5))  # 1 to 10,000: IFS's conversion factors
RATE_DECIMALS = 10
HALF_A_UNIT = Decimal("0.5")  # of the own currency: what rounding takes of a line at the most, in yen too


class Stated(NamedTuple):
    """What the lines of an invoice state in both currencies together."""

    own: Decimal
    foreign: Decimal
    lines: int

    def agrees_with(self, rate: Decimal) -> bool:
        """Within what rounding takes of each line, and half a per cent beside: rates have a few decimals."""
        off = abs(times(rate, self.foreign) - self.own)
        return off <= HALF_A_UNIT * self.lines + abs(self.own) / 200


def rate_of_the_lines(proposal: ifs.PostingProposal) -> Stated | None:
    """None where a line lacks one of its amounts, or they are nothing together."""
    own = [line.amount for line in proposal.lines if line.amount is not None]
    foreign = [line.currency_amount for line in proposal.lines if line.currency_amount is not None]
    if not own or len(own) != len(foreign) or len(own) != len(proposal.lines) or not sum(foreign):
        return None
    return Stated(sum(own, Decimal(0)), sum(foreign, Decimal(0)), len(own))


def rate_of_the_order(order: ifs.PurchaseOrder, decimals: int) -> Decimal | None:
    """The rate at which every line's amount is its amount in the company's currency, where a tenant's orders state no
    rate of their own; of those that fit, the one with the fewest decimals. None where no rate fits all, or a line lacks
    one of its amounts.

    `decimals`: those of the company's currency, to which the ERP rounded.
    """
    pairs = [(line.line_amount, line.base_amount) for line in order.lines if line.line_amount or line.base_amount]
    amounts = [(foreign, own) for foreign, own in pairs if foreign is not None and own is not None]
    foreign = sum((each for each, _ in amounts), Decimal(0))
    if len(amounts) < len(pairs) or not foreign:
        return None
    ratio = proportion(sum((own for _, own in amounts), Decimal(0)), Decimal(1), foreign)
    candidates = (round_half_up(ratio, places) for places in range(RATE_DECIMALS + 1))
    return next((rate for rate in candidates if rate > 0 and _makes(rate, amounts, decimals)), None)


def _makes(rate: Decimal, amounts: list[tuple[Decimal, Decimal]], decimals: int) -> bool:
    return all(abs(times(rate, foreign) - own) <= Decimal("0.5").scaleb(-decimals) for foreign, own in amounts)


def for_one(rate: Decimal | None, units: Decimal | None, proposal: ifs.PostingProposal | None = None) -> Decimal | None:
    """The rate for one unit: by what mlc.yaml says, else by the lines where one factor makes their amounts."""
    if rate is None or units:
        return rate if rate is None or units == 1 else proportion(rate, Decimal(1), units or Decimal(1))
    stated = rate_of_the_lines(proposal) if proposal else None
    fitting = [factor for factor in FACTORS if stated and stated.agrees_with(proportion(rate, Decimal(1), factor))]
    factor = fitting[0] if fitting else Decimal(1)
    return rate if factor == 1 else proportion(rate, Decimal(1), factor)
