"""The kinds of difference between the two sides of a delivered record, as the ledger keeps them. Words, and no logic.

What a write's own look back finds has kinds of its own, which stand where that write is.
"""

from __future__ import annotations

# --- what became of it in the source, told by a sweep or by its own flow ----------------------------------------------

GONE_IN_THE_SOURCE = "gone_in_the_source"
TAKEN_BACK = "taken_back"
"""Voided, rejected, denied, cancelled or deleted, by a status that the source states: never by absence."""
CHANGED_AFTER_POSTING = "changed_after_posting"
"""Amended after the voucher, invoice or proposal was entered that it became."""

SOURCE_SIDE = (GONE_IN_THE_SOURCE, TAKEN_BACK, CHANGED_AFTER_POSTING)

# --- what became of it in the target, told by verify ------------------------------------------------------------------

DELETED_IN_THE_TARGET = "deleted_in_the_target"
"""Archived counts as deleted; the detail says which."""
EDITED_IN_THE_TARGET = "edited_in_the_target"
MERGED_IN_THE_TARGET = "merged_in_the_target"
MOVED_IN_THE_TARGET = "moved_in_the_target"
VOIDED_IN_THE_TARGET = "voided_in_the_target"
EXTRA_IN_THE_TARGET = "extra_in_the_target"
"""An object that carries our key or reference, and that the ledger does not know."""
SOMEONE_INSISTS = "someone_insists"
"""It was restored once, and edited back."""

TARGET_SIDE = (
    DELETED_IN_THE_TARGET,
    EDITED_IN_THE_TARGET,
    MERGED_IN_THE_TARGET,
    MOVED_IN_THE_TARGET,
    VOIDED_IN_THE_TARGET,
    EXTRA_IN_THE_TARGET,
    SOMEONE_INSISTS,
)

# --- what two records of ours are to each other -----------------------------------------------------------------------

PROBABLE_DOUBLE = "probable_double"
"""Two of ours that look like one: a payment under two ids, a name in two spellings, a VAT number of another."""

# --- what a record that we made says of the system as a whole ---------------------------------------------------------

STAMPED_IN_ANOTHER_ZONE = "stamped_in_another_zone"
"""A row that was made just now bears another time than mlc.yaml lets us expect: days are cut by stamps."""

ONE_FOR_A_FLOW = (STAMPED_IN_ANOTHER_ZONE,)
"""Open under one record at a time: a second one says nothing new."""
