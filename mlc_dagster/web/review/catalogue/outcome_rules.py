"""Holds for what a target answered, what people did there, and what guards stopped."""

from __future__ import annotations

from mlc_dagster.web.review.catalogue.entry import (
    ADMIN,
    AP,
    CONTROLLER,
    ENGINEER,
    ERP_ITSELF,
    MAPPED,
    PURCHASING,
    Entry,
)
from mlc_dagster.web.review.catalogue.entry import THERE as AT

RULES = {
    "target_accepts_it": Entry(
        "{there} refused it",
        "Its own words stand on the record, unshortened.",
        "Put right what {there} names; it is tried again once a day, or released now.",
        AT,
        ADMIN,
    ),
    "target_answered": Entry(
        "{there} did not answer; it is looked up before anything is sent again",
        "It may be there already: nothing is sent twice.",
        "Nothing yet. After an hour it is the engineer's.",
        AT,
        ENGINEER,
    ),
    "record_is_readable": Entry(
        "A row could not be read: {value}",
        "There is nothing that could be sent.",
        "Correct the row where it comes from.",
        ERP_ITSELF,
        ENGINEER,
    ),
    "record_can_be_mapped": Entry(
        "The record cannot be brought into the form of {there}",
        "There is nothing that could be sent.",
        "Tell the data engineer.",
        MAPPED,
        ENGINEER,
    ),
    "is_no_probable_double": Entry(
        "The same document was entered under another id: {value}",
        "Company, kind, number, day, amount and currency are alike; one of them was entered before.",
        "Delete one of the two where they come from, or release it: it is another one.",
        ERP_ITSELF,
        AP,
    ),
    "guards_allow_it": Entry(
        "More would be written than is allowed in one run",
        "A guard stopped the run before its first write.",
        "Look at the plan; raise the guard in mlc.yaml for this run.",
        MAPPED,
        f"{ENGINEER} and {CONTROLLER}",
    ),
    "both_sides_agree": Entry(
        "A value changed on both sides: {value}",
        "Nobody has said which side counts.",
        "Enter the right value on both sides, or name an owner in mlc.yaml.",
        AT,
        PURCHASING,
    ),
    "not_discarded": Entry(
        "It was discarded, and has changed since",
        "The decision was about another content.",
        "Decide again: release or discard.",
        ERP_ITSELF,
        AP,
    ),
    "not_changed_after_posting": Entry(
        "It changed after it was posted in {there}",
        "What is posted there stays as it is.",
        "Correct it in {there} by hand, then release: it counts as known.",
        AT,
        AP,
    ),
    "deleted_in_the_target": Entry(
        "People deleted it in {there}",
        "What people deleted does not come back by itself.",
        "Release it to have it made again, or discard it.",
        AT,
        AP,
    ),
    "was_cancelled_by_a_person": Entry(
        "People cancelled or closed it in {there}",
        "A document under our own reference was cancelled: that is a decision.",
        "Reopen it in {there}, or discard it here.",
        AT,
        AP,
    ),
    "target_is_as_delivered": Entry(
        "It was edited in {there}: {value}",
        "A new delivery would write over what a person entered.",
        "Accept theirs, or put ours back in {there}.",
        AT,
        AP,
    ),
    "is_still_in_the_source": Entry(
        "It is no longer in its source",
        "It was deleted there before it was delivered.",
        "Nothing, or enter it again there.",
        ERP_ITSELF,
        AP,
    ),
    "is_owned_by_another_key": Entry(
        "{there} has it as the document of another record: {value}",
        "One document would stand for two of ours.",
        "Correct the reference in {there}.",
        AT,
        ADMIN,
    ),
    "item_is_not_archived": Entry(
        "The item is archived in {there}",
        "What people archived does not come back by itself.",
        "Restore it in {there}, or discard it here.",
        AT,
        ADMIN,
    ),
    "item_is_not_deleted": Entry(
        "The item is deleted in {there}",
        "What people deleted does not come back by itself.",
        "Restore it in {there}, or discard it here.",
        AT,
        ADMIN,
    ),
    "item_is_on_its_board": Entry(
        "The item was moved to another board of {there}",
        "Its columns are others there.",
        "Move it back, or discard it here.",
        AT,
        ADMIN,
    ),
    "monday_kept_it": Entry(
        "{there} kept another value than was sent: {value}",
        "The column cannot hold it.",
        "Let an administrator of {there} change the column.",
        AT,
        ADMIN,
    ),
}
