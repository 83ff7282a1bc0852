"""Which of the ERP's documents are echoes: entered there for a SaaS, and no news for another one. Pure."""

from __future__ import annotations

from typing import Any

from mlc_dagster.core.facts import Facts

EXPECTED = "procurify-po-"
"""What the external reference of a purchase order's proposal begins with: its bill follows, and takes its place."""


def is_expected_only(source: Any, facts: Facts) -> str:
    """Why a proposal is no invoice yet, or "": it says what an order of Procurify will cost."""
    return "what an order of Procurify will cost" if (source.external_ref or "").startswith(EXPECTED) else ""
