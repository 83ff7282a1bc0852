"""One problem for all that fails in a record."""

from __future__ import annotations

from mlc_dagster.core.flows import Problem

SHOWN = 5
"""How many failures of one record a reason spells out."""


def problem(rule: str, failures: list[tuple[str, str]]) -> Problem | None:
    """One problem for all that fails in a record; its subject is the codes, each once."""
    if not failures:
        return None
    reasons = [reason for _, reason in failures]
    more = f" And {len(reasons) - SHOWN} more." if len(reasons) > SHOWN else ""
    subject = ", ".join(sorted({subject for subject, _ in failures if subject})[:SHOWN])
    return Problem(rule, " ".join(reasons[:SHOWN]) + more, subject)
