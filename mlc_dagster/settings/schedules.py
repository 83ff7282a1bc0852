"""When what moves is moved, and when it is looked at."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from mlc_dagster.core.cron_times import EXPECTED, When, when
from mlc_dagster.settings.mistakes import found
from mlc_dagster.settings.section import Section

ON_CHANGE = "on change"


def _readable(text: str) -> str:
    if text != ON_CHANGE:
        try:
            when(text)
        except ValueError as error:
            raise ValueError(f"{found((), text)}; expected {error}") from error
    return text


def _a_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("expected the name of a time zone, such as Europe/Stockholm") from error
    return name


Times = Annotated[str, AfterValidator(_readable)]
OWN = (
    f"{EXPECTED}; or {ON_CHANGE}: never by the clock, by the sensor alone. What has a time of its own is in neither "
    "running_day nor yesterday, and by its time all days since its last are read and loaded"
)


class Schedules(Section):
    """Cron lines or words, each with a zone behind it, or on the clocks of `time_zone`."""

    time_zone: Annotated[str, AfterValidator(_a_zone)] = Field(
        "UTC", description="Of what names none: Europe/Stockholm"
    )
    running_day: Times = Field("*/15 * * * *", description=f"Reads and loads the running day: {EXPECTED}")
    yesterday: Times = Field("15 0 * * *", description="Reads yesterday (UTC) once more")
    systems: dict[str, Times] = Field(default_factory=dict, description=f"System: its own time, {OWN}")
    flows: dict[str, Times] = Field(default_factory=dict, description="Flow: its own time, likewise")
    chart_of_accounts: Times = Field("5 */6 * * *", description="Refreshes accounts and code parts")
    duplicates: Times = Field("20 * * * *", description="Looks for documents that stand twice in a target")
    sweep: Times = Field("30 1 * * *", description="Looks in the ERP at what was delivered; on from the start")
    verify: Times = Field("0 2 * * *", description="Looks at what was delivered; on from the start")
    fresh_minutes: dict[str, float] = Field(
        default_factory=dict,
        description="Flow: minutes within which it is loaded, else its asset turns yellow, after twice that red. "
        "Default: four ticks of its schedule, at least an hour",
    )
    purge_runs: Times = Field("40 2 * * *", description="Deletes runs as retention says; on from the start")

    def at(self, text: str) -> When:
        """A setting of this section, as it is run."""
        return when(text, self.time_zone)

    def own(self, flow: str, connection: str) -> str:
        """What is said of a flow, else of the system that it goes to; empty where neither has a time of its own."""
        return self.flows.get(flow) or self.systems.get(connection, "")

    def of(self, flow: str, connection: str, partition: str) -> When | None:
        """By which clock a flow is loaded; None: by none. `partition`: day or company."""
        if own := self.own(flow, connection):
            return None if own == ON_CHANGE else self.at(own)
        return self.at(self.running_day if partition == "day" else self.chart_of_accounts)
