"""Holds for whom a record is about: is a supplier, company or deal the one that is meant; bank details."""

from __future__ import annotations

from mlc_dagster.web.review.catalogue.entry import (
    ADMIN,
    AP,
    ENGINEER,
    ERP_ITSELF,
    MAPPED,
    PURCHASING,
    Entry,
)
from mlc_dagster.web.review.catalogue.entry import THERE as AT

RULES = {
    "vendor_is_one_supplier": Entry(
        "The vendor's id {value} is another supplier than it was linked with",
        "The document would be booked on another supplier.",
        "Correct the external id in {there}.",
        AT,
        PURCHASING,
    ),
    "vendor_is_matched": Entry(
        "Vendor {value} could be several of {there}'s, or none",
        "It would be written to a wrong vendor.",
        "Give the vendor its external id in {there}.",
        AT,
        PURCHASING,
    ),
    "is_not_known_under_another_key": Entry(
        "Supplier or customer is known already: {value}",
        "The same VAT number, or name and country, was delivered under another key.",
        "Merge the two in IFS, or release this one as another company.",
        ERP_ITSELF,
        PURCHASING,
    ),
    "may_be_this_company": Entry(
        "{there} has a company that may be this one: {value}",
        "A second company of one supplier would be made.",
        "Give the company its key in {there}, or release to make a new one.",
        AT,
        ADMIN,
    ),
    "may_be_this_deal": Entry(
        "{there} has a deal that may be this one: {value}",
        "A second deal would be made.",
        "Give the deal its key in {there}, or release to make a new one.",
        AT,
        ADMIN,
    ),
    "address_type_is_mapped": Entry(
        "Address type {value} stands for none of the other side",
        "The address would be entered as one of another kind, or be lost.",
        "Name it below cin7.address_types in mlc.yaml (empty: not shared), or change its type.",
        MAPPED,
        ENGINEER,
    ),
    "bank_details_agree": Entry(
        "Bank details in {there} are not the ERP's",
        "Money may be sent to another account than the supplier's.",
        "Call the supplier on a known number, and correct the side that is wrong by hand. Two people release it; it "
        "is compared anew, and never written over.",
        AT,
        f"{AP}, two people",
    ),
    "bank_details_are_confirmed": Entry(
        "Bank details of a vendor are new or changed",
        "Money may be sent to another account than the supplier's.",
        "Call the supplier on a known number. Two people release it.",
        ERP_ITSELF,
        f"{AP}, two people",
    ),
}
