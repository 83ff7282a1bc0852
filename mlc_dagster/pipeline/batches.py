"""What preparing and loading have in common: how many at once, how many are named."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
SLICE_SECONDS = 600.0  # that a load goes on before it gives way
JUDGED_AT_ONCE = 1000  # records whose standing is looked up in one go
EXAMPLES = 200  # held records that a verdict names


@dataclass
class Slice:
    """How long the loads of a run go on before they give way to others. Each sends a batch."""

    seconds: float = SLICE_SECONDS
    began: float = field(default_factory=time.monotonic)
    batches: int = 0

    @property
    def is_over(self) -> bool:
        return self.batches > 0 and time.monotonic() - self.began > self.seconds


def chunks(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """The things in lists of `size`, the last one shorter."""
    iterator = iter(things)
    while chunk := list(islice(iterator, size)):
        yield chunk
