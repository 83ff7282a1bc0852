"""In which time a tenant stamps its rows. Pure.

Some write the wall time of their database, and call it Z. A window of UTC is then asked for in wall time, and what it
gives is UTC again. In the night when summer time ends an hour comes twice: what is stamped in it may be of either pass,
so its rows are asked for in both, and read twice rather than missed. A date that comes as midnight is a date, and no
moment: it is never shifted.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from mlc_dagster.core.arrow_columns import MOMENT
from mlc_dagster.core.vocabulary import Row

SECOND = timedelta(seconds=1)
FARTHEST = timedelta(hours=15)
"""No zone is farther ahead of another."""


class TenantTime:
    """Wall times have the zone UTC here, as the tenant says of them. Without a zone both are alike."""

    def __init__(self, zone: str | None = None) -> None:
        self.name = zone or "UTC"
        self._zone = ZoneInfo(zone) if zone and zone != "UTC" else None

    def earliest(self, moment: datetime) -> datetime:
        """The lowest wall time of what is stamped from this moment on."""
        wall = self._wall(moment)
        return self._repeated_from(moment) if self._is_repeated(moment) and not wall.fold else _plain(wall)

    def latest(self, moment: datetime) -> datetime:
        """The wall time that is above all that was stamped before this moment."""
        wall = self._wall(moment)
        if self._is_repeated(moment) and wall.fold:
            first_pass = moment - self._set_back_by(moment)
            return self._repeated_from(first_pass) + self._set_back_by(moment)
        return _plain(wall)

    def utc(self, wall: datetime) -> datetime:
        """The moment of a wall time; of two the first."""
        return wall if self._zone is None else wall.replace(tzinfo=self._zone, fold=0).astimezone(UTC)

    def in_utc(self, batch: pa.RecordBatch, stamp: str | None) -> pa.RecordBatch:
        """The rows with their stamps in UTC."""
        if self._zone is None or stamp is None or stamp not in batch.schema.names:
            return batch
        walls = batch.column(stamp).cast(pa.timestamp("us"))
        moments = pc.assume_timezone(walls, self.name, ambiguous="earliest", nonexistent="earliest").cast(MOMENT)
        return batch.set_column(batch.schema.get_field_index(stamp), batch.schema.field(stamp), moments)

    def row(self, row: Row, stamp: str = "last_modified") -> Row:
        """The same of one row."""
        wall = row.get(stamp)
        return row if self._zone is None or wall is None else {**row, stamp: self.utc(wall)}

    def _wall(self, moment: datetime) -> datetime:
        return moment.astimezone(self._zone or UTC)

    def _is_repeated(self, moment: datetime) -> bool:
        return self._set_back_by(moment) > timedelta(0)

    def _set_back_by(self, moment: datetime) -> timedelta:
        """By how much the clock is set back in the hour of this wall time; none where it comes once."""
        wall = self._wall(moment)
        first, second = (wall.replace(fold=fold).utcoffset() or timedelta(0) for fold in (0, 1))
        return first - second

    def _repeated_from(self, moment: datetime) -> datetime:
        """The wall time at which the second pass begins, of a moment in the first."""
        low, high = moment, moment + self._set_back_by(moment)
        offset = self._wall(low).utcoffset()
        while high - low > SECOND:
            middle = low + (high - low) / 2
            low, high = (middle, high) if self._wall(middle).utcoffset() == offset else (low, middle)
        return _plain(self._wall(high)).replace(microsecond=0)


def seconds_ahead(batch: pa.RecordBatch, stamp: str | None, now: datetime) -> float:
    """By how much the newest stamp lies after `now`; 0.0 where none does. What is further away no zone explains."""
    if stamp is None or stamp not in batch.schema.names:
        return 0.0
    stamps = batch.column(stamp)
    newest = pc.max(stamps.filter(pc.less(stamps, pa.scalar(now + FARTHEST, MOMENT)))).as_py()
    return 0.0 if newest is None else max(0.0, round((newest - now).total_seconds(), 3))


def _plain(wall: datetime) -> datetime:
    return wall.replace(tzinfo=UTC, fold=0)
