"""What every section of mlc.yaml has in common whose system takes purchase orders of the ERP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from mlc_dagster.settings.section import TargetSection

OrderState = Literal["deliver", "wait", "hold"]


class TakesOrders(TargetSection):
    """What of an order goes over: `systems.shared.order_lines` reads it."""

    usual_states: ClassVar[Mapping[str, OrderState]] = {"Planned": "wait", "Stopped": "hold"}
    """What becomes of an order in a state of which mlc.yaml says nothing; of any other state: deliver."""

    order_states: dict[str, OrderState] = Field(
        default_factory=dict, description="What becomes of an order in this state, beside: Planned waits, Stopped holds"
    )
    line_states: tuple[str, ...] = Field(
        ("Cancelled", "Closed", "Stopped"), description="States of an order line that is not ordered (any more)"
    )

    def options(self) -> dict[str, str]:
        return {**super().options(), "line_states": ",".join(self.line_states)}

    def tables(self) -> dict[str, dict[str, str]]:
        states: dict[str, str] = {**self.usual_states, **self.order_states}
        return {**super().tables(), "order_states": states}


WANTED = "lines: an order whose header has no wanted date has the latest that its lines are wanted or planned for"

WantedDate = Annotated[Literal["header", "lines"], Field("header", description=WANTED)]
"""By what a target that shows when an order is wanted goes."""


class TakesQuantities(TakesOrders):
    """Where quantities of an order go over as well, each with its unit."""

    units: dict[str, str] = Field(
        default_factory=dict, description="ERP unit: the other side's name for the same thing, where they differ"
    )

    def tables(self) -> dict[str, dict[str, str]]:
        return {**super().tables(), "units": self.units}
