"""What mappings and rules may know beside the record: companies, charts, books, what mlc.yaml says. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from mlc_dagster.core.company_calendar import CompanyCalendar, DatedVoucher
from mlc_dagster.core.vocabulary import Record


@dataclass(frozen=True)
class SiteMapping:
    """What `mlc.yaml` says of one site (plant) of a company."""

    names: Mapping[str, str] = dataclasses.field(default_factory=dict)  # the target's own: location, groups
    cost_center: str | None = None  # of what names none itself


@dataclass(frozen=True)
class CompanyMapping:
    """What `mlc.yaml` says of one ERP company."""

    code: str
    currency: str
    decimals: int = 2
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)  # the target's own names for this company
    closed_until: date | None = None  # last day of the last closed period: nothing is posted on it or before
    open_until: date | None = None  # nothing is posted after it
    calendar: CompanyCalendar = dataclasses.field(default_factory=CompanyCalendar)
    sites: Mapping[str, SiteMapping] = dataclasses.field(default_factory=dict)  # none: all are one to the target

    def first_open_day(self, day: date) -> date | None:
        """The day itself, or the first one after it that is open; None where none is yet."""
        first = max(day, self.closed_until + timedelta(days=1)) if self.closed_until else day
        return None if self.open_until and first > self.open_until else first


@dataclass(frozen=True)
class AccountDemands:
    """What the ERP demands of a booking on an account."""

    mandatory: frozenset[str] = frozenset()  # code parts, "B" to "J", that a line must name
    blocked: frozenset[str] = frozenset()  # those that it must not name
    text: bool = False
    tax_code: bool = False
    no_tax_code: bool = False
    is_ledger_account: bool = False  # the ERP books on it itself, nobody by hand


@dataclass(frozen=True)
class LedgerAccount:
    """One account of the ERP's chart, in one company."""

    company: str
    code: str
    description: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    blocked: bool = False
    demands: AccountDemands | None = None  # None: the ERP's chart has none, or says none


@dataclass(frozen=True)
class FollowingLedger:
    """The chart of a SaaS whose ledger follows a company of the ERP: what is posted there is posted here, too."""

    title: str  # "Cin7"
    accounts: frozenset[str] = frozenset()  # codes that may be posted to
    gl_accounts: Mapping[str, str] = dataclasses.field(default_factory=dict)  # ERP account -> the one there, if another
    fault: str = ""  # why nothing can be judged by it: it is empty, or was read too long ago


@dataclass(frozen=True)
class CodePart:
    """A value of an accounting dimension of the ERP, in one company: code part B to J."""

    valid_from: date | None = None
    valid_until: date | None = None
    blocked: bool = False
    description: str = ""


@dataclass(frozen=True)
class KnownSupplier:
    """A supplier as the ERP has it."""

    supplier_id: str
    name: str = ""
    currency: str = ""
    blocked: bool = False


@dataclass(frozen=True)
class PostedDocument:
    """A document that the ERP has already."""

    number: str  # "0010/88001"
    external_ref: str = ""  # empty: entered by hand
    gross: Decimal | None = None
    currency: str = ""


class AlikeDocument(NamedTuple):
    """A document of the same amount that a person, or another integration, may have entered for the same thing."""

    number: str  # "0010/M/2026/7"
    on: date
    amount: Decimal
    named: str  # the word by which it names the same thing; empty: it has the amount alone


@dataclass(frozen=True)
class Books:
    """The reference books of a target, read at the time of judging."""

    has_chart: bool = True  # False: the target has no chart of accounts of its own, so the ERP's alone is asked
    accounts: frozenset[str] = frozenset()  # codes that may be posted to
    payment_terms: frozenset[str] = frozenset()
    tax_rules: frozenset[str] = frozenset()
    tax_percents: Mapping[str, Decimal] = dataclasses.field(default_factory=dict)  # tax rule -> per cent
    products: frozenset[str] = frozenset()
    product_units: Mapping[str, str] = dataclasses.field(default_factory=dict)  # product -> what it is counted in
    locations: frozenset[str] = frozenset()
    supplier_currency: Mapping[str, str] = dataclasses.field(default_factory=dict)  # remote id -> currency
    payable_account: str = ""
    base_currency: str = ""
    locked_before: date | None = None  # documents that are dated before it are refused
    subsidiaries: frozenset[str] | None = None  # None: not known, so that nothing can be said of one
    currencies: frozenset[str] = frozenset()  # that the target takes
    suppliers: Mapping[str, KnownSupplier] = dataclasses.field(default_factory=dict)  # those that records name
    vouchers: Mapping[str, DatedVoucher] = dataclasses.field(default_factory=dict)  # company -> its newest one
    posted: Mapping[tuple[str, ...], PostedDocument] = dataclasses.field(
        default_factory=dict
    )  # (company, supplier, invoice number) -> what the target has under it, of those that records name
    alike: Mapping[str, tuple[AlikeDocument, ...]] = dataclasses.field(
        default_factory=dict
    )  # external reference of a record -> what may be it already


class ExtraField(Record, frozen=True, kw_only=True):
    """A field that mlc.yaml adds to a flow: what the target calls it, and its text."""

    name: str
    text: str = ""


@dataclass(frozen=True)
class Facts:
    """All that mappings and rules may know beside the record. Frozen for the length of one prepare."""

    connection: str = ""  # where it has another name than its system: "hubspot_us"
    title: str = ""  # the SaaS, as people write it, for reports; nothing that is sent depends on it
    companies: Mapping[str, CompanyMapping] = dataclasses.field(default_factory=dict)
    accounts: Mapping[tuple[str, str], LedgerAccount] = dataclasses.field(
        default_factory=dict
    )  # (company, code), from the ERP
    following: Mapping[str, tuple[FollowingLedger, ...]] = dataclasses.field(
        default_factory=dict
    )  # company -> the ledgers that follow it, by mlc.yaml
    code_parts: Mapping[tuple[str, str, str], CodePart] = dataclasses.field(
        default_factory=dict
    )  # (company, code part, value), from the ERP
    books: Books = dataclasses.field(default_factory=Books)
    payment_terms: Mapping[str, str] = dataclasses.field(default_factory=dict)  # ERP code -> the target's name
    tax_rules: Mapping[str, str] = dataclasses.field(default_factory=dict)
    gl_accounts: Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )  # ERP account -> the target's; absent: the same code
    options: Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )  # the target's own settings: location, attribute, ...
    tables: Mapping[str, Mapping[str, str]] = dataclasses.field(
        default_factory=dict
    )  # the target's own tables: cost centre by department, company by location, ...
    delivered: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)  # flow -> key -> remote id
    names: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    """flow -> key -> the name under which it was delivered, of the flows that Flow.names names"""
    held: Mapping[str, Mapping[str, str]] = dataclasses.field(
        default_factory=dict
    )  # flow -> key -> why it is on hold, of the flows that Flow.tells names
    namesakes: Mapping[str, tuple[str, str]] = dataclasses.field(
        default_factory=dict
    )  # key of a new supplier or customer -> (what it has in common, the key that was delivered with it)
    posted: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """key -> the target's id, of this flow's own deliveries, where a flow asks what became of them in the source"""
    bank_marks: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """key -> the mark of the bank details that are known of a vendor; empty text: it had none"""
    reversed: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """key -> the number of the document that reversed its own"""
    registered: Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )  # key -> the key of the same invoice that was delivered, and that the source took back since
    extra_fields: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    """flow -> record field -> what the target calls it: fields that mlc.yaml adds"""
    unusable: Mapping[str, str] = dataclasses.field(
        default_factory=dict
    )  # rule -> why there is nothing to validate against

    today: date | None = None  # by which dates years ahead are told; None: not known

    account_failures: dict[tuple[str, str | None, date | None], str | None] = dataclasses.field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """(company, account, date) -> why it cannot be posted to: what a rule has found out by these facts. Other facts, by
    `replace` too, begin with none."""

    def account_in_target(self, account: str) -> str:
        return self.gl_accounts.get(account, account)

    def account_in_erp(self, account: str) -> str | None:
        """The ERP's account for one of the SaaS, by gl_accounts read backwards; None where several stand for it."""
        ours = [erp for erp, theirs in self.gl_accounts.items() if theirs == account]
        return None if len(ours) > 1 else ours[0] if ours else account

    def table(self, name: str) -> Mapping[str, str]:
        """One of the tables of mlc.yaml; empty where it says nothing."""
        return self.tables.get(name, {})

    def stands_for(self, table: str, names: Iterable[str | None], own: str | None) -> str | None:
        """What a table of mlc.yaml says of the first of these names that it has. `own`: the other side's code, which
        counts where there is no such table; one that is there and has none of the names says nothing, so that a rule
        holds the record.
        """
        known = self.table(table)
        return next((known[name] for name in names if name and name in known), None if known else own)

    def extras(self, flow: str, source: Record) -> tuple[ExtraField, ...]:
        """The fields that mlc.yaml adds to this flow, with their values as text."""
        added = self.extra_fields.get(flow, {})
        return tuple(ExtraField(name=name, text=str(getattr(source, field) or "")) for field, name in added.items())

    def reference(self, prefix: str, id: object) -> str:
        """The reference under which the ERP finds a document again: two connections of one system never share one."""
        return f"{prefix}{f'{self.connection}-' if self.connection else ''}{id}"

    def remote_id(self, flow: str, key: str) -> str | None:
        return self.delivered.get(flow, {}).get(key)

    def name_of(self, flow: str, key: str) -> str | None:
        return self.names.get(flow, {}).get(key)

    def site(self, company: str | None, site: str | None) -> SiteMapping | None:
        """What mlc.yaml says of a company's site; None where it says nothing."""
        mapping = self.companies.get(company or "")
        return mapping.sites.get(site or "") if mapping else None
