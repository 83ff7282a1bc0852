"""Cin7's chart of accounts, as it is read whole."""

from __future__ import annotations

from mlc_dagster.core.vocabulary import Record


class Account(Record, frozen=True, kw_only=True):
    """The chart of accounts in Cin7, as it is now, beside which the ERP's is checked in both directions: codes, names,
    types, and whether they may be posted to.
    """

    code: str
    name: str | None = None
    type: str | None = None  # CURRLIAB
    account_class: str | None = None  # LIABILITY
    is_active: bool = True

    @property
    def subsidiaries(self) -> tuple[str, ...]:
        """A Cin7 account has one chart, without parts."""
        return ()
