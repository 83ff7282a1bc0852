"""The chart of accounts and the code parts of a company, and what an account demands of a booking."""

from __future__ import annotations

from datetime import date

from mlc_dagster.core.vocabulary import Record


class Account(Record, frozen=True, kw_only=True):
    """The chart of accounts of a company, as it is now: which GL accounts exist, their type, between which dates they
    are valid, and which are blocked. What is loaded elsewhere is validated against it.
    """

    company: str
    account: str
    description: str | None = None
    account_type: str | None = None
    logical_account_type: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    blocked: bool | None = None
    req_code_b: str | None = None  # what a booking on it may, must or must not name: Can, Mandatory, Blocked
    req_code_c: str | None = None
    req_code_d: str | None = None
    req_code_e: str | None = None
    req_code_f: str | None = None
    req_code_g: str | None = None
    req_code_h: str | None = None
    req_code_i: str | None = None
    req_code_j: str | None = None
    req_text: str | None = None  # Can, Mandatory
    tax_handling: str | None = None  # Restricted, All, Blocked
    tax_code_mandatory: bool | None = None
    ledger_flag: str | None = None  # LedgerAccount, NotLedgerAccount: by hand or not


class CodePartValue(Record, frozen=True, kw_only=True):
    """The accounting dimensions of a company, as they are now: cost centres, projects and the like (code parts B to J),
    and between which dates each value is valid.
    """

    company: str
    code_part: str  # B to J
    code_part_value: str
    description: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    obj_state: str | None = None


DEMANDS = (
    *(f"req_code_{letter}" for letter in "bcdefghij"),
    *("req_text", "tax_handling", "tax_code_mandatory", "ledger_flag"),
)
"""The fields that say what a booking on an account must and must not have (facts/ifs-tenants.md, section 3.9)."""
