"""What must be true of a record for Airbase alone."""

from __future__ import annotations

from typing import Any

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Problem


def subsidiary_exists(source: Any, target: Any, facts: Facts) -> Problem | None:
    """The record's company is a subsidiary of the target, where the target keeps subsidiaries."""
    known = facts.books.subsidiaries
    if known is None or target.company not in facts.companies:  # company_is_mapped says so
        return None
    if not target.subsidiary or target.subsidiary in known:
        return None
    reason = f"Company {target.company} is subsidiary {target.subsidiary!r} by mlc.yaml, and the target has none such."
    return Problem("subsidiary_exists", f"{reason} Create it there, or correct companies.", target.subsidiary)
