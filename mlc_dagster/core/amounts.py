"""Exact arithmetic with money: products with every digit, and one way of rounding. Pure."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from mlc_dagster.core.facts import CompanyMapping

DECIMALS = dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"), 0) | dict.fromkeys(
    ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3
)
"""ISO 4217 currencies that are not counted in hundredths."""

_EXACT = Context(prec=120, rounding=ROUND_HALF_UP)
STEPS = tuple(Decimal(1).scaleb(-decimals) for decimals in range(13))
"""Decimals -> the step between two amounts: 1, 0.1, 0.01, ..."""

round_to = _EXACT.quantize  # half the time of `amount.quantize(step, context=_EXACT)`
"""(amount, step) -> the amount, rounded as by `round_half_up`: for what is done for every line of every record."""


def round_half_up(amount: Decimal, decimals: int) -> Decimal:
    """Commercial rounding, the one that ERPs and invoices use: 0.125 -> 0.13, -0.125 -> -0.13.

    Exact up to 120 digits, where the default context of 28 would round twice.
    """
    return round_to(amount, STEPS[decimals])


times = _EXACT.multiply
"""(quantity, price) -> the product, with every digit."""


def proportion(total: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """As much of the total as the part is of the whole, to 120 digits."""
    return _EXACT.divide(_EXACT.multiply(total, part), whole)


def currency_decimals(currency: str | None, company: CompanyMapping | None) -> int:
    """How many decimals amounts in a currency have: the company's word for its own, ISO 4217 for the others."""
    if company is not None and currency in (None, company.currency):
        return company.decimals
    return DECIMALS.get(currency or "", 2)


# --- as a whole number, which databases sum and sort exactly ----------------------------------------------------------

SCALE = 10_000
MOST_SCALED = 2**63 - 1


def parsed(amount: str | None) -> Decimal | None:
    """An amount as the ledger keeps it; None where there is none, or it is none."""
    try:
        found = Decimal(amount) if amount else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def scaled(amount: str | None) -> int | None:
    """The amount times 10,000; None where that is not exact, or has more than 63 bits: such are summed one by one."""
    found = parsed(amount)
    if found is None or found.adjusted() > 20:
        return None
    number = _EXACT.multiply(found, Decimal(SCALE))
    whole = int(number)
    return whole if whole == number and abs(whole) <= MOST_SCALED else None


def unscaled(number: int) -> Decimal:
    """The amount of which `scaled` made this number."""
    return _EXACT.scaleb(Decimal(number), -4)
