"""The one contact and the one address that a tenant's vendors may hold, where mlc.yaml says in which fields. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlc_dagster.core.duplicates import folded
from mlc_dagster.systems.airbase.api import Document
from mlc_dagster.systems.ifs.supplier_child_records import ContactPerson, PostalAddress
from mlc_dagster.systems.shared.supplier_lists import ADDRESSES, CONTACTS, FIELDS, Aligned, Lists, by_entry
from mlc_dagster.systems.shared.three_way_merge import DisagreementError

_CONTACT = {"contact_name": "name", "contact_phone": "phone", "contact_mobile": "mobile", "contact_email": "email"}
_ADDRESS = ("address1", "address2", "city", "state", "zip_code", "country")

Paths = Mapping[str, str]
"""Our field -> dotted path in a vendor."""


def details_in(row: Document, paths: Paths) -> Lists:
    """As lists of one, or of none; None of what mlc.yaml gives no place. The name is its id: another name is another
    person.
    """
    person: dict[str, Any] = {ours: text_at(row, paths[name]) for name, ours in _CONTACT.items() if name in paths}
    place = {name: text_at(row, paths[name]) for name in _ADDRESS if name in paths}
    people = (ContactPerson(contact_id=folded(person["name"]), **person),) if person.get("name") else ()
    places = (PostalAddress(address_id="1", **place),) if any(place.values()) else ()
    return Lists(people if person else None, places if place else None)


def primary_of(contacts: Sequence[ContactPerson] | None) -> tuple[ContactPerson, ...]:
    """The one that the ERP says is, or the only one there is."""
    first = [each for each in contacts or () if each.is_primary] or list(contacts or ())
    return (first[0],) if len(first) == 1 else ()


def main_address(addresses: Sequence[PostalAddress] | None, kind: str) -> tuple[PostalAddress, ...]:
    """The one of the type that mlc.yaml names, without its type: the other side has none."""
    found = [each for each in addresses or () if each.address_type in (kind, None)]
    return (found[0],) if len(found) == 1 else ()


def refuse_strangers(found: Aligned, agreed: Mapping[str, str] | None, title: str) -> None:
    """Raises DisagreementError where another person stands in the one place than whom the ERP would write there."""
    for of, name in ((CONTACTS, "name"), (ADDRESSES, "address1")):
        ours = {entry for entry, said in by_entry(found.ours, of).items() if said.get(name)}
        theirs = {entry for entry, said in by_entry(found.theirs, of).items() if said.get(name)}
        known = {each.rpartition("/")[0] for each in agreed or ()}
        if ours - theirs and (strange := theirs - ours - known):
            said = by_entry(found.theirs, of)[min(strange)]
            mine = by_entry(found.ours, of)[min(ours - theirs)]
            raise DisagreementError(
                f"{title} has a place for one of the supplier's {of}, and {said[name]!r} stands there; in IFS it is "
                f"{mine[name]!r}. Enter the right one in both."
            )


def whole_entries(ours: Mapping[str, str], found: Aligned) -> dict[str, dict[str, str]]:
    """Entry -> all that the ERP says of it, of those that Airbase does not have yet: nobody gets another's phone."""
    new = {**by_entry(ours, CONTACTS), **by_entry(ours, ADDRESSES)}
    return {
        entry: {field: said.get(field, "") for field in FIELDS[entry.partition("/")[0]]}
        for entry, said in new.items()
        if any(said.values()) and not found.id_of(entry, "saas")
    }


def with_details(
    body: dict[str, Any],
    written: Mapping[str, str],
    whole: Mapping[str, Mapping[str, str]],
    theirs: Document,
    paths: Paths,
) -> dict[str, Any]:
    """The body with what the ERP changed of them. `whole`: who takes the place of whoever stood there."""
    wire = {ours: name for name, ours in _CONTACT.items()}
    for of in (CONTACTS, ADDRESSES):
        for entry, changed in by_entry(written, of).items():
            for field, value in whole.get(entry, changed).items():
                if path := paths.get(wire[field] if of == CONTACTS else field):
                    body = placed_at(body, theirs, path.split("."), value)
    return body


def text_at(row: Any, path: str) -> str:
    """Empty where there is none."""
    for name in path.split("."):
        row = row.get(name) if isinstance(row, Mapping) else None
    return "" if row is None else str(row).strip()


def placed_at(body: Mapping[str, Any], theirs: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """The body with a value at a path; what stands beside it there is sent as it is."""
    first, rest = path[0], path[1:]
    if not rest:
        return {**body, first: value}
    below = body.get(first) if isinstance(body.get(first), Mapping) else theirs.get(first)
    inner = dict(below) if isinstance(below, Mapping) else {}
    return {**body, first: placed_at(inner, inner, rest, value)}
