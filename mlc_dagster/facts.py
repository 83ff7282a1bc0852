"""What mappings and rules may know beside the record: companies, charts, books, what mlc.yaml says. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from mlc_dagster.vocabulary import Record


@dataclass(frozen=True)
class CompanyMapping:
    """What `mlc.yaml` says of one ERP company."""

    code: str
    currency: str
    decimals: int = 2
    targets: Mapping[str, Mapping[str, str]] = dataclasses.field(
        default_factory=dict
    )  # system -> its own names for this company


@dataclass(frozen=True)
class LedgerAccount:
    """One account of the ERP's chart, in one company."""

    company: str
    code: str
    description: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    blocked: bool = False


@dataclass(frozen=True)
class Books:
    """The reference books of a target, read at the time of judging."""

    has_chart: bool = True  # False: the target has no chart of accounts of its own, so the ERP's alone is asked
    accounts: frozenset[str] = frozenset()  # codes that may be posted to
    payment_terms: frozenset[str] = frozenset()
    tax_rules: frozenset[str] = frozenset()
    tax_percents: Mapping[str, Decimal] = dataclasses.field(default_factory=dict)  # tax rule -> per cent
    products: frozenset[str] = frozenset()
    locations: frozenset[str] = frozenset()
    supplier_currency: Mapping[str, str] = dataclasses.field(default_factory=dict)  # remote id -> currency
    payable_account: str = ""
    base_currency: str = ""
    subsidiaries: frozenset[str] | None = None  # None: not known, so that nothing can be said of one
    currencies: frozenset[str] = frozenset()  # that the target takes


class Extra(Record, frozen=True, kw_only=True):
    """A field that mlc.yaml adds to a flow: what the target calls it, and its text."""

    name: str
    text: str = ""


@dataclass(frozen=True)
class Facts:
    """All that mappings and rules may know beside the record. Frozen for the length of one prepare."""

    companies: Mapping[str, CompanyMapping] = dataclasses.field(default_factory=dict)
    accounts: Mapping[tuple[str, str], LedgerAccount] = dataclasses.field(
        default_factory=dict
    )  # (company, code), from the ERP
    books: Books = dataclasses.field(default_factory=Books)
    payment_terms: Mapping[str, str] = dataclasses.field(default_factory=dict)  # ERP code -> the target's name
    tax_rules: Mapping[str, str] = dataclasses.field(default_factory=dict)
    gl_accounts: Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )  # ERP account -> the target's; absent: the same code
    options: Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )  # the target's own settings: location, attribute, ...
    delivered: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)  # flow -> key -> remote id
    extra_fields: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    """flow -> record field -> what the target calls it: fields that mlc.yaml adds"""
    unusable: Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )  # rule -> why there is nothing to validate against

    def account_in_target(self, account: str) -> str:
        return self.gl_accounts.get(account, account)

    def extras(self, flow: str, source: Record) -> tuple[Extra, ...]:
        """The fields that mlc.yaml adds to this flow, with their values as text."""
        added = self.extra_fields.get(flow, {})
        return tuple(Extra(name=name, text=str(getattr(source, field) or "")) for field, name in added.items())

    def remote_id(self, flow: str, key: str) -> str | None:
        return self.delivered.get(flow, {}).get(key)
