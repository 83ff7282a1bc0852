"""What must be true of a record for Airbase alone."""

from __future__ import annotations

from typing import Any

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem
from mlc_dagster.rules.problems import problem
from mlc_dagster.systems.airbase.mapping import unit_of
from mlc_dagster.systems.shared.order_lines import ordered


def subsidiary_exists(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The record's company is a subsidiary of the target, where the target keeps subsidiaries."""
    known = facts.books.subsidiaries
    if known is None or target.company not in facts.companies:  # company_is_mapped says so
        return None
    if not target.subsidiary or target.subsidiary in known:
        return None
    reason = f"Company {target.company} is subsidiary {target.subsidiary!r} by mlc.yaml, and the target has none such."
    return Problem("subsidiary_exists", f"{reason} Create it there, or correct companies.", target.subsidiary)


def units_are_mapped(source: Any, target: Any, facts: Facts) -> Problem | None:
    """Each quantity goes over with its unit: where mlc.yaml has a table of units, it names this one."""
    failures = [
        (
            line.buy_unit_meas,
            f"line {line.line_no}/{line.release_no}: {line.buy_qty_due} {line.buy_unit_meas}, and units in mlc.yaml "
            f"does not name that unit. Add it there ({line.buy_unit_meas}: its name in the target).",
        )
        for line in ordered(source, facts)
        if line.buy_qty_due is not None and line.buy_unit_meas and not unit_of(line, facts)
    ]
    return problem("units_are_mapped", failures)
