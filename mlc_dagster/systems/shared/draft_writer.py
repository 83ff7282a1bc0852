"""What a client's `save` dispatches to: whoever writes the drafts of one target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from mlc_dagster.core.outcomes import Draft, Outcome


class DraftWriter(Protocol):
    """Saves drafts of one target, with one outcome for each at the end."""

    def save(self, drafts: Sequence[Draft]) -> Iterator[Outcome]: ...
