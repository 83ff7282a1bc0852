"""What Procurify says of a bill after it was posted. Pure."""

from __future__ import annotations

import msgspec

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.later_life import Fate
from mlc_dagster.systems.procurify import statuses
from mlc_dagster.systems.procurify.records import Bill

DENIED, WITHDRAWN = 3, 5


def fate_of(bill: Bill, facts: Facts) -> Fate | None:
    """By its status or type; a draft, and what waits for approval again, may come back. A state that Procurify did not
    have when this was written is held: what it means is for a person.
    """
    if statuses.is_of_no_known_state(bill) or statuses.belongs_in_the_books(bill, facts):
        return None
    return Fate(statuses.why_not_a_bill(bill, facts), is_final=bill.status in (DENIED, WITHDRAWN))


def content_of(bill: Bill) -> Bill:
    """What enters the books, without how far it is on its way to be paid."""
    return msgspec.structs.replace(bill, status=0, version=None, last_modified=None)
