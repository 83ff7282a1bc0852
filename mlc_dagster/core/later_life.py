"""What a source says of a record after it was delivered. Pure."""

from __future__ import annotations

from typing import NamedTuple

from mlc_dagster.core.difference_kinds import TAKEN_BACK


class Fate(NamedTuple):
    """How a record left the state in which it was delivered, by a status that its source states: never by absence."""

    how: str  # in the source's own words: "voided"
    kind: str = TAKEN_BACK  # of difference
    is_final: bool = True  # False: it may come back by itself, such as a bill that is a draft again


def always_stands(record: object, facts: object) -> None:
    """Of master data: no status takes it back, but it may be gone."""
