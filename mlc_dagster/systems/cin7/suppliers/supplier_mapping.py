"""IFS suppliers become Cin7 suppliers. Pure."""

from __future__ import annotations

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.vocabulary import key_text
from mlc_dagster.systems.cin7.records import Contact, Supplier
from mlc_dagster.systems.cin7.suppliers.address_types import shared_addresses
from mlc_dagster.systems.ifs import records as ifs
from mlc_dagster.systems.ifs.supplier_records import owners_from
from mlc_dagster.systems.shared.countries import COUNTRIES


def supplier_from_ifs(supplier: ifs.Supplier, facts: Facts) -> Supplier:
    """An IFS supplier becomes a Cin7 supplier; a blocked one is deprecated there."""
    key, is_whole = key_text(supplier.supplier_id), facts.options.get("supplier_details") == "true"
    addresses = shared_addresses(supplier.addresses, facts) if is_whole else None
    return Supplier(
        key=key,
        slot=facts.options.get("external_key", ""),
        attribute_set=facts.options.get("attribute_set", ""),
        name=(supplier.name or "").strip() or None,
        currency=supplier.currency_code,
        payment_term=facts.payment_terms.get(supplier.payment_terms or ""),
        tax_rule=facts.options.get("tax_rule"),
        payable_account=facts.books.payable_account,
        status="Deprecated" if supplier.blocked else "Active",
        tax_number=supplier.vat_no,
        comments=supplier.notes,
        contact=_contact(supplier, key),
        country=None if addresses is not None else COUNTRIES.get((supplier.country or "").upper()),
        contacts=supplier.contacts if is_whole else None,
        addresses=addresses,
        owners=owners_from(facts.table("supplier_owners")),
    )


def _contact(supplier: ifs.Supplier, key: str) -> Contact | None:
    """IFS keeps one address for mail and no person; the mark finds this contact again when name and address change."""
    named = (supplier.name or "").strip()
    return Contact(name=named, email=supplier.email.strip(), mark=f"IFS {key}") if supplier.email and named else None
