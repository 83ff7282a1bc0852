"""What must be true of an order or an invoice for Cin7 alone."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem
from mlc_dagster.rules.problems import problem
from mlc_dagster.systems.cin7.mapping import ordered_parts
from mlc_dagster.systems.cin7.rates import rate_of_the_lines


def units_are_the_products(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Each quantity is in the unit that Cin7 counts the product in: boxes never become pieces."""
    failures = []
    for line in ordered_parts(source, facts):
        unit, theirs = line.buy_unit_meas, facts.books.product_units.get(line.part_no or "")
        ours = facts.table("units").get(unit or "", unit or "")
        if unit and theirs and ours.casefold() != theirs.casefold():
            where = f"line {line.line_no}/{line.release_no}: {line.buy_qty_due} {unit} of {line.part_no}"
            cure = f"Where the two are the same thing, say so under cin7.units in mlc.yaml ({unit}: {theirs})"
            said = f"{where}, and Cin7 counts it in {theirs}. {cure}; else order it in the ERP in that unit."
            failures.append((unit, said))
    return problem("units_are_the_products", failures)


def products_stand_once(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Each product stands on one line: Cin7 is known to refuse one product twice in an order."""
    if facts.options.get("same_product", "merge") == "send":
        return None
    counted = Counter(sku for _, sku in target.skus())
    failures = [
        (
            sku,
            f"{sku} stands on {number} lines that cannot be one: price, tax, unit or account differ. Make them one in "
            "the ERP, or set cin7.same_product: send in mlc.yaml where your Cin7 takes it.",
        )
        for sku, number in counted.items()
        if number > 1
    ]
    return problem("products_stand_once", failures)


def period_is_open(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The invoice is dated in a period that Cin7 has not locked."""
    locked, dated = facts.books.locked_before, target.invoice_date
    if locked is None or dated is None or dated >= locked:
        return None
    reason = f"The invoice is dated {dated}, and Cin7 is locked for what is dated before {locked} (LockDate)"
    return Problem("period_is_open", f"{reason}. Move that date in Cin7, or enter the invoice by hand.", str(locked))


def rate_is_known(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The ERP states the rate of what is in a foreign currency, where its company keeps Cin7's base currency."""
    own, base = facts.companies.get(source.company or ""), facts.books.base_currency
    is_foreign = own is not None and own.currency == base and target.currency not in (None, base)
    if not is_foreign or target.currency_rate or facts.options.get("rates") == "cin7":
        return None
    found = "(none)" if source.currency_rate is None else source.currency_rate
    lines = "" if source.currency_rate is not None else ", and the amounts of its lines make none"
    kept = f"company {source.company} and Cin7 keep their books in {base}"
    reason = f"It is in {target.currency}, {kept}, and CurrencyRate in the ERP is {found}{lines}"
    cure = "Enter the rate in the ERP; or set cin7.rates: cin7 in mlc.yaml, and Cin7's own rates count"
    return Problem("rate_is_known", f"{reason}. {cure}.", target.currency or "")


def rate_agrees_with_the_lines(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The rate that is sent makes the ERP's own amounts of the lines: a rate for a hundred never stands for one."""
    sent: Decimal | None = target.currency_rate or target.erp_rate
    found = rate_of_the_lines(source)
    own = facts.companies.get(source.company)
    is_foreign = own is not None and target.currency not in (own.currency, facts.books.base_currency)
    if not is_foreign or sent is None or found is None or found.agrees_with(sent):
        return None
    reason = f"The rate is {sent} for one {target.currency}, and the lines state {found.own} for {found.foreign}"
    cure = f"If the ERP states it for 100 units, add {target.currency}: 100 under cin7.rate_units in mlc.yaml"
    return Problem("rate_agrees_with_the_lines", f"{reason}. {cure}; else correct the ERP.", target.currency or "")
