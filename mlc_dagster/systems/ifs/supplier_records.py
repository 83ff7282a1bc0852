"""A supplier as a SaaS has it, on its way to the ERP's supplier master."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from mlc_dagster.core.flows import DuplicateWording, Target
from mlc_dagster.core.vocabulary import ERP, Record
from mlc_dagster.systems.ifs.supplier_child_records import ContactPerson, PostalAddress, list_texts

SHARED = ("name", "country", "currency_code", "payment_terms", "email", "vat_no")
"""The fields of an IFS supplier that both sides may keep, by the names of its record."""


class Owner(Record, frozen=True, kw_only=True):
    """Whose value counts where a field was changed on both sides."""

    field: str  # one of SHARED, or contacts, or addresses
    side: Literal["ifs", "saas", "hold"]


class Partner(Record, frozen=True, kw_only=True):
    """A vendor or supplier of a SaaS. None: the SaaS does not keep the field, or is silent, and IFS keeps its own.

    An empty text: the SaaS keeps the field, and it is empty there.
    """

    external_ref: str  # "cin7-supplier-88": the system, the kind, its id there
    supplier_id: str | None = None  # the ERP's number, where the SaaS carries it
    name: str | None
    country: str | None = None  # ISO 3166, two letters
    currency_code: str | None = None
    payment_terms: str | None = None  # the ERP's code
    email: str | None = None
    vat_no: str | None = None
    contacts: tuple[ContactPerson, ...] | None = None  # None: none are shared
    addresses: tuple[PostalAddress, ...] | None = None  # likewise; their types are the ERP's
    has_whole_lists: bool = True  # False: the SaaS has a place for one contact, and for one address
    terms: tuple[str, ...] = ()  # the ERP's codes, where the name that the SaaS has stands for several
    may_create: bool = True  # a supplier that the ERP does not have is made there
    owners: tuple[Owner, ...] = ()  # of fields without one: the ERP

    def required(self) -> Iterator[tuple[str, object]]:
        yield "name", self.name

    def texts(self) -> Iterator[tuple[str, str | None, int]]:
        yield "name", self.name, 200
        yield "mail address", self.email, 200
        yield "tax number", self.vat_no, 50
        yield from list_texts(self.contacts, self.addresses)


PARTNERS = Target(
    ERP,
    "suppliers",
    Partner,
    batch=20,
    twice=DuplicateWording("IFS", "suppliers", "", "Block one of them, or rename it."),
    shares=True,
)


def owners_from(table: Mapping[str, str]) -> tuple[Owner, ...]:
    """{field: side} of mlc.yaml, but for what is the ERP's anyway: naming a default changes no record."""
    return tuple(Owner(field=name, side=_SIDES[side]) for name, side in sorted(table.items()) if side != "ifs")


def number_of(key: str | None) -> str | None:
    """The ERP's number from the text of a key that a SaaS carries; the way back of `key_text`. None: it has none."""
    return key.strip().replace("%2F", "/").replace("%25", "%") if key and key.strip() else None


def codes_of(name: str | None, terms: Mapping[str, str]) -> tuple[str, ...]:
    """The ERP's payment terms that a name in the SaaS stands for, sorted. `terms`: ERP code -> the name there."""
    wanted = (name or "").strip()
    return tuple(sorted(code for code, there in terms.items() if wanted and there.strip() == wanted))


def owners_of(owners: Iterable[Owner]) -> dict[str, str]:
    """Field -> side."""
    return {owner.field: owner.side for owner in owners}


_SIDES: dict[str, Literal["ifs", "saas", "hold"]] = {"ifs": "ifs", "saas": "saas", "hold": "hold"}
