"""The part of mlc.yaml about what is looked at again after it was delivered: in the source, and in the target."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mlc_dagster.settings.section import Section

Policy = Literal["report", "hold", "restore"]


class VerifySettings(Section):
    """The open window of the nightly sweep and of verify, and what they may cost."""

    days: int = Field(45, ge=1, description="What was touched in the last so many days is looked at each night")
    rotation_days: int = Field(30, ge=1, description="What is older is looked at in turn, once in so many days")
    budget_share: float = Field(
        0.1, gt=0, le=1, description="Of the calls that a system allows, the share that looks take; deliveries go first"
    )
    gone_at_once: int = Field(
        20,
        ge=1,
        description="More records than that gone from the ERP in one night is an error, and no difference: have rights "
        "or a filter changed? With 20, more than 1 % is one, too",
    )
    flows: dict[str, Policy] = Field(
        default_factory=dict, description="flow (cin7/purchases): its policy, in place of policies.verify"
    )
