"""Bank details that a SaaS shows are carried nowhere; that they changed is a matter for two people."""

from __future__ import annotations

from typing import Any

from mlc_dagster.core.bank_details import in_words
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem, Rule
from mlc_dagster.core.vocabulary import key_text

RULE = "bank_details_are_confirmed"
_CURE = (
    "Nothing of them is carried anywhere. Call the supplier by a number that you know, change them in the ERP by hand "
    "where that is right, and release this hold: two people, one after the other."
)


def bank_details_confirmed(key: str) -> Rule:
    """The rule, for records whose key stands in this field."""

    def bank_details_are_confirmed(source: Any, target: Any, facts: Facts) -> Problem | None:
        """Bank details of a vendor are as they were when it was linked, or two people confirmed that they changed."""
        mark, which = source.bank_mark or "", key_text(getattr(source, key))
        known, where = facts.bank_marks.get(which), facts.title or "the SaaS"
        if known == mark or (known is None and (not mark or target.supplier_id or which in facts.posted)):
            return None
        if known is None:
            return Problem(RULE, f"A new vendor of {where} brings {in_words(mark)}. {_CURE}")
        now = f"are now {in_words(mark)}" if mark else "are gone"
        return Problem(RULE, f"Its bank details in {where} changed: they {now}, and were {in_words(known)}. {_CURE}")

    return bank_details_are_confirmed
