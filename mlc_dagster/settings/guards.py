"""The part of mlc.yaml that says when a run must stop before its first write."""

from __future__ import annotations

from pydantic import Field, model_validator

from mlc_dagster.settings.section import Section

BACKWARDS = 20


class GuardSettings(Section):
    """The guards of one flow. What is left out is not guarded, but for `max_backwards`."""

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

    max_reversals: int = Field(
        5, ge=0, description="Documents that one run may reverse, where later_life.<flow>.on_taken_back is reverse"
    )
    max_backwards: int | None = Field(
        BACKWARDS,
        ge=0,
        description="Records that one run may change though their stamps are older than what was delivered: more of "
        "them are a restored backup, or a wrong clock",
    )

    @model_validator(mode="after")
    def _guards_something(self) -> GuardSettings:
        if not self.model_fields_set:
            raise ValueError("give max_creates, max_update_share, min_rows_share, max_reversals or max_backwards")
        return self


USUAL = GuardSettings(max_backwards=BACKWARDS)
"""Of a flow for which mlc.yaml says nothing."""
