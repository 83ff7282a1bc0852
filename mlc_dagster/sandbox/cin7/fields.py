"""How Cin7 judges the fields of what it is sent: required, long, exact, and known in the books."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from mlc_dagster.sandbox.cin7.reference_books import Books, RefusedError

_CENT = Decimal("0.01")
_COUNTRIES = """
Argentina, Australia, Austria, Bahrain, Belgium, Brazil, Canada, China, Croatia, Czech Republic, Denmark,
Egypt, Estonia, Finland, France, Germany, Greece, Hungary, Iceland, India, Ireland, Israel, Italy, Japan,
Kuwait, Latvia, Lithuania, Luxembourg, Malaysia, Mexico, Netherlands, New Zealand, Norway, Oman, Poland,
Portugal, Romania, Saudi Arabia, Singapore, Slovakia, Slovenia, South Africa, South Korea, Spain, Sweden,
Switzerland, Taiwan, Thailand, Tunisia, Turkey, Ukraine, United Arab Emirates, United Kingdom, United States,
Vietnam
"""
COUNTRIES = frozenset(name.strip() for name in _COUNTRIES.replace("\n", " ").split(","))


def now_text() -> str:
    return _moment_text(datetime.now(UTC))


def next_moment(text: str) -> str:
    """A millisecond later: Cin7's clock is no finer. Nothing comes after nothing."""
    return _moment_text(datetime.fromisoformat(text) + timedelta(milliseconds=1)) if text else ""


def _moment_text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def text(body: Mapping[str, Any], name: str, longest: int, *, required: bool = False) -> str:
    """A text field; empty where it is absent and not required."""
    value = body.get(name)
    if value is None or value == "":
        if required:
            raise RefusedError(f"'{name}' is required")
        return ""
    if not isinstance(value, str):
        raise RefusedError(f"'{name}' must be a text")
    if len(value) > longest:
        raise RefusedError(f"'{name}' length must be less than or equal to {longest}; it is {len(value)}")
    return value


def number(body: Mapping[str, Any], name: str, default: Decimal | None = None) -> Decimal:
    """A number field, exact. Required where there is no default."""
    value = body.get(name)
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise RefusedError(f"'{name}' is required and must be a number; found {value!r}")
    return Decimal(value)


def moment(body: Mapping[str, Any], name: str, *, required: bool = False) -> str | None:
    """A time field as Cin7 shows it."""
    value = text(body, name, 40, required=required)
    if not value:
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise RefusedError(f"'{name}' is not a date: {value}") from None
    return value if "T" in value else f"{value}T00:00:00"


def choice(body: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> str:
    """A word from a list, whatever its case."""
    value = text(body, name, 50, required=True)
    found = next((word for word in allowed if word.lower() == value.lower()), None)
    if found is None:
        raise RefusedError(f"'{name}' must be one of {', '.join(allowed)}; found '{value}'")
    return found


def cents(amount: Decimal) -> Decimal:
    """Two decimals, halves away from zero: what the books can hold."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


def payment_term(books: Books, name: str) -> str:
    term = _named(books.payment_terms, name)
    if term is None or not term["IsActive"]:
        raise RefusedError(f"Payment term '{name}' not found or not active", code=404)
    return str(term["Name"])


def tax_rule(books: Books, name: str) -> str:
    rule = _named(books.tax_rules, name)
    if rule is None or not rule["IsActive"] or not rule["IsTaxForPurchase"]:
        raise RefusedError(f"Tax rule '{name}' not found, not active or not for purchases", code=404)
    return str(rule["Name"])


def location(books: Books, name: str) -> str:
    found = _named(books.locations, name)
    if found is None or found["IsDeprecated"]:
        raise RefusedError(f"Location '{name}' not found", code=404)
    return str(found["Name"])


def payable_account(books: Books, code: str) -> str:
    account = books.accounts.get(code)
    if account is None or account["SystemAccountCode"] != "CREDITORS":
        raise RefusedError(f"Account '{code}' is not an accounts payable account")
    return code


def posting_account(books: Books, code: str) -> str:
    account = books.accounts.get(code)
    if account is None:
        raise RefusedError(f"Account with code '{code}' not found", code=404)
    if account["Status"] != "ACTIVE":
        raise RefusedError(f"Account '{code}' is {account['Status']}; it must be ACTIVE")
    return code


def _named(book: Mapping[str, Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    wanted = name.strip().lower()
    return next((row for row in book.values() if str(row["Name"]).lower() == wanted), None)
