"""A supplier as a SaaS has it, on its way to the ERP's supplier master."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mlc_dagster.vocabulary import ERP, Record, Target

SHARED = ("name", "country", "currency_code", "payment_terms", "email", "vat_no")
"""The fields of an IFS supplier that both sides may keep, by the names of its record."""


class Owner(Record, frozen=True, kw_only=True):
    """Whose value counts where a field was changed on both sides."""

    field: str  # one of SHARED
    side: Literal["ifs", "saas", "hold"]


class Partner(Record, frozen=True, kw_only=True):
    """A vendor or supplier of a SaaS. None: the SaaS does not keep the field, or is silent, and IFS keeps its own."""

    external_ref: str  # "procurify-vendor-88"
    supplier_id: str | None = None  # the ERP's number, where the SaaS carries it
    name: str | None
    country: str | None = None  # ISO 3166, two letters
    currency_code: str | None = None
    payment_terms: str | None = None  # the ERP's code
    email: str | None = None
    vat_no: str | None = None
    may_create: bool = True  # a supplier that the ERP does not have is made there
    owners: tuple[Owner, ...] = ()  # of fields without one: the ERP

    def required(self) -> Iterator[tuple[str, object]]:
        yield "name", self.name

    def texts(self) -> Iterator[tuple[str, str | None, int]]:
        yield "name", self.name, 200
        yield "mail address", self.email, 200
        yield "tax number", self.vat_no, 50


PARTNERS = Target(ERP, "suppliers", Partner, batch=20)
