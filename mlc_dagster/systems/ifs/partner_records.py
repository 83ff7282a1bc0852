"""Suppliers and customers, as they are read from the ERP."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from mlc_dagster.core.vocabulary import Record
from mlc_dagster.systems.ifs.line_records import CodeString
from mlc_dagster.systems.ifs.supplier_child_records import ContactPerson, PostalAddress


class Supplier(Record, frozen=True, kw_only=True):
    """Suppliers of the ERP that were created or changed on a day: name, country, currency, payment terms, bank account,
    tax number, default GL account and cost centre, and whether they are blocked.
    """

    supplier_id: str
    name: str | None = None
    association_no: str | None = None
    country: str | None = None  # ISO 3166, two letters
    default_language: str | None = None
    currency_code: str | None = None
    payment_terms: str | None = None
    bank_account: str | None = None
    email: str | None = None
    vat_no: str | None = None
    creation_date: date | None = None
    blocked: bool | None = None
    credit_limit: Decimal | None = None
    default_account: str | None = None
    cost_center: str | None = None
    notes: str | None = None
    contacts: tuple[ContactPerson, ...] | None = None  # of a child entity that mlc.yaml names
    addresses: tuple[PostalAddress, ...] | None = None  # likewise
    obj_state: str | None = None
    last_modified: datetime | None = None


class Customer(Record, frozen=True, kw_only=True):
    """Customers of the ERP that were created or changed on a day: name, country, currency, payment terms, credit limit,
    default GL account and cost centre.
    """

    customer_id: str
    name: str | None = None
    country: str | None = None
    currency_code: str | None = None
    payment_terms: str | None = None
    creation_date: date | None = None
    credit_limit: Decimal | None = None
    default_account: str | None = None
    cost_center: str | None = None
    notes: str | None = None
    obj_state: str | None = None
    last_modified: datetime | None = None


class SupplierAccount(CodeString, frozen=True, kw_only=True):
    """What a supplier is booked on in one company, where nothing else is said."""

    supplier_id: str | None = None
    company: str


class CustomerAccount(CodeString, frozen=True, kw_only=True):
    """The same of a customer."""

    customer_id: str | None = None
    company: str


class SupplierOfCompanies(Supplier, frozen=True, kw_only=True):
    """A supplier, with its accounts by company: of tenants whose mlc.yaml names where they stand."""

    accounts: tuple[SupplierAccount, ...] = ()


class CustomerOfCompanies(Customer, frozen=True, kw_only=True):
    """A customer likewise."""

    accounts: tuple[CustomerAccount, ...] = ()
