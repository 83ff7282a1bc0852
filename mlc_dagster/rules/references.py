"""What must be in the target before the record itself."""

from __future__ import annotations

from typing import Any

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem


def supplier_is_delivered(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The record's supplier is in the target already."""
    if target.supplier_id:
        return None
    if not target.supplier_no:
        return Problem("supplier_is_delivered", "The record has no supplier. Enter it in the ERP.")
    reason = f"Supplier {target.supplier_no} is not delivered yet. Load it; this record follows by itself."
    return Problem("supplier_is_delivered", reason, target.supplier_no)


def order_is_delivered(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The order that an invoice refers to is in the target already. An invoice without an order is good."""
    if not target.order_no or target.purchase_id:
        return None
    reason = f"Order {target.order_no} is not delivered yet. Load it; this record follows by itself."
    return Problem("order_is_delivered", reason, target.order_no)


def currency_is_the_suppliers(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The record is in the currency of its supplier: the target takes the currency from the supplier."""
    if not target.supplier_id:
        return None
    theirs = facts.books.supplier_currency.get(target.supplier_id)
    if theirs is None:
        reason = f"Supplier {target.supplier_no} is not in the target any more ({target.supplier_id}). Load it again."
        return Problem("currency_is_the_suppliers", reason, target.supplier_no)
    if theirs == target.currency:
        return None
    reason = f"The record is in {target.currency}, and supplier {target.supplier_no} is in {theirs} in the target"
    cure = "which books every purchase in the supplier's currency. Use a supplier of that currency."
    return Problem("currency_is_the_suppliers", f"{reason}, {cure}", target.currency or "")


def payment_term_has_a_code(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The payment term stands for one of the ERP's, by payment_terms in mlc.yaml read backwards."""
    name = getattr(source, "payment_term", None) or getattr(source, "payment_terms", None)
    if not name or not facts.payment_terms or target.payment_terms or target.terms:
        return None
    reason = f"Payment term {name!r} stands for none of the ERP's. Add it under payment_terms in mlc.yaml"
    return Problem("payment_term_has_a_code", f"{reason}, or choose one that is listed there.", name)
