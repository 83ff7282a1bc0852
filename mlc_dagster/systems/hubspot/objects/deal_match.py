"""Deals that people keep in HubSpot already, by a property of their choice: hubspot.deal_key."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence

from mlc_dagster.core.duplicates import folded
from mlc_dagster.systems.hubspot.api import Document, HubspotApi
from mlc_dagster.systems.hubspot.objects.known_records import KnownRecord
from mlc_dagster.systems.hubspot.objects.properties import KEY, MATCHED_BY, NOT_OURS
from mlc_dagster.systems.hubspot.records import BATCH

KIND = "deals"
MAY_BE_DEAL = "may_be_this_deal"
AT_ONCE = 25
"""Values in one search: 25 of 100 characters fit into its body."""


class DealMatch:
    """Looks for deals by one property; a search proposes, a batch read decides."""

    def __init__(self, api: HubspotApi, name: str, names: Sequence[str]) -> None:
        self._api, self._name, self._names = api, name, names
        self._lock = threading.Lock()
        self._taken: set[str] = set()  # by this client: HubSpot's index may not know it yet

    def of(self, wanted: Mapping[str, str]) -> dict[str, list[KnownRecord]]:
        """Trace -> the deals that say its value and carry no key of ours."""
        if not self._name or not wanted:
            return {}
        rows = self._read(sorted({value.strip().casefold() for value in wanted.values()}))
        by_value: dict[str, list[KnownRecord]] = defaultdict(list)
        for each, row in rows.items():
            if not row.get(KEY):
                by_value[folded(str(row.get(self._name) or ""))].append(
                    KnownRecord(each, {**row, MATCHED_BY: self._name})
                )
        found = {trace: self._free(by_value.get(folded(value), [])) for trace, value in wanted.items()}
        return {trace: each for trace, each in found.items() if each}

    def _free(self, found: list[KnownRecord]) -> list[KnownRecord]:
        """Without those that another record of this client has; the only one is taken from now on."""
        with self._lock:
            free = [each for each in found if each.remote_id not in self._taken]
            if len(free) == 1:
                self._taken.add(free[0].remote_id)
            return free

    def _read(self, values: Sequence[str]) -> dict[str, Document]:
        found: set[str] = set()
        for start in range(0, len(values), AT_ONCE):
            some = list(values[start : start + AT_ONCE])
            condition = {"propertyName": self._name, "operator": "IN", "values": some}
            found |= self._api.search(KIND, [[condition, NOT_OURS]], KEY)[1].keys()
        ids, rows = sorted(found), dict[str, Document]()
        for start in range(0, len(ids), BATCH):
            rows |= self._api.read(KIND, ids[start : start + BATCH], KEY, self._name, *self._names)
        return rows
