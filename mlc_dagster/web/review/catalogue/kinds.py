"""Differences: what was delivered, and does not agree any more."""

from __future__ import annotations

from mlc_dagster.web.review.catalogue.entry import ADMIN, AP, CONTROLLER, ERP_ITSELF, PURCHASING, Entry
from mlc_dagster.web.review.catalogue.entry import THERE as AT

_ACCEPT = "accept theirs, or correct it on one side"

KINDS = {
    "gone_in_the_source": Entry(
        "It no longer exists where it came from, and stands in the other system",
        "It was deleted after it was delivered.",
        "Void it where it stands, or accept.",
        AT,
        AP,
    ),
    "taken_back": Entry(
        "It was voided or rejected after it was delivered",
        "The other system has what was taken back.",
        "Decide each: reverse, accept or keep open.",
        ERP_ITSELF,
        f"{CONTROLLER}, two people",
    ),
    "changed_after_posting": Entry(
        "It was changed after it was posted",
        "The other system has the former content.",
        f"Correct what is posted by hand; or {_ACCEPT}.",
        ERP_ITSELF,
        CONTROLLER,
    ),
    "deleted_in_the_target": Entry(
        "It was deleted in {there}",
        "We delivered it, and people deleted or archived it.",
        "Make it again, or accept.",
        AT,
        AP,
    ),
    "edited_in_the_target": Entry(
        "It was changed in {there}: {value}",
        "A person entered another value than we delivered.",
        f"Decide: {_ACCEPT}.",
        AT,
        AP,
    ),
    "merged_in_the_target": Entry(
        "It was merged into another record of {there}",
        "It is not known which record it is now.",
        "Say on the record which one it is.",
        AT,
        PURCHASING,
    ),
    "moved_in_the_target": Entry(
        "It was moved in {there}",
        "It is not where it was delivered to.",
        "Move it back, or accept.",
        AT,
        ADMIN,
    ),
    "voided_in_the_target": Entry(
        "It was voided in {there}",
        "We delivered it, and people voided it there.",
        "Make it again, or accept.",
        AT,
        CONTROLLER,
    ),
    "extra_in_the_target": Entry(
        "{there} has a document of ours that nobody delivered",
        "It carries our reference, and the ledger does not know it.",
        "Void it in {there}, or accept that it stays.",
        AT,
        AP,
    ),
    "stamped_in_another_zone": Entry(
        "IFS stamps its rows in another time zone than mlc.yaml says",
        "Days are cut by stamps: rows may be read late, or on another day.",
        "Say ifs.time_zone in mlc.yaml, read the days again, then accept.",
        ERP_ITSELF,
        ADMIN,
    ),
    "someone_insists": Entry(
        "It was put back, and changed in {there} again: {value}",
        "Somebody insists on his value.",
        f"Ask who it was; then {_ACCEPT}.",
        AT,
        AP,
    ),
    "probable_double": Entry(
        "Two of our records look like one",
        "A payment under two ids, a name in two spellings, one VAT number.",
        "Compare the two; merge them, or accept that they are two.",
        AT,
        AP,
    ),
    "inactive_in_the_target": Entry(
        "It is inactive in {there}",
        "People switched it off there.",
        "Activate it in {there}, or accept.",
        AT,
        ADMIN,
    ),
    "invoiced_more_than_ordered": Entry(
        "More is invoiced than was ordered: {value}",
        "The invoices of an order come to more than the order.",
        "Correct the order or the invoice in the ERP, or accept it.",
        AT,
        AP,
    ),
    "other_tax": Entry(
        "{there} computes another tax: {value}",
        "The tax differs from the ERP's.",
        f"Correct the tax rule in {{there}}; or {_ACCEPT}.",
        AT,
        CONTROLLER,
    ),
    "other_discount": Entry(
        "{there} gives another discount: {value}",
        "The buyer's discount changes the total.",
        f"Remove it in {{there}}; or {_ACCEPT}.",
        AT,
        PURCHASING,
    ),
    "other_rate": Entry(
        "{there} uses another exchange rate",
        "The amount in the base currency differs.",
        f"Correct the rate in {{there}}; or {_ACCEPT}.",
        AT,
        CONTROLLER,
    ),
    "other_total_in_the_target": Entry(
        "{there} adds up another total: {value}",
        "The invoice's total differs from the ERP's.",
        f"Correct the lines in {{there}}; or {_ACCEPT}.",
        AT,
        AP,
    ),
    "other_number_in_the_target": Entry(
        "{there} has it under another number: {value}",
        "People gave it another invoice number.",
        f"Correct the number in {{there}}; or {_ACCEPT}.",
        AT,
        AP,
    ),
    "other_status_in_the_target": Entry(
        "{there} has it in another status: {value}",
        "People changed the invoice's status.",
        f"Correct the status in {{there}}; or {_ACCEPT}.",
        AT,
        AP,
    ),
    "added_in_the_target": Entry(
        "{there} has lines that people added",
        "They change what the document is worth.",
        f"Take them out in {{there}}; or {_ACCEPT}.",
        AT,
        AP,
    ),
    "kept_in_the_target": Entry(
        "{there} keeps a value that people entered: {value}",
        "Ours was not written over it.",
        f"Decide: {_ACCEPT}.",
        AT,
        ADMIN,
    ),
    "monday_kept_it": Entry(
        "{there} kept another value than was sent: {value}",
        "The column cannot hold it.",
        "Let an administrator of {there} change the column, or accept.",
        AT,
        ADMIN,
    ),
}
