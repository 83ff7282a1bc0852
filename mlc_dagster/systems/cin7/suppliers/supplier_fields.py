"""What a supplier in Cin7 says of the fields that the ERP keeps too, and a supplier of the ERP beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from mlc_dagster.core.outcomes import Agreed, Draft
from mlc_dagster.core.vocabulary import version_of
from mlc_dagster.systems.cin7.api import Document
from mlc_dagster.systems.cin7.records import Contact, Supplier
from mlc_dagster.systems.cin7.suppliers.supplier_lists import MARK as MARK
from mlc_dagster.systems.cin7.suppliers.supplier_lists import is_ours, lists_in
from mlc_dagster.systems.shared.countries import COUNTRIES
from mlc_dagster.systems.shared.json_values import moment
from mlc_dagster.systems.shared.supplier_lists import aligned
from mlc_dagster.systems.shared.supplier_match import CodeNames, SupplierMatch

OF_SUPPLIER = {"name": "Name", "currency_code": "Currency", "payment_terms": "PaymentTerm", "vat_no": "TaxNumber"}
"""Shared field -> its name in Cin7, of those that stand in the supplier itself."""


def code_names(terms: Mapping[str, str]) -> CodeNames:
    return CodeNames("Cin7", terms, COUNTRIES)


def supplier_reference(row: Document) -> str:
    """How a supplier in Cin7 is called elsewhere; Cin7 writes one id in upper case here and lower case there."""
    return f"cin7-supplier-{str(row['ID']).casefold()}"


def shared_fields(row: Document) -> dict[str, str]:
    """The shared fields in Cin7's own words. Left out: what Cin7 does not answer, and what nothing there could hold: a
    country without an address.
    """
    values = {name: str(row[field] or "") for name, field in OF_SUPPLIER.items() if field in row}
    if (contact := _mailed(row.get("Contacts") or [])) is not None and "Email" in contact:
        values["email"] = str(contact["Email"] or "")
    addresses = [each for each in row.get("Addresses") or [] if each.get("Type") == "Business"]
    return {**values, "country": str(addresses[0].get("Country") or "")} if addresses else values


def _mailed(contacts: Sequence[Document]) -> Document | None:
    """Our own contact by its mark, else the default one."""
    ours = [each for each in contacts if is_ours(each)]
    default = [each for each in contacts if each.get("Default")]
    return next(iter([*ours, *default]), None)


def match_supplier(
    draft: Draft, code_names: CodeNames, row: Document | None, types: Mapping[str, str] | None = None
) -> SupplierMatch:
    """`types`: the ERP's address types -> Cin7's. Raises DisagreementError where a person must decide."""
    record: Supplier = draft.record
    ours = {
        "name": record.name,
        "currency_code": record.currency,
        "payment_terms": record.payment_term,
        "vat_no": record.tax_number,
        "email": record.contact.email if record.contact else "",
        "country": record.country,
    }
    theirs: dict[str, Any] = dict(shared_fields(row)) if row else {}
    if record.addresses is not None:  # which have their countries themselves
        ours.pop("country")
        theirs.pop("country", None)
    lists = aligned(record, lists_in(row, record, types or {}), draft.agreed(record.key))
    return SupplierMatch(draft, code_names, ours, theirs, lists)


def only_changes(record: Supplier, match: SupplierMatch, row: Document) -> Supplier:
    """The supplier with only those of the shared fields that Cin7 is to take; None: Cin7 keeps its own."""
    name = str(row["Name"]) if match.leaves("name") else record.name
    changes: dict[str, Any] = {
        "name": name,
        "currency": None if match.leaves("currency_code") else record.currency,
        "payment_term": None if match.leaves("payment_terms") else record.payment_term,
        "tax_number": None if match.leaves("vat_no") else match.written.get("vat_no", record.tax_number),
        "country": None if match.leaves("country") else record.country,
        "contact": _contact(record, match, name or "", row),
    }
    return msgspec.structs.replace(record, **changes)


def _contact(record: Supplier, match: SupplierMatch, name: str, row: Document) -> Contact | None:
    """Our own contact has the supplier's name, whoever's address. IFS clears an address on our own contact alone."""
    mark = f"{MARK}{record.key}"
    marked = any(each.get("Comment") == mark for each in row.get("Contacts") or [])
    email = shared_fields(row)["email"] if match.takes("email") else match.ours["email"]
    if marked:
        cleared = not email and "email" not in match.written and not match.takes("email")
        return None if cleared else Contact(name=name, email=email, mark=mark)
    return Contact(name=name, email=email, mark=mark) if email and not match.takes("email") else None


def agreed_values(
    draft: Draft, match: SupplierMatch, row: Document, types: Mapping[str, str], *, wrote: bool
) -> tuple[str, Agreed]:
    """(the ERP's key, what both agree on), of the supplier as Cin7 answered it, with the ids of what it made."""
    record: Supplier = draft.record
    modified = row.get("LastModifiedOn")
    lists = aligned(record, lists_in(row, record, types), draft.agreed(record.key))
    version = version_of(moment(modified)) if modified else ""
    return match.agreed_values(shared_fields(row), version, supplier_reference(row), wrote=wrote, lists=lists)
