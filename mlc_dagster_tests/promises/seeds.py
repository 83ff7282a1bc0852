"""Which seeds a random test is tried on: few in CI, others each day; many by `make promises-all`."""

from __future__ import annotations

import os
from datetime import UTC, datetime

HOW_MANY = "MLC_SEEDS"
"""The environment's name for how many seeds each random test has; unset: two."""


def seeds(base: int = 0) -> list[int]:
    """Those of today, UTC; `base` sets tests apart that share their chances otherwise."""
    first = datetime.now(UTC).date().toordinal() * 100 + base
    return [first + number for number in range(int(os.environ.get(HOW_MANY, "2")))]
