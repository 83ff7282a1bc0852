"""Which seeds a random test is tried on: few in CI, others each day; many by `make promises-all`."""

from __future__ import annotations

import os
import zlib
from datetime import UTC, datetime

HOW_MANY = "MLC_SEEDS"
"""The environment's name for how many seeds each random test has; unset: `FEW`."""

DAY = "MLC_SEED_DAY"
"""The day whose seeds they are, as 2026-11-28; unset: today, UTC. A failure of another day is tried again by it."""

FEW = 2
STRIDE = 101  # a prime: what a test chooses by the remainder of its seed changes from day to day
os.environ.setdefault(DAY, datetime.now(UTC).date().isoformat())  # for the workers too: midnight may come in between


def seeds(base: int = 0) -> list[int]:
    """Those of the day, one after the other; `base` sets tests apart that would share their chances."""
    first = datetime.fromisoformat(os.environ[DAY]).toordinal() * STRIDE + base
    return [first + number for number in range(int(os.environ.get(HOW_MANY, FEW)))]


def seed(base: int = 0) -> int:
    """The first of them, for a test that throws its dice often enough by itself."""
    return seeds(base)[0]


SHARE = "MLC_SHARE"
"""The environment's name for how many days all that is slow is spread over, as 3; unset: all of it at once."""


def is_of_the_day(group: str) -> bool:
    """Whether it is tried on this day: after `SHARE` days all was. What has no group is tried on each."""
    days = int(os.environ.get(SHARE, "1"))
    return not group or (zlib.crc32(group.encode()) + datetime.fromisoformat(os.environ[DAY]).toordinal()) % days == 0
