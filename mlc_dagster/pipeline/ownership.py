"""Whose a document of the target is: one record's of a flow. Master data may be shared, and then it is told."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlc_dagster.core.difference_kinds import PROBABLE_DOUBLE
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Begun, Outcome, Saved
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.differences import Found


@dataclass
class Ownership:
    """Of one load: what the ledger knows, and what was answered since."""

    flow: Flow
    ledger: Ledger
    _answered: dict[str, str] = field(default_factory=dict)  # remote id -> key
    _new: dict[str, str] = field(default_factory=dict)  # key -> remote id, of what may be shared

    def owner(self, key: str, remote_id: str) -> str:
        """The other key that this id was delivered for; empty: nobody's, or it is shared."""
        if self.flow.target.shares:
            return ""
        found = self._answered.get(remote_id) or self.ledger.owners.of(self.flow.name, [remote_id]).get(remote_id, key)
        return "" if found == key else found

    def note(self, outcome: Outcome) -> None:
        """Remember whose it is before the next draft asks."""
        if isinstance(outcome, Begun | Saved) and outcome.remote_id != outcome.draft.remote_id:
            self._answered.setdefault(outcome.remote_id, outcome.draft.key)
            if self.flow.target.shares and isinstance(outcome, Saved):
                self._new[outcome.draft.key] = outcome.remote_id

    def tell_shared(self, run: Run) -> int:
        """Two of ours that are one there: told at the new one, with the other, which wrote it first; how many."""
        new, self._new = self._new, {}
        known = self.ledger.owners.all(self.flow.name, list(new.values())) if new else {}
        target = self.flow.title or self.flow.target.system
        found: list[Found] = []
        for key, remote_id in new.items():
            others = [each for each in known.get(remote_id, ()) if each != key]
            is_first = self._answered.get(remote_id) == key and all(each in new for each in others)
            if others and not is_first:
                words = f"one with {others[0]} in {target}, which wrote it first"
                found.append(Found(key, PROBABLE_DOUBLE, "", key, words))
        return self.ledger.differences.see(self.flow.name, found, run) if found else 0
