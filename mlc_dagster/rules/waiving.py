"""What a person may let pass, and what nobody can: a decision never breaks the books. Pure."""

from __future__ import annotations

from collections.abc import Iterable

NOTHING_TO_SEND = "there is nothing that could be sent in its place"
TARGET_NEEDS_IT = "the target would refuse the record, or book it elsewhere"
TWICE_IN_THE_BOOKS = "it would be in the books twice"
BOOKS_WOULD_BE_WRONG = "the books of the two systems would differ"

UNWAIVABLE = {
    "record_is_readable": NOTHING_TO_SEND,
    "record_can_be_mapped": NOTHING_TO_SEND,
    "required_fields_are_given": TARGET_NEEDS_IT,
    "gl_accounts_exist": TARGET_NEEDS_IT,
    "accounts_are_in_the_following_ledger": BOOKS_WOULD_BE_WRONG,
    "address_type_is_mapped": TARGET_NEEDS_IT,
    "code_parts_exist": TARGET_NEEDS_IT,
    "company_is_mapped": TARGET_NEEDS_IT,
    "payment_term_is_mapped": TARGET_NEEDS_IT,
    "tax_rule_is_mapped": TARGET_NEEDS_IT,
    "products_exist": TARGET_NEEDS_IT,
    "location_exists": TARGET_NEEDS_IT,
    "subsidiary_exists": TARGET_NEEDS_IT,
    "supplier_exists": TARGET_NEEDS_IT,
    "supplier_is_delivered": TARGET_NEEDS_IT,
    "customer_is_delivered": TARGET_NEEDS_IT,
    "order_is_delivered": TARGET_NEEDS_IT,
    "invoice_is_delivered": TARGET_NEEDS_IT,
    "is_not_cancelled": BOOKS_WOULD_BE_WRONG,
    "texts_fit": TARGET_NEEDS_IT,
    "amounts_fit": BOOKS_WOULD_BE_WRONG,
    "amounts_add_up": BOOKS_WOULD_BE_WRONG,
    "voucher_balances": BOOKS_WOULD_BE_WRONG,
    "currency_is_the_suppliers": BOOKS_WOULD_BE_WRONG,
    "currency_is_known": TARGET_NEEDS_IT,
    "not_posted_already": TWICE_IN_THE_BOOKS,
    "is_not_reversed": TWICE_IN_THE_BOOKS,
    "reversal_is_certain": BOOKS_WOULD_BE_WRONG,
    "currency_is_in_the_portal": TARGET_NEEDS_IT,
    "is_not_a_credit_note": BOOKS_WOULD_BE_WRONG,
    "prices_are_not_negative": TARGET_NEEDS_IT,
    "request_names_its_invoice": TARGET_NEEDS_IT,
    "invoice_is_not_made_payable": BOOKS_WOULD_BE_WRONG,
}
"""Rule -> why no release waives it."""

BANK_DETAILS_DIFFER = "bank_details_agree"
"""What stands on the other side is neither the ERP's nor what was sent there last: nothing is written over it."""

FOUR_EYES = frozenset({"bank_details_are_confirmed", BANK_DETAILS_DIFFER})
"""Released by two different people, one record at a time."""

TAKEN_AS_KNOWN = "not_changed_after_posting"
"""Released, the new content counts as known, and nothing is written: what is posted stays as it is."""

DELETED = "deleted_in_the_target"
"""What people deleted does not come back by itself; released, it is made again."""

WAS_CANCELLED = "was_cancelled_by_a_person"
"""A document under our own reference is cancelled, voided or closed in the target: that is a decision."""

AS_DELIVERED = "target_is_as_delivered"
"""Nobody edited it there, or a person said what counts: of flows whose verify.policy is hold."""

TWIN = "is_no_probable_double"
"""Its source does not have the same document under another id, which was entered."""

IN_THE_TARGET = frozenset({"may_be_this_company", "may_be_this_deal", DELETED, AS_DELIVERED, WAS_CANCELLED})
"""Held for what people keep, cancelled or deleted in the target: they say there, or in mlc.yaml, what it is."""

AT_THE_LOAD = IN_THE_TARGET | {
    TWIN,
    "target_accepts_it",
    "is_still_in_the_source",
    "is_owned_by_another_key",
    "target_answered",
    TAKEN_AS_KNOWN,
    "both_sides_agree",
    BANK_DETAILS_DIFFER,
}
"""Rules that the load asks. Their holds show the target's record; released, it is tried again at the next load."""


def unwaivable(rules: Iterable[str]) -> dict[str, str]:
    """Of these rules those that no release waives, each with the reason."""
    return {rule: UNWAIVABLE[rule] for rule in rules if rule in UNWAIVABLE}
