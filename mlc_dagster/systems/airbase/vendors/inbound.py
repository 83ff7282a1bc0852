"""Vendors of Airbase on their way into the ERP. Pure."""

from __future__ import annotations

import msgspec

from mlc_dagster import rules
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.later_life import always_stands
from mlc_dagster.systems.airbase.mapping import VENDORS_FLOW
from mlc_dagster.systems.airbase.records import VENDOR_LIST, ListedVendor
from mlc_dagster.systems.ifs.supplier_records import PARTNERS, Partner, codes_of, number_of, owners_from


def partner_from_vendor(vendor: ListedVendor, facts: Facts) -> Partner:
    """A vendor in Airbase becomes a supplier of the ERP. Whether it is active there is Airbase's own business."""
    codes = codes_of(vendor.payment_term, facts.payment_terms)
    places, main = facts.table("vendor_details"), facts.options.get("main_address_type") or None
    cleared = vendor.payment_term == "" and bool(facts.payment_terms)
    return Partner(
        external_ref=facts.reference("airbase-vendor-", vendor.airbase_id),
        supplier_id=number_of(vendor.erp_reference_id),
        name=(vendor.name or "").strip() or None,
        payment_terms=codes[0] if len(codes) == 1 else "" if cleared else None,
        terms=codes if len(codes) > 1 else (),
        email=vendor.email,
        contacts=vendor.contacts if "contact_name" in places else None,
        addresses=tuple(msgspec.structs.replace(each, address_type=main) for each in vendor.addresses)
        if "address1" in places
        else None,
        has_whole_lists=not places,
        may_create=facts.options.get("create_suppliers_in_ifs") == "true",
        owners=owners_from(facts.table("supplier_owners")),
    )


def vendor_scope(vendor: ListedVendor, facts: Facts) -> str:
    """A vendor that nobody buys from any more is no matter of the ERP's: it makes no supplier, and changes none."""
    return "" if vendor.is_active else "not active in Airbase"


FLOWS = (
    Flow(
        "ifs/suppliers_from_airbase",
        VENDOR_LIST,
        PARTNERS,
        partner_from_vendor,
        rules=(
            rules.required_fields_are_given,
            rules.payment_term_has_a_code,
            rules.texts_fit,
            rules.bank_details_confirmed("airbase_id"),
        ),
        checks_accounts=False,
        scope=vendor_scope,
        writer=VENDORS_FLOW,
        fate=always_stands,
        pair=VENDORS_FLOW,
        description=(
            "Vendors that were entered in Airbase, and what people change of vendors there, in the ERP's supplier "
            "master: name, mail address, and payment terms where Airbase keeps them. A new one is found in the ERP by "
            "its name, or made there where mlc.yaml says so, and gets its number in Airbase with the next delivery of "
            "vendors. A vendor that is not active makes none and changes none."
        ),
    ),
)
