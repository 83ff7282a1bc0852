"""The part of mlc.yaml that says what follows when a source takes back what was delivered."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mlc_dagster.settings.section import Section


class LaterLifeSettings(Section):
    """Of one flow that enters documents into the ERP."""

    on_taken_back: Literal["hold", "reverse"] = Field(
        "hold",
        description="hold: it is told, as a difference, and nothing is written. reverse: what we created and nobody "
        "changed is cancelled, or reversed in the first open day",
    )
