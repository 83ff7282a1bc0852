"""Which of the ERP's documents are echoes: entered there for a SaaS, and no news for another one. Pure."""

from __future__ import annotations

from typing import Any

from mlc_dagster.core.facts import Facts

OURS = tuple(f"{system}-" for system in ("airbase", "cin7", "hubspot", "monday", "procurify"))
"""What the references begin with under which documents are entered for a SaaS (Flow.marks, Facts.reference)."""


def is_ours(reference: str | None) -> bool:
    """Whether a document was entered by us. Without a reference a person did, with another one another integration."""
    return (reference or "").startswith(OURS)


EXPECTED = "procurify-po-"
"""What the external reference of a purchase order's proposal begins with: its bill follows, and takes its place."""


def is_expected_only(source: Any, facts: Facts) -> str:
    """Why a proposal is no invoice yet, or "": it says what an order of Procurify will cost."""
    return "what an order of Procurify will cost" if (source.external_ref or "").startswith(EXPECTED) else ""
