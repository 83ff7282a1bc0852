"""The account of one look at the target of a flow: counts, and sums by company and currency on both sides."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from mlc_dagster.core.outcomes import Worth
from mlc_dagster.pipeline.batches import EXAMPLES


@dataclass
class Sums:
    """Of one company and currency, exact."""

    ours: Decimal = Decimal(0)
    theirs: Decimal = Decimal(0)


def _sums() -> dict[tuple[str, str], Sums]:
    return defaultdict(Sums)


@dataclass
class Verified:
    """there + different + missing + accepted_as_gone = checked; checked + left = delivered."""

    flow: str
    delivered: int = 0  # that were to be looked at
    checked: int = 0
    there: int = 0  # and as was agreed
    different: int = 0  # edited, moved, or merged into another record
    missing: int = 0  # deleted, archived or voided
    accepted_as_gone: int = 0  # a person said that this is right
    extra: int = 0  # objects that carry our key, and that the ledger does not know
    unknown: int = 0  # of those there: nothing was kept to compare with, what they show is agreed from now on
    restored: int = 0
    opened: int = 0  # differences that were not known before
    closed: int = 0
    left: int = 0
    sums: dict[tuple[str, str], Sums] = field(default_factory=_sums)
    """(company, currency) -> of what was checked, and of what is extra"""
    examples: dict[str, str] = field(default_factory=dict)  # key -> what differs; the first few

    @property
    def unlike_sums(self) -> dict[tuple[str, str], Sums]:
        return {place: each for place, each in self.sums.items() if each.ours != each.theirs}

    @property
    def agrees(self) -> bool:
        return not (self.missing or self.extra or self.different or self.unlike_sums)

    def name(self, key: str, what: str) -> None:
        if len(self.examples) < EXAMPLES:
            self.examples[key] = what

    def sum(self, ours: Worth | None, theirs: Worth | None) -> None:
        """Of one record; None: there is none on that side."""
        if ours is not None and ours.amount is not None:
            self.sums[ours.company, ours.currency].ours += ours.amount
        if theirs is not None and theirs.amount is not None:
            company = theirs.company or (ours.company if ours else "")
            self.sums[company, theirs.currency].theirs += theirs.amount

    def add(self, other: Verified) -> None:
        """The account of another look at the same flow."""
        for name, value in vars(other).items():
            if isinstance(value, int):
                setattr(self, name, getattr(self, name) + value)
        for place, each in other.sums.items():
            self.sums[place].ours += each.ours
            self.sums[place].theirs += each.theirs
        for key, what in other.examples.items():
            self.name(key, what)
