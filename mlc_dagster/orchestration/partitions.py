"""Days by the modified timestamp, UTC; snapshots by company."""

from __future__ import annotations

from datetime import date

import dagster as dg

from mlc_dagster.settings import Settings
from mlc_dagster.vocabulary import EntitySet, Scope, Window

ONE_RUN = dg.BackfillPolicy.single_run()  # thirty days are one run that goes day by day inside


def days(settings: Settings) -> dg.DailyPartitionsDefinition:
    """Half open days with the running one, so that today can be read before it ends."""
    return dg.DailyPartitionsDefinition(start_date=settings.partitions_start.isoformat(), timezone="UTC", end_offset=1)


def companies(settings: Settings) -> dg.StaticPartitionsDefinition:
    return dg.StaticPartitionsDefinition(sorted(settings.companies))


def scope_of(entity: EntitySet, partition: str) -> Scope:
    """What a partition key means for this entity set."""
    if entity.partition == "company":
        return Scope(partition, company=partition)
    return Scope(partition, window=Window.day(date.fromisoformat(partition)))
