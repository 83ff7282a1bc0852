"""What people did in the target and a load must not undo: what they deleted, what they insist on, what was accepted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, cast

from mlc_dagster.core.difference_kinds import DELETED_IN_THE_TARGET, TARGET_SIDE
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.outcomes import Client, Draft, Ready, Shown
from mlc_dagster.core.shown_values import same
from mlc_dagster.core.targets import KeepsAccepted
from mlc_dagster.ledger import Decision, Ledger
from mlc_dagster.ledger.records.differences import Difference
from mlc_dagster.rules.waiving import AS_DELIVERED, DELETED

Policy = Literal["report", "hold", "restore"]
WAYS = "mlc accept, restore, recreate, relink and forget each say what counts; so does releasing this hold"


class KeptBack(NamedTuple):
    """A record that is not sent, under which rule, and why."""

    one: Ready
    rule: str
    reason: str


@dataclass
class WhatPeopleDid:
    """Asked by one load before each batch.

    `again`: keys that are sent though people differ; `anew`: those of them that are made again where they are gone;
    `restored`: those of which a person said that ours counts, also where both sides may change a record.
    """

    flow: Flow
    client: Client
    ledger: Ledger
    policy: Policy = "report"
    again: frozenset[str] = frozenset()
    anew: frozenset[str] = frozenset()
    restored: frozenset[str] = frozenset()
    _released: set[str] = field(default_factory=set)

    def look_at(
        self, ready: Sequence[Ready], draft: Callable[[Ready], Draft]
    ) -> tuple[list[Ready], dict[str, Draft], list[KeptBack]]:
        """What is sent, key -> its draft, and what is held."""
        to_send, kept = self.sort(ready)
        drafts, others = self.drafts(map(draft, to_send))
        kept += [KeptBack(one, AS_DELIVERED, others[one.key]) for one in to_send if one.key in others]
        return [one for one in to_send if one.key not in others], {each.key: each for each in drafts}, kept

    def sort(self, ready: Sequence[Ready]) -> tuple[list[Ready], list[KeptBack]]:
        """What may be sent, and what is held: where a record was deleted there, and, as the policy says, where it
        differs. A person who released such a hold, of this content, has said that it is sent.
        """
        open_ = self._open([one.key for one in ready if one.key not in self.anew])
        decisions = self.ledger.decisions.of(self.flow.name, open_) if open_ else {}
        kept: list[KeptBack] = []
        for one in ready:
            found = [each for each in open_.get(one.key, ()) if self._keeps_back(one.key, each)]
            if not found:
                continue
            rule = DELETED if any(each.kind == DELETED_IN_THE_TARGET for each in found) else AS_DELIVERED
            if _is_released(decisions.get(one.key), one, rule):
                self._released.add(one.key)
            else:
                kept.append(KeptBack(one, rule, self._why(found)))
        away = {each.one.key for each in kept}
        return [one for one in ready if one.key not in away], kept

    def drafts(self, drafts: Iterable[Draft]) -> tuple[list[Draft], dict[str, str]]:
        """With what a person accepted left as it is; key -> why, of those that cannot be sent so."""
        every = [self._asked_for(draft) for draft in drafts]
        accepted = self.ledger.looks.accepted(self.flow.name, [draft.key for draft in every if draft.remote_id])
        refused: dict[str, str] = {}
        ready: list[Draft] = []
        for draft in every:
            kept = self._still_accepted(draft, accepted.get(draft.key, {}))
            found = self._keeping(draft, kept) if kept else draft
            if found is None:
                refused[draft.key] = _other_values(kept)
            else:
                ready.append(found)
        return ready, refused

    def _asked_for(self, draft: Draft) -> Draft:
        anew, restores = draft.key in self.anew | self._released, draft.key in self.restored
        return replace(draft, anew=anew, restores=restores) if anew or restores else draft

    def _open(self, keys: Sequence[str]) -> dict[str, list[Difference]]:
        return self.ledger.differences.of(self.flow.name, keys, TARGET_SIDE)

    def _keeps_back(self, key: str, one: Difference) -> bool:
        """A system whose section says `on_deleted: recreate` makes again what was deleted, and tells it."""
        if one.kind == DELETED_IN_THE_TARGET:
            return not getattr(self.client, "makes_again", False)
        return self.policy == "hold" and key not in self.again

    def _why(self, found: Sequence[Difference]) -> str:
        said = "; ".join(_in_words(each) for each in found)
        return f"{said}. It is not sent over that: {WAYS}"

    def _still_accepted(self, draft: Draft, accepted: Mapping[str, tuple[object, object]]) -> Shown:
        """Field -> theirs, of those that the source has as it had them when theirs was accepted."""
        if not accepted or not hasattr(self.client, "expected"):
            return {}
        now = cast(KeepsAccepted, self.client).expected(self.flow.target, draft.record)
        return {name: theirs for name, (ours, theirs) in accepted.items() if same(now.get(name), ours)}  # type: ignore[arg-type, misc]

    def _keeping(self, draft: Draft, kept: Shown) -> Draft | None:
        if not hasattr(self.client, "keeping"):
            return None
        return cast(KeepsAccepted, self.client).keeping(self.flow.target, draft, kept)


def _is_released(decision: Decision | None, one: Ready, rule: str) -> bool:
    if decision is None or decision.verdict != "released":
        return False
    return rule in decision.rules and decision.content == one.fingerprint


def _in_words(one: Difference) -> str:
    if not one.field:
        where = f" ({one.theirs})" if one.theirs else ""
        return f"{one.ours or one.key} is {one.kind.removesuffix('_in_the_target')} in the target{where}"
    return f"{one.field} is {one.theirs} in the target, and {one.ours} was delivered"


def _other_values(kept: Shown) -> str:
    said = ", ".join(f"{name} {value}" for name, value in kept.items())
    return (
        f"{said} stands in the target, and a person accepted it; the record changed in another field, and cannot be "
        "sent without this one. Enter the change there by hand and discard this hold, or say with mlc restore that "
        "ours counts"
    )
