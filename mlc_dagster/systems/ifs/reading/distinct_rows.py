"""Which rows were handed over: repeats, doubled keys, and a fingerprint of it all, in eight bytes a row."""

from __future__ import annotations

from array import array
from collections import defaultdict
from datetime import datetime
from hashlib import blake2b

import pyarrow as pa
import pyarrow.compute as pc

from mlc_dagster.core.vocabulary import EntitySet, Pull, key_text

Key = tuple[object, ...]


class DistinctRows:
    """Counts what one read hands over, in the order in which it is handed over.

    Only a row that was modified after the walk began can be seen twice, as it was and as it is: those, and rows whose
    timestamp cannot be read, are remembered whole. Of the others only a hash of the key is kept; two of them under one
    key are two rows.
    """

    def __init__(self, entity: EntitySet) -> None:
        self._entity = entity
        self._hashes = array("q")
        self._etags = 0
        self._recent: dict[Key, str | None] = {}
        self._recent_places: set[int] = set()
        self._rows = self._unreadable = 0
        self.moving_since: datetime | None = None  # rows modified since then may move while paging

    def keys(self, batch: pa.RecordBatch) -> list[Key]:
        return list(zip(*(batch.column(name).to_pylist() for name in self._entity.keys), strict=True))

    def key_texts(self, batch: pa.RecordBatch) -> list[str]:
        return [key_text(*key) for key in self.keys(batch)]

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch that is handed over now."""
        keys, etags = self.keys(batch), batch.column("etag").to_pylist()
        self._remember(batch, keys, etags)
        self._hashes.extend(hash(key if None not in key else (key, self._rows, row)) for row, key in enumerate(keys))
        for key, etag in zip(keys, etags, strict=True):
            text = f"{key}\0{etag}".encode("utf-8", "surrogatepass")
            self._etags += int.from_bytes(blake2b(text, digest_size=16).digest(), "little")
        self._rows += len(keys)
        self._unreadable += len(keys) - batch.column("unreadable").null_count

    def unseen(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows that were not handed over in just this version."""
        pairs = zip(self.keys(batch), batch.column("etag").to_pylist(), strict=True)
        fresh = [etag is None or self._recent.get(key, "") != etag for key, etag in pairs]
        return batch if all(fresh) else batch.filter(pa.array(fresh, pa.bool_()))

    def settle(self, pull: Pull) -> None:
        """Write the account of the whole read into the pull."""
        stale, doubled = self._repeats()
        pull.stale, pull.repeated, pull.duplicate_keys = frozenset(stale), len(stale), doubled
        pull.rows, pull.unreadable = self._rows - len(stale), self._unreadable
        pull.etags = f"{self._etags % 2**128:032x}"

    def _remember(self, batch: pa.RecordBatch, keys: list[Key], etags: list[str | None]) -> None:
        modified = self._entity.modified
        if modified is None or self.moving_since is None:
            return
        since = pa.scalar(self.moving_since, batch.schema.field(modified).type)
        moving = pc.fill_null(pc.greater_equal(batch.column(modified), since), True)
        for place in pc.indices_nonzero(moving).to_pylist():
            self._recent[keys[place]] = etags[place]
            self._recent_places.add(self._rows + place)

    def _repeats(self) -> tuple[list[int], int]:
        """(places of rows that were handed over again in a newer version, number of keys on more than one row).

        The last one handed over is the newest: a row moves to the end of the order, and the end is read last.
        """
        ordered = pa.array(self._hashes, pa.int64()).to_numpy(zero_copy_only=False).copy()
        ordered.sort()
        several = pa.array(ordered[1:][ordered[1:] == ordered[:-1]])
        if not len(several):
            return [], 0
        groups: dict[int, list[int]] = defaultdict(list)
        for place in pc.indices_nonzero(pc.is_in(pa.array(self._hashes, pa.int64()), several)).to_pylist():
            groups[self._hashes[place]].append(place)
        moved = [places for places in groups.values() if places[-1] in self._recent_places]
        return [place for places in moved for place in places[:-1]], len(groups) - len(moved)
