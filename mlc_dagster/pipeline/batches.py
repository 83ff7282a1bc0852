"""What preparing and loading have in common: how many at once, how many are named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")
JUDGED_AT_ONCE = 1000  # records whose standing is looked up in one go
EXAMPLES = 200  # held records that a verdict names


def chunks(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """The things in lists of `size`, the last one shorter."""
    iterator = iter(things)
    while chunk := list(islice(iterator, size)):
        yield chunk
