"""The parts of an entity set that a sweep looks at one after the other, the one first that it looked at longest ago."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b

from mlc_dagster.core.vocabulary import EntitySet, Window

SLICE = 5
"""Days of stamps that are read at once: what is left of a night is no more than this."""
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Part:
    """What was stamped in a window; or, of what is older, those whose turn it is; or the keys of all that there is; or,
    of rows without a stamp, those that were first seen as they are on a day.
    """

    name: str
    window: Window | None = None
    seen: date | None = None
    before: str = ""  # of the rest: the versions that are older than this
    turn: int = 0
    turns: int = 1

    @property
    def is_rest(self) -> bool:
        return bool(self.before)

    def has(self, key: str, version: str) -> bool:
        """Whether a record of this key and version should be found here."""
        if self.window:
            return self.window.start.isoformat()[:10] <= version < self.window.end.isoformat()[:10]
        if self.seen:
            return False  # that it should be there is asked of the keys
        return not self.is_rest or (version < self.before and turn_of(key, self.turns) == self.turn)


def in_turn(entity: EntitySet, days: int, rotation: int, today: date, ended: Mapping[str, datetime]) -> list[Part]:
    """The parts of a night."""
    if entity.delta == "sweep" or entity.modified is None or entity.partition != "day":
        return [Part("keys"), *(_seen(days, today, ended) if entity.partition == "day" else ())]
    slices = [_slice(first, min(first + SLICE, days), today) for first in range(0, days, SLICE)]
    turn, before = today.toordinal() % rotation, (today - timedelta(days=days - 1)).isoformat()
    rest = Part(f"rest {turn + 1} of {rotation}", before=before, turn=turn, turns=rotation)
    return sorted([*slices, rest], key=lambda part: ended.get(part.name, NEVER))


def _seen(days: int, today: date, ended: Mapping[str, datetime]) -> Iterator[Part]:
    """The newest day first; one that was looked at when it was over is over: what changes is of another day then."""
    for day in (today - timedelta(days=back) for back in range(days)):
        part = Part(f"seen on {day}", seen=day)
        if ended.get(part.name, NEVER).date() <= day:
            yield part


def _slice(first: int, end: int, today: date) -> Part:
    """Stamped `first` to `end` days ago, both counted from the end of today."""
    low, high = (datetime.combine(today - timedelta(days=back - 1), time(), UTC) for back in (end, first))
    return Part(f"{first} to {end - 1} days old", Window(low, high))


def turn_of(key: str, of: int) -> int:
    """In which of so many nights a record that is old is looked at."""
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "little") % of
