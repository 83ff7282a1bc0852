"""The kinds of domains that a Procurify may turn out to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mlc_dagster.sandbox.procurify.reference_data import Row
from mlc_dagster.sandbox.profiles import Profile


@dataclass(frozen=True)
class Domain:
    """What domains differ in. `time_zones`: what a location tells of its own."""

    heeds_filters: bool = True  # False: ranges of dates are ignored without a word
    flat_pagination: bool = False  # `pagination` at the top level
    lowers_mail: bool = False  # mail addresses of vendors are kept in lower case
    time_zones: Literal["names", "hours", "none"] = "names"

    def location(self, row: Row) -> Row:
        """As the list has it. Hours are those of the specification's enumeration."""
        if self.time_zones == "names":
            return row
        hours = {"timezone": HOURS.get(row["locationTimezone"])} if self.time_zones == "hours" else {}
        return {name: value for name, value in row.items() if name != "locationTimezone"} | hours


HOURS: Mapping[str | None, float] = {"Europe/Stockholm": 1, "Asia/Tokyo": 9, "Asia/Kuwait": 3}
PART_BILLS = {"part_bills": "replace"}
ZONES = {"Stockholm": "Europe/Stockholm", "Osaka": "Asia/Tokyo", "Kuwait City": "Asia/Kuwait"}
PROFILES: Mapping[str, Profile] = {
    "loose": Profile(
        "A domain whose lists ignore filters and tell their pages at the top; locations tell hours alone.",
        {"heeds_filters": False, "flat_pagination": True, "time_zones": "hours"},
        {"time_zones": ZONES},
    ),
    "no-zones": Profile("A domain whose locations tell no time zone.", {"time_zones": "none"}, {"time_zones": ZONES}),
    "whole-bills": Profile(
        "A domain where the first bill ends what is expected of an order.", {}, {"part_bills": "replace"}
    ),
}
