"""What an account of the ERP demands of a booking: code parts, a text, a tax code; and who may book on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from mlc_dagster.core.facts import AccountDemands, Facts
from mlc_dagster.core.flows import Problem
from mlc_dagster.rules.problems import problem


class Booking(NamedTuple):
    """A line as it is booked: on an account of a company, with code parts, a text, and a tax code."""

    company: str
    account: str
    parts: frozenset[str]  # of "B" to "J", those that it names
    text: str | None
    tax_code: str | None
    line: str

    @classmethod
    def of(cls, company: str, line: Any, number: int) -> Booking:
        """Of a line that has `account`, `code_b` to `code_j`, `text`, and maybe `tax_code`."""
        named = frozenset(part for part in "BCDEFGHIJ" if getattr(line, f"code_{part.lower()}"))
        return cls(company, line.account or "", named, line.text, getattr(line, "tax_code", None), str(number))


def account_demands_are_met(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Each line names the code parts, text and tax code that its account demands in the ERP, and none it blocks."""
    failures = []
    for booking in target.bookings():
        account = facts.accounts.get((booking.company, booking.account))
        if account is not None and account.demands is not None:
            where = f"line {booking.line}: account {booking.account} of company {booking.company}"
            failures += [(booking.account, f"{where} {why}") for why in _failures(booking, account.demands)]
    return problem("account_demands_are_met", failures)


def _failures(booking: Booking, demands: AccountDemands) -> Iterator[str]:
    for part in sorted(demands.mandatory - booking.parts):
        yield (
            f"demands code part {part}, and the line names none. "
            "Map it in mlc.yaml or enter it at its source, or book on another account."
        )
    for part in sorted(demands.blocked & booking.parts):
        yield (
            f"takes no code part {part}, and the line names one. "
            "Take it out of the table in mlc.yaml or at its source, or book on another account."
        )
    if demands.text and not (booking.text or "").strip():
        yield "demands a text, and the line has none. Enter one at its source."
    if demands.tax_code and not booking.tax_code:
        yield "demands a tax code, and the line has none. Map one in mlc.yaml, or book on another account."
    if demands.no_tax_code and booking.tax_code:
        yield f"takes no tax code, and the line has {booking.tax_code}. Book on another account, or without it."
    if demands.is_ledger_account:
        yield (
            "is a ledger account, which IFS books itself and nobody by hand. Book on another account; or, where your "
            "IFS takes it all the same, release this hold."
        )
