"""What the source does not have any more: a difference of what was delivered, the end of the hold of what was held."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import ClassVar

from mlc_dagster.core.difference_kinds import (
    DELETED_IN_THE_TARGET,
    GONE_IN_THE_SOURCE,
    TAKEN_BACK,
    VOIDED_IN_THE_TARGET,
)
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.logs import logger
from mlc_dagster.core.vocabulary import Record
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.differences import BOTH_GONE, Difference, Found
from mlc_dagster.rules.records import stopped_in

log = logger("mlc_dagster.sweeps")

AT_ONCE, FEW, SHARE = 20, 5, 100
"""Gone at once: more than 20, or than the hundredth part of what was looked at, but for the first five."""
GONE = "the source does not have it any more"
UNANSWERED = "sent, and not answered: it may be there"


@dataclass(frozen=True)
class Absent:
    """Keys that were asked for one by one, and that nobody answered for."""

    KINDS: ClassVar[tuple[str, ...]] = (GONE_IN_THE_SOURCE, TAKEN_BACK)

    entity: str
    keys: AbstractSet[str]
    looked_at: int
    most: int = AT_ONCE

    def fault(self, known: AbstractSet[str]) -> str:
        """Why so many cannot be deletions; empty where they can. `known`: those that were told before."""
        new = sorted(self.keys - known)
        limit = min(self.most, max(FEW, self.looked_at // SHARE)) if self.most == AT_ONCE else self.most
        none_left = not self.looked_at and len(new) > 1
        if len(new) <= limit and not none_left:
            return ""
        some = ", ".join(new[:FEW])
        return (
            f"{self.entity}: {len(new)} records that were delivered or held are gone at once, of {self.looked_at} that "
            f"were looked at ({some}, ...). Have the service user's rights, or a filter, changed? Nothing is written "
            "down of it. If they were deleted, raise verify.gone_at_once in mlc.yaml for one night."
        )


@dataclass(frozen=True)
class OfFlow:
    """What the ledger has of one flow."""

    flow: Flow
    delivered: Collection[str]
    held: Collection[str]


@dataclass
class Settled:
    """What came of it."""

    gone: int = 0
    new: int = 0
    ended: int = 0
    back: int = 0
    fault: str = ""


def settle(
    absent: Absent,
    standings: Sequence[OfFlow],
    there: Mapping[str, Record],
    facts: Mapping[str, Facts],
    ledger: Ledger,
    run: Run,
) -> Settled:
    """Write down what is gone, and close what is back. `there`: the records of open differences that were found."""
    told = Settled()
    opened = {each.flow.name: ledger.differences.open(each.flow.name, limit=None) for each in standings}
    for each in standings:
        told.back += _back(each.flow, opened[each.flow.name], there, facts[each.flow.name], ledger, run)
        told.back += _gone_on_both_sides(opened[each.flow.name], ledger, run)
    opened = {each.flow.name: ledger.differences.open(each.flow.name, limit=None) for each in standings}
    known = {one.key for found in opened.values() for one in found if one.kind in Absent.KINDS}
    if fault := absent.fault(known):
        log.error("%s", fault)
        told.fault = fault
        return told
    for each in standings:
        found = _found(each, absent.keys, opened[each.flow.name], ledger)
        told.gone += len(found)
        told.new += (new := ledger.differences.see(each.flow.name, found, run))
        held = sorted(absent.keys & set(each.held))
        told.ended += ledger.close_holds(each.flow.name, held, "gone", run=run, reason=GONE) if held else 0
        if new:
            words = "%s: %d delivered record(s) are gone in the source; they stay open until both sides agree"
            log.warning(words, each.flow.name, new)
    return told


def _found(each: OfFlow, keys: AbstractSet[str], opened: Sequence[Difference], ledger: Ledger) -> list[Found]:
    """One difference for a record: what was taken back, and then deleted, is told already."""
    told = {one.key for one in opened if one.kind == TAKEN_BACK}
    gone = sorted((keys & set(each.delivered)) - told)
    decided = ledger.differences.decided(each.flow.name, gone, GONE_IN_THE_SOURCE)
    gone = [key for key in gone if key not in decided]
    stakes, places = ledger.stakes.of(each.flow.name, gone), ledger.stakes.places(each.flow.name, gone)
    found = []
    for key in gone:
        stake, place = stakes.get(key), places.get(key)
        amount, currency = (stake.amount, stake.currency) if stake else (None, None)
        number = (place and place.number) or UNANSWERED
        found.append(Found(key, GONE_IN_THE_SOURCE, "", number, None, amount, currency))
    return found


def _back(
    flow: Flow, opened: Sequence[Difference], there: Mapping[str, Record], facts: Facts, ledger: Ledger, run: Run
) -> int:
    """A record that is there again is not gone; one that is in a usual state again is not taken back."""
    gone = [one.key for one in opened if one.kind == GONE_IN_THE_SOURCE and one.key in there]
    states = [one.key for one in opened if one.kind == TAKEN_BACK and one.key in there]
    alive = [key for key in states if not stopped_in(there[key], facts)]
    closed = ledger.differences.agree(flow.name, gone, [GONE_IN_THE_SOURCE], [], run)
    return closed + ledger.differences.agree(flow.name, alive, [TAKEN_BACK], [], run)


def _gone_on_both_sides(opened: Sequence[Difference], ledger: Ledger, run: Run) -> int:
    """What the source took back, and the target does not have any more either, is agreed; how many records."""
    there = {one.key for one in opened if one.kind in (DELETED_IN_THE_TARGET, VOIDED_IN_THE_TARGET)}
    here = {one.key for one in opened if one.kind in Absent.KINDS}
    kinds = (*Absent.KINDS, DELETED_IN_THE_TARGET, VOIDED_IN_THE_TARGET)
    ledger.differences.close(
        [one.id for one in opened if one.key in there & here and one.kind in kinds], BOTH_GONE, run
    )
    return len(there & here)
