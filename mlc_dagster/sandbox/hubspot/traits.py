"""In what portals of HubSpot differ, each with what is known of it (facts/saas-doubts.md, section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mlc_dagster.sandbox.profiles import Profile


@dataclass(frozen=True)
class Traits:
    """One portal's ways. What nobody knows of HubSpot comes in each form that plausibly exists."""

    amount_billed: Literal["computed", "writable", "read_only"] = "computed"
    """Beside line items: written and overwritten, written and kept, or refused with READ_ONLY_VALUE (2.4)."""
    tells_read_only: bool = True  # whether the property's definition says what is read-only
    total_of: Literal["all_lines", "first_line"] = "all_lines"  # until somebody edits the invoice (2.5)
    total_lags: int = 0  # reads that still show the total from before (2.5)
    past_due_refused: Literal["billable", "always"] = "billable"  # due dates that have passed (2.15)
    numbers_are_unique: bool = False  # whether hs_number may be used twice (2.7)
    merged_ids_lead_on: bool = True  # whether a batch read by the id of a merged record is answered (2.1)
    associations_name: Literal["new", "old"] = "new"  # which id of a merged record associations answer (2.1)
    archived_keys_stay_taken: bool = False  # whether the recycle bin keeps a unique value (2.2)
    search_lags: bool = False  # the index knows what was there at the last `reindex` alone (2.14)
    may_read_limits: bool = True  # whether the token may ask for quotas and schemas (2.11)
    association_limit: int = 0  # records of one type on one record, as an admin may set it (2.10); 0: none
    required_of_companies: str = ""  # properties that an admin requires on create, with commas between (2.8)


PROFILES = {
    "recorded": Profile(
        "A portal as others recorded it: what was written a moment ago is not found by its search.",
        traits={"search_lags": True},
    ),
    "computing": Profile(
        "A portal that computes the total of an invoice, and refuses the one that it is sent.",
        traits={"amount_billed": "read_only", "tells_read_only": False},
    ),
    "first-line": Profile(
        "A portal that counts the first line alone, until the total is written.",
        traits={"amount_billed": "writable", "total_of": "first_line"},
    ),
    "lagging": Profile(
        "A portal whose search and totals lag, and where a merged company is answered under its old id.",
        traits={"search_lags": True, "total_lags": 1, "merged_ids_lead_on": False, "associations_name": "old"},
    ),
    "ruled": Profile(
        "A portal whose admin requires properties of new companies, and whose token may not ask for limits.",
        traits={"required_of_companies": "city,description", "may_read_limits": False, "numbers_are_unique": True},
        settings={"defaults": {"companies": {"city": "unknown", "description": "From IFS"}}},
    ),
    "bin-keeps-keys": Profile(
        "A portal whose recycle bin keeps the unique values of what was deleted.",
        traits={"archived_keys_stay_taken": True},
    ),
}
