"""What is true of the record itself: its state, texts and amounts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Protocol

from mlc_dagster.core.amounts import STEPS, currency_decimals, round_to, times
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem
from mlc_dagster.rules.problems import problem

NOT_DELIVERED = "Cancelled"
"""The states that are held where the option `not_delivered_states` (comma separated) says nothing."""


_NOTHING = Decimal(0)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # all but tab and line ends


class AmountLine(Protocol):
    """A line as the target will compute it, beside what the ERP states for it."""

    @property
    def where(self) -> str: ...
    @property
    def quantity(self) -> Decimal | None: ...
    @property
    def price(self) -> Decimal | None: ...
    @property
    def stated(self) -> Decimal | None: ...


def is_not_cancelled(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The record is in a state that is delivered: not cancelled in the ERP."""
    if not _is_cancelled(source, facts):
        return None
    reason = f"The record is {source.obj_state} in the ERP, and the target does not have it: nothing is sent."
    return Problem("is_not_cancelled", reason, source.obj_state)


def order_is_a_purchase(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The order is in a state in which something is ordered: not stopped in the ERP."""
    if not _is_stopped(source, facts):
        return None
    reason = f"The order is {source.obj_state} in the ERP, and no purchase (order_states in mlc.yaml). The target does"
    return Problem("order_is_a_purchase", f"{reason} not have it: nothing is sent.", source.obj_state)


STATED = frozenset({"is_not_cancelled", "order_is_a_purchase", "invoice_is_not_voided"})
"""Rules that a record breaks by a state that the ERP says: where the target has it already, it is taken back."""


def stopped_in(source: Any, facts: Facts) -> str:
    """The state by which the ERP takes a record back; empty where it is in a usual one."""
    is_stopped = _is_cancelled(source, facts) or _is_stopped(source, facts)
    return str(source.obj_state) if is_stopped else ""


def _is_cancelled(source: Any, facts: Facts) -> bool:
    """A state for which the target has a status by mlc.yaml is delivered with it."""
    held = {state.strip() for state in facts.options.get("not_delivered_states", NOT_DELIVERED).split(",")}
    return getattr(source, "obj_state", None) in held - facts.table("order_statuses").keys()


def _is_stopped(source: Any, facts: Facts) -> bool:
    return facts.table("order_states").get(getattr(source, "obj_state", None) or "") == "hold"


def is_not_a_credit_note(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The invoice is not a credit note: the target keeps those elsewhere, and would book it the wrong way round."""
    if source.gross_amount is None or source.gross_amount >= 0:
        return None
    reason = f"The gross amount is {source.gross_amount}: a credit note. Enter it in the target by hand"
    return Problem("is_not_a_credit_note", f"{reason}, and discard this hold.")


def required_fields_are_given(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every field that the target insists on has a value."""
    missing = [name for name, value in target.required() if value is None or value in ("", ())]
    if not missing:
        return None
    reason = f"The target needs: {', '.join(missing)}. Complete the record in the ERP."
    return Problem("required_fields_are_given", reason, missing[0])


def texts_fit(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every text fits the target's field, so that nothing is cut off."""
    failures = [
        (name, _text_failure(name, text, most))
        for name, text, most in target.texts()
        if text and (len(text) > most or (not text.isprintable() and _CONTROL.search(text)))
    ]
    return problem("texts_fit", failures)


def _text_failure(name: str, text: str, most: int) -> str:
    if len(text) > most:
        return f"{name} has {len(text)} characters, and the target takes {most}. Shorten it in the ERP."
    return f"{name} holds a control character, which the target would drop. Remove it in the ERP."


def amounts_fit(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Every quantity and price fits the target's number fields: digits, decimals, and the least that it takes."""
    failures = [
        (name := f"{where}, {field}" if where else field, _number_failure(name, value, decimals, least, most))
        for where, field, value, decimals, least, most in target.numbers()
        if value is not None
        and not (value.is_finite() and least <= value <= most and round_to(value, STEPS[decimals]) == value)
    ]
    return problem("amounts_fit", failures)


def _number_failure(name: str, value: Decimal, decimals: int, least: Decimal, most: Decimal) -> str:
    if not value.is_finite() or not least <= value <= most:
        return f"{name} is {value}, and the target takes {least} to {most}."
    return f"{name} is {value}, and the target takes {decimals} decimals. Change the unit or the price in the ERP."


def amounts_add_up(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Each line is quantity times price, the lines make the total, and the target computes what the ERP states."""
    company = facts.companies.get(getattr(source, "company", ""))
    step = STEPS[currency_decimals(target.currency, company)]
    wrong = [
        line
        for line in target.amount_lines()
        if line.stated is None
        or line.quantity is None
        or line.price is None
        or round_to(_gross(line), step) != line.stated
    ]
    failures = [_line_failure(line, step) for line in wrong] or list(_total_failures(target.totals()))
    return problem("amounts_add_up", [("", why) for why in failures])


def _gross(line: AmountLine) -> Decimal:
    """Quantity times price, less the discount in per cent where the target's lines have one."""
    product, discount = times(line.quantity or _NOTHING, line.price or _NOTHING), getattr(line, "discount", None)
    return times(product, 1 - discount / 100) if discount else product


def _line_failure(line: AmountLine, step: Decimal) -> str:
    if line.stated is None or line.quantity is None or line.price is None:
        return f"{line.where}: quantity, price or amount is missing. Complete it in the ERP."
    sum_of_it = f"{line.quantity} x {line.price} = {round_to(_gross(line), step)}"
    return f"{line.where}: {sum_of_it}, and the ERP says {line.stated}. Correct it in the ERP."


def _total_failures(totals: Iterable[tuple[str, Decimal | None, Decimal]]) -> Iterator[str]:
    for name, stated, computed in totals:
        if stated is None:
            yield f"{name}: the ERP states none, so there is nothing to compare {computed} with."
        elif stated != computed:
            differs = f"{computed} by the target's arithmetic, and the ERP says {stated}"
            yield f"{name}: {differs}. They differ by {computed - stated}."
