"""An invoice that the ERP registered anew: the same supplier's number under another key, whose delivered key is gone.

Both would stand in the target. Whether the other key is gone is asked of the ERP, for few: those whose document is
there under another key already.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mlc_dagster.core.difference_kinds import GONE_IN_THE_SOURCE, TAKEN_BACK
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.vocabulary import Record
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.differences import A_LOOK, Found
from mlc_dagster.rules.records import STATED

AT_ONCE = 20
"""More of them gone in one batch are no deletions: nothing is written down of it, and all are held."""

There = Callable[[Sequence[str]], Mapping[str, Record]]
"""Keys -> the records of those that the ERP has."""


class Mapped(Protocol):
    """A row on its way to its rules."""

    @property
    def key(self) -> str: ...
    @property
    def source(self) -> Record: ...
    @property
    def target(self) -> Any: ...


@dataclass(frozen=True)
class Registrations:
    """What is known of other keys. Without `there` nobody is asked, and nothing is written down."""

    flow: Flow
    ledger: Ledger
    run: Run = A_LOOK
    there: There | None = None

    def of(self, mapped: Sequence[Mapped], facts: Facts) -> dict[str, str]:
        """Key -> the key under which the target has the same invoice, and which the ERP does not have any more."""
        if self.flow.document is None:
            return {}
        documents = {one.key: each for one in mapped if (each := self.flow.document(one.target))}
        known = self.ledger.stakes.delivered_as(self.flow.name, list(dict.fromkeys(documents.values())))
        new = {key: known[each] for key, each in documents.items() if each in known and key not in known[each]}
        gone = self._gone({key for keys in new.values() for key in keys}, mapped, facts) if new else set()
        return {key: min(gone & set(keys)) for key, keys in new.items() if gone & set(keys)}

    def _gone(self, keys: set[str], mapped: Sequence[Mapped], facts: Facts) -> set[str]:
        kinds = (GONE_IN_THE_SOURCE, TAKEN_BACK)
        gone = set(self.ledger.differences.of(self.flow.name, sorted(keys), kinds))
        decided = (self.ledger.differences.decided(self.flow.name, sorted(keys), kind) for kind in kinds)
        left = keys - gone - frozenset().union(*decided)
        here = {one.key: one.source for one in mapped if one.key in left}
        asked = dict(self.there(sorted(left - here.keys()))) if self.there and left - here.keys() else {}
        back = {key for key, record in {**here, **asked}.items() if self._is_taken_back(record, facts)}
        absent = left - here.keys() - asked.keys() if self.there else set()
        self._tell(absent)
        return gone | back | absent

    def _is_taken_back(self, record: Record, facts: Facts) -> bool:
        """By a state that the target is not told of: where it is, the one that is cancelled stands there as such."""
        target, rules = self.flow.mapping(record, facts), (r for r in self.flow.rules if r.__name__ in STATED)
        return any(rule(record, target, facts) for rule in rules)

    def _tell(self, absent: Collection[str]) -> None:
        if not absent or len(absent) > AT_ONCE:
            return
        stakes = self.ledger.stakes.of(self.flow.name, absent)
        places = self.ledger.stakes.places(self.flow.name, absent)
        found = [
            Found(key, GONE_IN_THE_SOURCE, "", places[key].number, None, stakes[key].amount, stakes[key].currency)
            for key in sorted(absent)
        ]
        self.ledger.differences.see(self.flow.name, found, self.run)
