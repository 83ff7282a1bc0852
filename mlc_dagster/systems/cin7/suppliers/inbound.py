"""Suppliers of Cin7 on their way into the ERP. Pure."""

from __future__ import annotations

from mlc_dagster import rules
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.later_life import always_stands
from mlc_dagster.systems.cin7.mapping import SUPPLIERS_FLOW
from mlc_dagster.systems.cin7.records import SUPPLIER_LIST, ListedSupplier
from mlc_dagster.systems.cin7.suppliers.address_types import TABLE, address_type_is_mapped, in_erp_words
from mlc_dagster.systems.ifs.supplier_records import PARTNERS, Partner, codes_of, number_of, owners_from
from mlc_dagster.systems.shared.countries import COUNTRIES

_CODES = {name: code for code, name in COUNTRIES.items()}


def partner_from_supplier(supplier: ListedSupplier, facts: Facts) -> Partner:
    """A supplier in Cin7 becomes one of the ERP. A country that has no code here says nothing."""
    codes, is_whole = codes_of(supplier.payment_term, facts.payment_terms), _is_whole(facts)
    return Partner(
        external_ref=facts.reference("cin7-supplier-", supplier.id.casefold()),
        supplier_id=number_of(supplier.erp_key),
        name=(supplier.name or "").strip() or None,
        country=_CODES.get((supplier.country or "").strip()),
        currency_code=supplier.currency or None,
        payment_terms=codes[0] if len(codes) == 1 else None,
        terms=codes if len(codes) > 1 else (),
        email=supplier.email,
        vat_no=supplier.tax_number,
        contacts=supplier.contacts if is_whole else None,
        addresses=in_erp_words(supplier.addresses, facts.table(TABLE)) if is_whole else None,
        may_create=facts.options.get("create_suppliers_in_ifs") == "true",
        owners=owners_from(facts.table("supplier_owners")),
    )


def _is_whole(facts: Facts) -> bool:
    return facts.options.get("supplier_details") == "true"


def only_in_cin7(supplier: ListedSupplier, facts: Facts) -> str:
    """One without a key is the ERP's business where it is made there; it gets its key when the ERP has it.

    Where there is no slot for a key its name tells.
    """
    may_be_known = supplier.erp_key or supplier.uses_other_attributes or not facts.options.get("attribute_set")
    if may_be_known or facts.options.get("create_suppliers_in_ifs") == "true":
        return ""
    return "it has no key of the ERP, and cin7.create_suppliers_in_ifs is false"


FLOWS = (
    Flow(
        "ifs/suppliers_from_cin7",
        SUPPLIER_LIST,
        PARTNERS,
        partner_from_supplier,
        rules=(
            rules.required_fields_are_given,
            rules.payment_term_has_a_code,
            rules.texts_fit,
            address_type_is_mapped,
            rules.bank_details_confirmed("id"),
        ),
        checks_accounts=False,
        scope=only_in_cin7,
        writer=SUPPLIERS_FLOW,
        fate=always_stands,
        pair=SUPPLIERS_FLOW,
        description=(
            "What people change of suppliers in Cin7, in the ERP's supplier master: name, country, currency, payment "
            "term, mail address, tax number, and where cin7.supplier_details is on its contact persons and addresses, "
            "which go to the child entities that hold them. Where both sides changed a field, the owner's value "
            "counts, or the record waits for a person, who sees both. Nothing else of the supplier is touched."
        ),
    ),
)
