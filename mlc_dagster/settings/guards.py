"""The part of mlc.yaml that says when a run must stop before its first write."""

from __future__ import annotations

from pydantic import Field, model_validator

from mlc_dagster.settings.section import Section


class GuardSettings(Section):
    """The guards of one flow. What is left out is not guarded."""

    max_creates: int | None = Field(None, ge=0, description="Records that one run may create")
    max_update_share: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Of the records that the target has, the share that one run may change; 0.2 is 20 %",
    )
    min_rows_share: float | None = Field(
        None, ge=0, le=1, description="Rows that a partition must have, as a share of what is usual; 0.1 is 10 %"
    )

    @model_validator(mode="after")
    def _guards_something(self) -> GuardSettings:
        if self.max_creates is None and self.max_update_share is None and self.min_rows_share is None:
            raise ValueError("give max_creates, max_update_share or min_rows_share")
        return self
