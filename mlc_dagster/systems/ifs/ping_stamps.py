"""What a ping asks of the tenant's stamps: the newest lies in the future where it stamps in a zone to the east."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from mlc_dagster.core.errors import MlcError
from mlc_dagster.core.vocabulary import EntitySet
from mlc_dagster.systems.ifs.client import IfsClient
from mlc_dagster.systems.shared.findings import Finding, wrong

AHEAD, FARTHEST = timedelta(minutes=10), timedelta(hours=15)
"""A clock is not as wrong as the first; no zone is farther ahead of another than the second."""


def ask_stamps(client: IfsClient, entities: Sequence[EntitySet]) -> Iterator[Finding]:
    """The newest row of the first set that has stamps and is partitioned by them."""
    stamped = [entity for entity in entities if entity.modified and entity.partition == "day"]
    now = datetime.now(UTC) + timedelta(seconds=client.api.skew_seconds or 0.0)
    newest_of_all: list[tuple[datetime, EntitySet]] = []
    for entity in stamped:
        try:
            found = client.find(entity, most=1, latest_by=str(entity.modified))
        except MlcError:
            continue
        newest = found[0][0][str(entity.modified)] if found else None
        if newest is not None and AHEAD < newest - now < FARTHEST:
            yield _ahead(entity, newest, newest - now)
            return
        if newest is not None and newest <= now:
            newest_of_all.append((newest, entity))
    if client.says_no_zone and newest_of_all:
        newest, entity = max(newest_of_all, key=lambda each: each[0])
        yield Finding("ifs", "time zone", True, _not_proven(entity, newest, now - newest))


def _not_proven(entity: EntitySet, newest: datetime, age: timedelta) -> str:
    words = f"UTC is taken; the newest row of {entity.name} is stamped {newest:%Y-%m-%dT%H:%MZ}"
    if age <= AHEAD:
        return f"{words}, minutes ago: no zone west of it, at least"
    return (
        f"{words}, {age.total_seconds() / 3600:.1f} hours ago: of a tenant that stamps in a zone west of it, and of "
        "which mlc.yaml says none (ifs.time_zone), that proves nothing. The first row that a load makes in the ERP does"
    )


def _ahead(entity: EntitySet, newest: datetime, by: timedelta) -> Finding:
    fault = (
        f"the newest row of {entity.name} is stamped {newest:%Y-%m-%dT%H:%MZ}, {by.total_seconds() / 3600:.1f} hours "
        "from now: the tenant stamps in another time zone, and days are cut by stamps"
    )
    return wrong("ifs", "time zone", fault, "Say its zone in mlc.yaml: ifs.time_zone: Europe/Stockholm")
