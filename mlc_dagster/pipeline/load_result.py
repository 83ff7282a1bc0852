"""What came of a load: each record in exactly one end, and what stopped it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mlc_dagster.core.errors import ThrottledUntil
from mlc_dagster.core.outcomes import Saved
from mlc_dagster.ledger import Pause
from mlc_dagster.pipeline.batches import EXAMPLES
from mlc_dagster.pipeline.fresh import Reread

SHOWN = 5  # delivered records that the UI shows of a load


@dataclass
class Loaded:
    """The account of one load.

    created + updated + adopted + unchanged + stale + superseded + held + discarded + gone + out of scope + paused =
    asked.
    """

    asked: int = 0
    created: int = 0
    updated: int = 0
    adopted: int = 0
    unchanged: int = 0
    stale: int = 0  # as the source was when it was delivered; what is made of it would differ: sent only if asked for
    superseded: int = 0
    held: int = 0
    differing: int = 0  # of those delivered: the target keeps something otherwise, and the ledger has the difference
    discarded: int = 0  # prepared before a person decided that it is never sent
    gone: int = 0  # looked at before its delivery, and not in the source any more
    out_of_scope: int = 0  # likewise, and no matter of the flow any more
    paused: int = 0  # it was stopped, or gave way: neither delivered nor held, and sent by the next load
    pause: Pause | None = None  # the person's that this load met
    throttled: ThrottledUntil | None = None  # the target asks to be left alone for longer than is waited
    gave_way: bool = False  # its slice was over
    seconds: float = 0.0
    reasons: dict[str, str] = field(default_factory=dict)  # key -> why the target refused it; the first few
    examples: list[tuple[str, Saved]] = field(default_factory=list)  # key and what came of it, of the first few
    stale_keys: list[str] = field(default_factory=list)  # the first few

    def put_off(self, records: int, error: ThrottledUntil) -> None:
        """They were not judged: the target asks to be left alone."""
        self.throttled = error
        self.asked += records
        self.paused += records

    def show(self, key: str, saved: Saved) -> None:
        if len(self.examples) < SHOWN:
            self.examples.append((key, saved))

    def tell_stale(self, keys: Sequence[str]) -> None:
        self.stale += len(keys)
        self.stale_keys += keys[: EXAMPLES - len(self.stale_keys)]

    def add(self, reread: Reread) -> None:
        """What became of records that were looked at, but for those that are ready still."""
        for name in ("held", "gone", "superseded", "discarded", "out_of_scope"):
            setattr(self, name, getattr(self, name) + getattr(reread, name))
        self.reasons |= dict(list(reread.reasons.items())[: EXAMPLES - len(self.reasons)])

    @property
    def is_stopped(self) -> bool:
        return self.gave_way or self.pause is not None or self.throttled is not None

    @property
    def delivered(self) -> int:
        return self.created + self.updated + self.adopted
