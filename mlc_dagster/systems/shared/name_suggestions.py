"""What a name was perhaps meant to be."""

from __future__ import annotations

from collections.abc import Iterable

from mlc_dagster.core.near_names import nearest

FEW = 8  # names that may be told all at once


def suggestion(name: str, known: Iterable[str]) -> str:
    """A sentence: all that there is where it is little, else what is alike."""
    there = sorted(each for each in known if each)
    if not there:
        return "There is none at all."
    if len(there) <= FEW:
        return f"There is {', '.join(there)}."
    alike = nearest(name, there, 5)
    return f"There is {', '.join(alike)}." if alike else f"There are {len(there)}, and none is alike."
