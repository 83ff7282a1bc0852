"""What a delivered record is compared by, and what is agreed after a look. Pure.

A target that cuts, lowers, strips or reorders what it is sent has edited nothing: what its answer, or the first look
after it, shows is agreed. Amounts are exempt from that: they are exact, from the first look on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

from mlc_dagster.core.outcomes import Seen, Shown
from mlc_dagster.core.shown_values import Value, kept_otherwise, same
from mlc_dagster.ledger.records.looks import STATE as STATE
from mlc_dagster.ledger.records.looks import Accepted, Look, Remembered

OWN = "@"
"""What the names begin with that are for the client alone."""


class Unlike(NamedTuple):
    """A field that is another one in the target than was agreed."""

    field: str
    ours: Value
    theirs: Value


@dataclass(frozen=True)
class AgreedValues:
    """What a look is compared with."""

    values: Shown | None  # None: nothing is known, whatever it shows is agreed
    is_agreed: bool = True  # False: as it was sent; text may be kept otherwise by the target itself
    said: Shown = field(default_factory=dict)  # what an answer, or a person, said of it since: agreed
    accepted: Accepted = field(default_factory=dict)

    @classmethod
    def of(cls, look: Look, expected: Shown | None) -> AgreedValues:
        """`expected`: of the record as it was sent; None: not kept, or not needed."""
        if look.is_whole:
            return cls(look.shown, accepted=look.accepted)
        if expected is None:
            return cls(None, accepted=look.accepted)
        accepted = {name: pair for name, pair in look.accepted.items() if same(expected.get(name), pair[0])}
        said = {**(look.shown or {}), **{name: theirs for name, (_, theirs) in accepted.items()}}
        return cls({**expected, **said}, is_agreed=False, said=said, accepted=accepted)

    @property
    def accepted_as(self) -> Value:
        """The state that a person accepted, of one that is not there."""
        return (self.values or {}).get(STATE)

    def unlike(self, seen: Shown) -> list[Unlike]:
        """What differs, amounts first. A field that the target does not show proves nothing."""
        found = [
            Unlike(name, ours, seen[name])
            for name, ours in (self.values or {}).items()
            if not name.startswith(OWN) and name in seen and not self._agrees(name, ours, seen[name])
        ]
        return sorted(found, key=lambda each: (not isinstance(each.ours, Decimal), each.field))

    def _agrees(self, name: str, ours: Value, theirs: Value) -> bool:
        if same(ours, theirs):
            return True
        return not self.is_agreed and name not in self.said and kept_otherwise(ours, theirs)

    def after(self, look: Look, seen: Seen, unlike: list[Unlike]) -> Remembered:
        """What is agreed from this look on: what it shows, but for what differs. Where something does, nothing by which
        a list could tell that all is as it was.
        """
        is_there = seen.state in ("there", "moved")
        agreed = {**(self.values or {}), **(seen.values if is_there else {})}
        agreed |= {each.field: each.ours for each in unlike}
        if unlike or not is_there:
            agreed = {name: value for name, value in agreed.items() if not name.startswith(OWN) or name == STATE}
        if is_there:
            agreed.pop(STATE, None)
        return Remembered(agreed, self.accepted, look.restored)


def with_restored(one: Remembered, look: Look, unlike: Mapping[str, Value]) -> Remembered:
    """Field -> theirs, in whose place ours was put back: the next time that somebody enters it, he insists."""
    more = {name: (*look.restored.get(name, ()), str(theirs)) for name, theirs in unlike.items()}
    return replace(one, restored={**look.restored, **more})
