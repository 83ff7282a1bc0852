"""New items that were asked for and are not known to exist: which went together, when, and under which key.

monday finds an item by its columns some time after it made it, and works on a request for up to a minute. What is not
found sooner may be there all the same: the same request under the same Idempotency-Key is safe then, another is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlc_dagster.core.outcomes import EVER, Draft

AT_WORK = timedelta(seconds=60)  # monday gives up after that, and what it made is found by then


def is_in_doubt(draft: Draft) -> bool:
    """Whether it may be there from an attempt, under an id that nobody knows."""
    return draft.remote_id is None and draft.is_in_doubt


@dataclass(frozen=True)
class _Sent:
    at: datetime
    key: str  # the request's Idempotency-Key; empty: monday has answered it, and nothing of this item


@dataclass(frozen=True)
class Group:
    """Drafts in doubt that were sent in one request, as far as is known."""

    drafts: Sequence[Draft]
    ends: datetime  # from then on monday is done with them
    answered: bool  # the request had an answer: its key must not be used again


class OpenCreates:
    """Of one client; what an earlier process sent is known by the drafts' `look_since` alone."""

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self._wall = wall
        self._sent: dict[str, _Sent] = {}

    def sending(self, drafts: Iterable[Draft], key: str) -> None:
        """A request for new items is about to leave."""
        self._sent.update({draft.key: _Sent(self._wall(), key) for draft in drafts})

    def answered(self, drafts: Iterable[Draft]) -> None:
        """It was answered, and the answer leaves these open."""
        for draft in drafts:
            if known := self._sent.get(draft.key):
                self._sent[draft.key] = _Sent(known.at, "")

    def settled(self, draft: Draft) -> None:
        """It is known what became of it."""
        self._sent.pop(draft.key, None)

    def groups(self, drafts: Iterable[Draft], size: int) -> list[Group]:
        """As they were sent: by what this process knows; else those whose attempts began together, `size` at a time."""
        found: dict[tuple[datetime | None, str | None], list[Draft]] = defaultdict(list)
        for draft in drafts:
            known = self._sent.get(draft.key)
            found[draft.look_since, known.key if known else None].append(draft)
        return [
            Group(some[start : start + size], max(map(self._ends, some)), key == "")
            for (_, key), some in found.items()
            for start in range(0, len(some), size)
        ]

    def _ends(self, draft: Draft) -> datetime:
        known = self._sent.get(draft.key)
        return max(draft.look_since or EVER, known.at if known else EVER) + AT_WORK
