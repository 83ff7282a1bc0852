"""The part of mlc.yaml that says how deliveries are looked at in their target, and what follows where they differ."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mlc_dagster.settings.section import Section

Policy = Literal["report", "hold", "restore"]


class VerifySettings(Section):
    """The nightly looks at what was delivered."""

    days: int = Field(45, ge=1, description="What was delivered in so many days is looked at every night")
    rotation_days: int = Field(30, ge=1, description="What is older is looked at once in so many days, in turn")
    budget_share: float = Field(
        0.1, gt=0, le=1, description="Of each target's calls, the share that looks take; deliveries go first"
    )
    flows: dict[str, Policy] = Field(
        default_factory=dict, description="flow (cin7/purchases): its policy, in place of policies.verify"
    )
