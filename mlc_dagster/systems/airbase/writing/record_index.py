"""What Airbase holds of one kind, found by the ERP's key: a list that is read once and kept for a minute."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime

from mlc_dagster.systems.airbase.api import AirbaseApi, Document, id_of, reference_of

FRESH = 60.0  # seconds that the list is taken for the truth, unless a write went unanswered
FEW = 10  # keys that are asked for one by one within a minute; more of them are cheaper by the list


class RecordIndex:
    """Documents by id. Looking for a few keys asks Airbase for each; looking for many reads the list."""

    def __init__(
        self,
        api: AirbaseApi,
        path: str,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api, self.path, self._clock, self._wall = api, path, clock, wall
        self._rows: dict[str, Document] = {}
        self._by_reference: dict[str, set[str]] = defaultdict(set)
        self._whole_until = 0.0  # until then the list is whole
        self._read_at = datetime(1970, 1, 1, tzinfo=UTC)
        self._asked_from, self._asked = 0.0, 0  # how many keys were asked for since then
        self._unclaimed_until = 0.0
        self._filters = True  # whether ?erp_reference_id= does what it says; found out by asking

    def refresh(self, keys: Collection[str], since: datetime | None) -> None:
        """Know these keys as they are now; `since`: what was read before that moment is not good enough."""
        if self._clock() < self._whole_until and (since is None or self._read_at > since):
            return
        if not self._ask_for(keys):
            self._read_all()

    def unclaimed(self) -> Iterable[Document]:
        """Documents without a key of the ERP: made in Airbase by hand."""
        now = self._clock()
        if now >= max(self._whole_until, self._unclaimed_until):
            if self._ask_for([""]):
                self._unclaimed_until = now + FRESH
            else:
                self._read_all()
        return [self._rows[each] for each in self._by_reference[""]]

    def every(self) -> Iterable[Document]:
        """All of them; the list is read where it is not known whole."""
        if self._clock() >= self._whole_until:
            self._read_all()
        return self._rows.values()

    def with_key(self, key: str) -> list[Document]:
        return [self._rows[each] for each in sorted(self._by_reference[key])]

    def with_id(self, remote_id: str | None) -> Document | None:
        """By Airbase's own id: somebody may have taken its key away."""
        if remote_id and remote_id not in self._rows and self._clock() >= self._whole_until:
            self._read_all()
        return self._rows.get(remote_id or "")

    def keep(self, document: Document) -> None:
        """What was written is known without reading it."""
        remote_id = id_of(document)
        self.forget(remote_id)
        self._rows[remote_id] = document
        self._by_reference[reference_of(document)].add(remote_id)

    def forget(self, remote_id: str) -> None:
        if known := self._rows.pop(remote_id, None):
            self._by_reference[reference_of(known)].discard(remote_id)

    def invalidate(self) -> None:
        """A write was refused or went unanswered: read anew before the next look."""
        self._whole_until = self._unclaimed_until = 0.0

    def _ask_for(self, keys: Collection[str]) -> bool:
        """Whether each was asked for; False where they are many, or where the filter is not heeded: read the list."""
        now = self._clock()
        if now - self._asked_from > FRESH:
            self._asked_from, self._asked = now, 0
        self._asked += len(keys)
        if self._asked > FEW or not self._filters:
            return False
        for key in keys:
            rows = list(self._api.pages(self.path, erp_reference_id=key))
            if any(reference_of(row) != key for row in rows):
                self._filters = False
                return False
            for known in list(self._by_reference[key]):
                self.forget(known)
            for row in rows:
                self.keep(row)
        return True

    def _read_all(self) -> None:
        started, read_at = self._clock(), self._wall()
        rows = list(self._api.pages(self.path))
        self._rows.clear()
        self._by_reference.clear()
        for row in rows:
            self.keep(row)
        self._whole_until, self._read_at = started + FRESH, read_at
