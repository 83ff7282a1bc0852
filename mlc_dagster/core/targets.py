"""What some targets can do beside showing what they have: leave single values alone, and be searched for our keys."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol

from mlc_dagster.core.flows import Flow, Target
from mlc_dagster.core.outcomes import Draft, ReadsBack, Seen, Shown


class KeepsAccepted(ReadsBack, Protocol):
    """A target in which single values can be left as they are when a record is sent again."""

    def keeping(self, target: Target, draft: Draft, kept: Shown) -> Draft | None:
        """The draft so that these values, which are the target's, stay; None: it cannot be sent without them. Pure."""


class FindsOurs(ReadsBack, Protocol):
    """A target in which objects that carry our key can be found, without knowing their ids."""

    def ours_in(self, flow: Flow, since: datetime | None, known: AbstractSet[str]) -> Iterator[Seen]:
        """Those of this flow that were touched since then, None: all, but for the ids that the ledger knows; `key` is
        the flow's own, as they carry it. Raises as `read_back`.
        """
