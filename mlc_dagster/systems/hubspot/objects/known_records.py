"""Records that HubSpot should have: found by the id that the ledger knows, through merges, or by our key.

A merge makes a new record with a new id; both old ids lead to it, it names them in `hs_merged_object_ids`, and our key
may be lost (facts/saas-doubts.md, 2.1). An archived one is seen with `archived=true` alone (2.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mlc_dagster.systems.hubspot.api import Document, HubspotApi
from mlc_dagster.systems.hubspot.objects.properties import KEY
from mlc_dagster.systems.hubspot.records import BATCH

MERGED_IDS = "hs_merged_object_ids"
IDS_OF_A_SEARCH = 5
"""Filter groups that one search may have."""


@dataclass(frozen=True)
class KnownRecord:
    """What HubSpot has of one record."""

    remote_id: str = ""  # empty: it has none
    properties: Document = field(default_factory=dict)
    was_merged: bool = False  # the id that the ledger knows leads to this one
    archived_id: str = ""  # the one that the ledger knows lies in the recycle bin

    @property
    def key(self) -> str:
        return str(self.properties.get(KEY) or "")


class KnownRecords:
    """The records of one object type; `names`: the properties that are read of each."""

    def __init__(self, api: HubspotApi, kind: str, *names: str) -> None:
        self._api, self._kind, self._names = api, kind, (KEY, MERGED_IDS, *names)

    def find(self, wanted: Mapping[str, tuple[str | None, str]]) -> dict[str, KnownRecord]:
        """Trace -> (id that the ledger knows, our key), of at most 100. Every trace has an answer."""
        by_id = self._by_id(sorted({remote_id for remote_id, _ in wanted.values() if remote_id}))
        found = {trace: by_id[remote_id] for trace, (remote_id, _) in wanted.items() if remote_id in by_id}
        rest = {trace: each for trace, each in wanted.items() if trace not in found}
        by_key = self._by_key({key for _, key in rest.values()})
        found |= {
            trace: replace(by_key[key], was_merged=remote_id is not None)
            for trace, (remote_id, key) in rest.items()
            if key in by_key
        }
        lost = {trace: remote_id for trace, (remote_id, _) in rest.items() if trace not in found and remote_id}
        away = self._gone(lost)
        return {trace: found.get(trace) or away.get(trace) or KnownRecord() for trace in wanted}

    def by_id(self, ids: Iterable[str]) -> dict[str, KnownRecord]:
        """Id -> the record that it leads to now; nothing of an id that leads nowhere."""
        asked = sorted(set(ids))
        found = self._by_id(asked)
        return found | self._survivors([each for each in asked if each not in found])

    def _by_id(self, ids: Sequence[str]) -> dict[str, KnownRecord]:
        found: dict[str, KnownRecord] = {}
        for some in _chunks(ids, BATCH):
            found |= _led_to(some, self._api.read(self._kind, some, *self._names))
        return found

    def _gone(self, lost: Mapping[str, str]) -> dict[str, KnownRecord]:
        """What is there under neither id nor key: in the recycle bin, or swallowed by a merge."""
        bin_ = self._api.read(self._kind, sorted(set(lost.values())), KEY, archived=True)
        swallowed = self._survivors(sorted(set(lost.values()) - bin_.keys()))
        gone = {trace: KnownRecord(archived_id=each) for trace, each in lost.items() if each in bin_}
        return gone | {trace: swallowed[each] for trace, each in lost.items() if each in swallowed}

    def _survivors(self, ids: Sequence[str]) -> dict[str, KnownRecord]:
        """Where an old id is not answered at all: the record that says it swallowed it."""
        seen: set[str] = set()
        for some in _chunks(ids, IDS_OF_A_SEARCH):
            groups = [[{"propertyName": MERGED_IDS, "operator": "CONTAINS_TOKEN", "value": each}] for each in some]
            seen |= self._api.search(self._kind, groups, KEY)[1].keys()
        rows: dict[str, Document] = {}
        for some in _chunks(sorted(seen), BATCH):
            rows |= self._api.read(self._kind, some, *self._names)
        return _led_to(ids, rows)

    def _by_key(self, keys: set[str]) -> dict[str, KnownRecord]:
        rows = self._api.read(self._kind, sorted(keys), *self._names, by=KEY)
        found = {_folded(str(row.get(KEY) or "")): KnownRecord(each, row) for each, row in rows.items()}
        return {key: found[_folded(key)] for key in keys if _folded(key) in found}


def _led_to(ids: Sequence[str], rows: Mapping[str, Document]) -> dict[str, KnownRecord]:
    found = {each: KnownRecord(each, rows[each]) for each in ids if each in rows}
    for each, row in rows.items():
        found |= {
            old: KnownRecord(each, row, was_merged=True) for old in merged_into(row) if old in ids and old not in found
        }
    return found


def merged_into(row: Document) -> list[str]:
    """The ids of the records that a merge made this one of."""
    return [each.strip() for each in str(row.get(MERGED_IDS) or "").split(";") if each.strip()]


def _folded(key: str) -> str:
    """As HubSpot may compare unique values: without regard to case and white space at the ends."""
    return key.strip().casefold()


def _chunks(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
