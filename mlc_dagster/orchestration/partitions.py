"""Days by the modified timestamp, UTC; snapshots by company."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from mlc_dagster.core.vocabulary import EntitySet, Scope, Window
from mlc_dagster.settings import Settings

ONE_RUN = dg.BackfillPolicy.single_run()  # thirty days are one run that goes day by day inside


def days(settings: Settings) -> dg.DailyPartitionsDefinition:
    """Half open days with the running one, so that today can be read before it ends."""
    return dg.DailyPartitionsDefinition(start_date=settings.partitions_start.isoformat(), timezone="UTC", end_offset=1)


def companies(settings: Settings) -> dg.StaticPartitionsDefinition:
    return dg.StaticPartitionsDefinition(sorted(settings.companies))


def scope_of(entity: EntitySet, partition: str, first: str = "") -> Scope:
    """What a partition key means for this entity set. `first`: the first day that there is, which of master data holds
    whatever is older too: an old supplier is needed by a new order.
    """
    if entity.partition == "company":
        return Scope(partition, company=partition)
    day = date.fromisoformat(partition)
    return Scope(partition, window=Window.until(day) if entity.is_master and partition == first else Window.day(day))


def known(entity: EntitySet, settings: Settings) -> list[str]:
    """The partitions that there are now, the oldest first."""
    if entity.partition == "company":
        return sorted(settings.companies)
    first, today = settings.partitions_start, datetime.now(UTC).date()
    return [(first + timedelta(days=number)).isoformat() for number in range((today - first).days + 1)]


def unknown(entity: EntitySet, partition: str, settings: Settings) -> str:
    """Why there is no such partition, empty where there is: one request for one that is not there fails the tick."""
    if entity.partition == "company":
        return "" if partition in settings.companies else f"company {partition} is not in mlc.yaml"
    return unknown_day(partition, settings, datetime.now(UTC))


def unknown_day(day: str, settings: Settings, now: datetime) -> str:
    """As `unknown`, of a day as its key; `now` is aware."""
    first, today = settings.partitions_start.isoformat(), now.astimezone(UTC).date().isoformat()
    if day < first:
        return f"{day} lies before {first}, which is partitions_start in mlc.yaml"
    return f"{day} has not begun" if day > today else ""
