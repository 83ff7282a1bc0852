"""Contact persons and addresses of a supplier, in the ERP's words: rows of its child entities, and what a SaaS has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlc_dagster.core.vocabulary import Record

PHONE, POSTCODE, TEXT = 50, 20, 100
"""Characters that the narrower side takes: Cin7's blueprint for phones and postcodes, the ERP's pages for the rest."""


class ContactPerson(Record, frozen=True, kw_only=True):
    """A person, or an office, that a supplier is reached by."""

    supplier_id: str | None = None  # in the ERP's own row
    contact_id: str | None = None  # as the side that it was read from calls it
    name: str | None = None
    phone: str | None = None
    mobile: str | None = None
    email: str | None = None
    is_primary: bool | None = None


class PostalAddress(Record, frozen=True, kw_only=True):
    """An address of a supplier, of one type."""

    supplier_id: str | None = None  # in the ERP's own row
    address_id: str | None = None  # as the side that it was read from calls it
    address_type: str | None = None  # "Document", "Delivery", "Visit", "Pay"
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    state: str | None = None
    zip_code: str | None = None
    country: str | None = None  # ISO 3166, two letters; in a list of Cin7 its full name


OWN_KEYS = {"contacts": "contact_id", "addresses": "address_id"}
"""List of a supplier -> the field that tells its rows apart."""


def list_texts(
    contacts: Iterable[ContactPerson] | None, addresses: Iterable[PostalAddress] | None
) -> Iterator[tuple[str, str | None, int]]:
    """(what, text, characters) of what either side has to hold."""
    for person in contacts or ():
        who = f"contact {person.name or '(no name)'}"
        yield f"{who}, name", person.name, TEXT
        yield f"{who}, phone", person.phone, PHONE
        yield f"{who}, mobile", person.mobile, PHONE
        yield f"{who}, mail address", person.email, 200
    for place in addresses or ():
        where = f"{place.address_type or 'business'} address"
        for name in ("address1", "address2", "city", "state"):
            yield f"{where}, {name}", getattr(place, name), TEXT
        yield f"{where}, postcode", place.zip_code, POSTCODE
