"""What is true of an invoice beside others of its supplier: that it is not one that the target has already."""

from __future__ import annotations

from typing import Any

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem
from mlc_dagster.core.vocabulary import key_text


def is_not_registered_anew(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The invoice does not stand in the target under another key already, which the ERP took back since."""
    key = key_text(source.company, source.proposal_id)
    other = facts.registered.get(key)
    if other is None:
        return None
    reason = (
        f"Invoice {source.invoice_no} of supplier {source.supplier_id} was delivered as {other}, which the ERP took "
        f"back since, and is registered anew as {key}. Cancel the one of {other} in the target and release this hold; "
        "or discard it, where that one counts."
    )
    return Problem("is_not_registered_anew", reason, other)
