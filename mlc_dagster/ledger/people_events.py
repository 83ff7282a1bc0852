"""Which lines of the trail tell what people decided: they are listed by an index of their own."""

from __future__ import annotations

from mlc_dagster.ledger.entries import Event

BY_PEOPLE = (
    Event.RELEASED,
    Event.RELEASED_ONCE,
    Event.DISCARDED,
    Event.DECISION_TAKEN_BACK,
    Event.ACCEPTED,
    Event.ASKED_AGAIN,
    Event.RELINKED,
    Event.FORGOTTEN,
    Event.ABSENT,
    Event.PROPOSED,
    Event.REFUSED_BY_PERSON,
    Event.ACTION_REQUESTED,
    Event.ACTION_ENDED,
    Event.EXPLAINED,
    Event.EXPLANATION_ENDED,
)
BY_PEOPLE_CONDITION = f"event IN ({', '.join(repr(each.value) for each in BY_PEOPLE)})"
"""As the index has it. Asked for in these very words, by which a database sees that the index holds all of it."""
