"""The parts of an entity set that a sweep looks at one after the other, the one first that it looked at longest ago."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b

from mlc_dagster.core.vocabulary import EntitySet, Window

SLICE = 5
"""Days of stamps that are read at once: what is left of a night is no more than this."""
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Part:
    """What was stamped in a window; or, of what is older, those whose turn it is; or the keys of all that there is."""

    name: str
    window: Window | None = None
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
        return not self.is_rest or (version < self.before and turn_of(key, self.turns) == self.turn)


def in_turn(entity: EntitySet, days: int, rotation: int, today: date, ended: Mapping[str, datetime]) -> list[Part]:
    """The parts of a night."""
    if entity.delta == "sweep" or entity.modified is None or entity.partition != "day":
        return [Part("keys")]
    slices = [_slice(first, min(first + SLICE, days), today) for first in range(0, days, SLICE)]
    turn, before = today.toordinal() % rotation, (today - timedelta(days=days - 1)).isoformat()
    rest = Part(f"rest {turn + 1} of {rotation}", before=before, turn=turn, turns=rotation)
    return sorted([*slices, rest], key=lambda part: ended.get(part.name, NEVER))


def _slice(first: int, end: int, today: date) -> Part:
    """Stamped `first` to `end` days ago, both counted from the end of today."""
    low, high = (datetime.combine(today - timedelta(days=back - 1), time(), UTC) for back in (end, first))
    return Part(f"{first} to {end - 1} days old", Window(low, high))


def turn_of(key: str, of: int) -> int:
    """In which of so many nights a record that is old is looked at."""
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "little") % of
