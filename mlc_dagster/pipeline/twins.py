"""One document that its source has under two ids: the second one would be in the books twice, and is held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.ledger import Ledger
from mlc_dagster.pipeline.kept_back import KeptBack
from mlc_dagster.rules.waiving import TWIN


@dataclass(frozen=True)
class Twins:
    """Asked by one load before each batch: what went before it counts, and so does what stands beside it."""

    flow: Flow
    ledger: Ledger

    def sort(self, ready: Sequence[Ready]) -> tuple[list[Ready], list[KeptBack]]:
        """What may be sent, and what is held. One that was delivered, or that a person released, is sent."""
        if self.flow.twin is None:
            return list(ready), []
        others = self._others(ready)
        away = {key for key in others if not self._is_released(key)}
        kept = [KeptBack(one, TWIN, self._why(one.key, others[one.key])) for one in ready if one.key in away]
        return [one for one in ready if one.key not in away], kept

    def _others(self, ready: Sequence[Ready]) -> dict[str, str]:
        """Key of one that was never delivered -> the key that has the same document before it."""
        assert self.flow.twin is not None
        documents = {one.key: document for one in ready if (document := self.flow.twin(one.record))}
        if not documents:
            return {}
        there = self.ledger.stakes.delivered_as(self.flow.name, list(dict.fromkeys(documents.values())))
        delivered = self.ledger.remote_ids(self.flow.name, list(documents))
        found, first = dict[str, str](), {document: keys[0] for document, keys in there.items()}
        for key, document in documents.items():
            other = first.setdefault(document, key)
            if other != key and key not in delivered:
                found[key] = other
        return found

    def _is_released(self, key: str) -> bool:
        decision = self.ledger.decisions.of(self.flow.name, [key]).get(key)
        return decision is not None and decision.verdict == "released" and TWIN in decision.rules

    def _why(self, key: str, other: str) -> str:
        place = self.ledger.stakes.places(self.flow.name, [other]).get(other)
        where = f"entered as {place.number}" if place else "about to be entered"
        source = self.flow.title or self.flow.source.system
        return (
            f"{key} and {other} have one company, type, number, day and amount, and {other} is {where}: {source} "
            f"probably has one document under two ids. Where it is one, delete {key} there and discard this hold; "
            "where they are two, release it."
        )
