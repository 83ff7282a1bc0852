"""Which day a row belongs to when no timestamp says so: the day on which its present version was first seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from typing import get_args
from urllib.parse import unquote

import msgspec
import pyarrow as pa

from mlc_dagster.core.vocabulary import EntitySet, Record, Sightings, key_text

Key = tuple[object, ...]


class FirstSeen:
    """The sightings of one entity set. Without a memory, every row belongs to the day that is read."""

    def __init__(self, entity: EntitySet, sightings: Sightings | None) -> None:
        self._entity, self._sightings = entity, sightings
        self._name = "/".join(entity.key)

    @property
    def remembers(self) -> bool:
        return self._sightings is not None

    def see(self, batch: pa.RecordBatch, today: date) -> None:
        """Remember the rows: one that is new, or has a new version, is placed today."""
        pairs = zip(self._texts(batch), batch["etag"].to_pylist(), strict=True)
        self.see_versions(((text, etag or "") for text, etag in pairs if text is not None), today)

    def see_versions(self, seen: Iterable[tuple[str, str]], today: date) -> None:
        """As `see`, by (key as text, version)."""
        if self._sightings is not None:
            self._sightings.place(self._name, list(seen), today)

    def on(self, day: date) -> list[str]:
        """The keys that are placed on a day, as text."""
        return self._sightings.placed_on(self._name, day) if self._sightings is not None else []

    def here(self, batch: pa.RecordBatch, placed: frozenset[str], *, keyless: bool) -> pa.RecordBatch:
        """The rows under these keys; and those whose key is not readable, where they are wanted."""
        if self._sightings is None:
            return batch
        keep = [keyless if text is None else text in placed for text in self._texts(batch)]
        return batch if all(keep) else batch.filter(pa.array(keep, pa.bool_()))

    def keys(self, texts: Sequence[str]) -> list[Key]:
        """The keys that these texts were made from."""
        whole = [_is_whole(self._entity.record, name) for name in self._entity.keys]
        return [
            tuple(_part(part, number) for part, number in zip(text.split("/"), whole, strict=True)) for text in texts
        ]

    def _texts(self, batch: pa.RecordBatch) -> list[str | None]:
        keys = zip(*(batch[name].to_pylist() for name in self._entity.keys), strict=True)
        return [None if None in key else key_text(*key) for key in keys]


@cache
def _is_whole(record: type[Record], name: str) -> bool:
    hint = next(one.type for one in msgspec.structs.fields(record) if one.name == name)
    return hint is int or int in get_args(hint)


def _part(text: str, whole: bool) -> object:
    return int(text) if whole else unquote(text)
