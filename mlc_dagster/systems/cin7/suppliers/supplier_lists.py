"""Contacts and addresses as Cin7 keeps them with a supplier, and what is changed of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlc_dagster.systems.cin7.api import Document
from mlc_dagster.systems.cin7.records import Supplier
from mlc_dagster.systems.cin7.suppliers.address_types import in_erp_words
from mlc_dagster.systems.ifs.supplier_child_records import ContactPerson, PostalAddress
from mlc_dagster.systems.shared.countries import COUNTRIES
from mlc_dagster.systems.shared.supplier_lists import ADDRESSES, CONTACTS, Aligned, Lists, by_entry

MARK = "IFS "
"""What the comment of our own contact begins with; the ERP's key follows."""

_CONTACT = {"name": "Name", "phone": "Phone", "mobile": "MobilePhone", "email": "Email"}
_ADDRESS = {
    "address1": "Line1",
    "address2": "Line2",
    "city": "City",
    "state": "State",
    "zip_code": "Postcode",
    "country": "Country",
}


def is_ours(contact: Document) -> bool:
    """The contact that holds the supplier's own mail address, and is no person."""
    return str(contact.get("Comment") or "").startswith(MARK)


def contacts_in(row: Document) -> tuple[ContactPerson, ...]:
    """The people of a supplier, but for our own contact."""
    people = [each for each in row.get("Contacts") or () if not is_ours(each)]
    return tuple(
        ContactPerson(contact_id=_id(each), is_primary=bool(each.get("Default")), **_texts(each, _CONTACT))
        for each in people
    )


def addresses_in(row: Document) -> tuple[PostalAddress, ...]:
    """The addresses of a supplier, with Cin7's types and countries."""
    return tuple(
        PostalAddress(address_id=_id(each), address_type=str(each.get("Type") or "") or None, **_texts(each, _ADDRESS))
        for each in row.get("Addresses") or ()
    )


def lists_in(row: Document | None, record: Supplier, types: Mapping[str, str]) -> Lists:
    """Both in the ERP's words, where the record has them too; addresses of types that it does not know are Cin7's own.

    `types`: the ERP's address types -> Cin7's.
    """
    found, own = row or {}, in_erp_words(addresses_in(row or {}), types)
    return Lists(
        contacts_in(found) if record.contacts is not None else None,
        tuple(each for each in own if each.address_type) if record.addresses is not None else None,
    )


def with_entries(
    body: Mapping[str, Any], written: Mapping[str, str], found: Aligned, types: Mapping[str, str]
) -> dict[str, Any]:
    """The supplier as it is sent, with what the ERP changed of its contacts and addresses; each keeps Cin7's ID."""
    people = _with(body["Contacts"], written, found, CONTACTS)
    places = _with(body["Addresses"], written, found, ADDRESSES, types)
    return {**body, "Contacts": people, "Addresses": places}


def _with(
    rows: Sequence[Document],
    written: Mapping[str, str],
    found: Aligned,
    of: str,
    types: Mapping[str, str] | None = None,
) -> list[Document]:
    changed = list(rows)
    for entry, said in by_entry(written, of).items():
        values = _on_wire(said, of)
        known = found.id_of(entry, "saas").casefold()
        place = next((at for at, row in enumerate(changed) if known and _id(row).casefold() == known), None)
        if place is not None:
            changed[place] = {**changed[place], **values}
        elif of == CONTACTS:
            changed.append({**values, "Default": not changed})
        else:
            kind = (types or {}).get(found.types.get(entry, ""), "")
            is_first = not any(row.get("Type") == kind for row in changed)
            changed.append({**values, "Type": kind, "DefaultForType": is_first})
    return changed


def _on_wire(said: Mapping[str, str], of: str) -> dict[str, str]:
    names = _CONTACT if of == CONTACTS else _ADDRESS
    return {names[name]: COUNTRIES.get(value, value) if name == "country" else value for name, value in said.items()}


def _id(row: Document) -> str:
    return str(row.get("ID") or "")


def _texts(row: Document, names: Mapping[str, str]) -> dict[str, str]:
    return {ours: str(row.get(theirs) or "") for ours, theirs in names.items()}
