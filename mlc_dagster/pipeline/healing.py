"""Which held records would pass now: they are judged again, by today's facts, as prepare would.

Few are judged each time. Of many, those of a cause are judged when what is known of the missing value differs, when one
of them that was tried would no longer be held by it, and all of them once a day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import msgspec

from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow, Problem
from mlc_dagster.core.outcomes import Ready
from mlc_dagster.core.vocabulary import Record, record_key
from mlc_dagster.ledger import Held, HoldEntry, Ledger
from mlc_dagster.ledger.records.causes import LAST, Cause, Group, Judged, Place
from mlc_dagster.pipeline.known_values import marks
from mlc_dagster.pipeline.prepare import AsRead, Look, facts_of, judge_all
from mlc_dagster.pipeline.registered_anew import Registrations
from mlc_dagster.rules.waiving import AT_THE_LOAD

AT_ONCE = 500  # holds in memory; a flow with no more than these has all of them judged each time
DAILY = timedelta(days=1)
NAMELESS = timedelta(minutes=10)  # between two rounds of a cause that names no value which could appear
STANDS = timedelta(hours=1)  # how long it is believed of a hold that it would pass

Ask = Callable[[], tuple[Facts, Look | None]]


def judge_in_time(
    flow: Flow, ledger: Ledger, ask: Ask, turn: int, in_time: Callable[[], bool]
) -> tuple[int, Facts | None]:
    """Judge what may have healed, as long as there is time, and note in the ledger what would pass.

    `turn`: where the tries of the last time ended. (where they end now, the facts; None: nothing waits for any).
    """
    groups = {cause: group for cause, group in ledger.causes.open(flow.name).items() if not _is_of_the_load(cause)}
    known = ledger.causes.judged(flow.name)
    ledger.causes.remember(flow.name, {}, known.keys() - groups.keys())
    if not groups:
        return 0, None
    facts, look = ask()
    if facts.unusable:
        return turn, facts
    judging = _Judging(flow, ledger, facts, look)
    if sum(group.holds for group in groups.values()) <= AT_ONCE:
        judging.judge([hold for hold in ledger.history.next_holds(flow.name, 0) if not _is_of_the_load(hold)])
        return 0, facts
    return judging.by_cause(groups, known, turn, in_time), facts


def _is_of_the_load(held: Cause | HoldEntry) -> bool:
    rules = held.rules.strip(",").split(",") if isinstance(held, Cause) else held.rules
    return AT_THE_LOAD.issuperset(rules)


@dataclass
class _Judging:
    flow: Flow
    ledger: Ledger
    facts: Facts
    look: Look | None

    def __post_init__(self) -> None:
        self.now = self.ledger.causes.now()

    def judge(self, holds: Sequence[HoldEntry]) -> list[tuple[HoldEntry, tuple[Problem, ...] | None]]:
        """Each with what would keep it; what would pass, and what no longer would, is noted."""
        judged = judged_again(self.flow, holds, self.facts, self.ledger, self.look)
        passing = [hold.id for hold, problems in judged if problems == () and not self._stands(hold)]
        failing = [hold.id for hold, problems in judged if problems != () and hold.passes_at]
        self.ledger.causes.note(passing, failing)
        return judged

    def _stands(self, hold: HoldEntry) -> bool:
        return hold.passes_at is not None and self.now - hold.passes_at < STANDS

    def by_cause(
        self, groups: Mapping[Cause, Group], known: Mapping[Cause, Judged], turn: int, in_time: Callable[[], bool]
    ) -> int:
        causes = self.ledger.causes
        self.judge(causes.entries(causes.passed_before(self.flow.name, self.now - STANDS, AT_ONCE)))
        in_order = sorted(groups)
        tried = in_order[turn : turn + AT_ONCE]
        freed = self._freed({groups[cause].newest: cause for cause in tried})
        marked = marks(self.flow, groups, self.facts, self.ledger)
        rounds = [(cause, self._round(cause, marked[cause], known.get(cause), freed)) for cause in in_order]
        due = [(cause, judged) for cause, judged in rounds if _is_due(judged.place, groups[cause])]
        due.sort(key=lambda each: each[1].began_at)
        causes.remember(self.flow.name, self._judge_rounds(due, groups, in_time))
        return turn + AT_ONCE if turn + AT_ONCE < len(in_order) else 0

    def _freed(self, tried: Mapping[int, Cause]) -> set[Cause]:
        """The causes of these holds that would not be held by all that they were held by."""
        return {
            tried[hold.id]
            for hold, problems in self.judge(self.ledger.causes.entries(list(tried)))
            if problems is not None and not _subjects(hold.problems) <= _subjects(problems)
        }

    def _round(self, cause: Cause, mark: str, last: Judged | None, freed: set[Cause]) -> Judged:
        """The round that goes on, or a new one."""
        if last is None or last.mark != mark:
            return Judged(mark, self.now)
        age = self.now - last.began_at
        again = age >= (DAILY if cause.missing else NAMELESS) or (cause in freed and age >= STANDS)
        return Judged(mark, self.now) if again else last

    def _judge_rounds(
        self, due: Sequence[tuple[Cause, Judged]], groups: Mapping[Cause, Group], in_time: Callable[[], bool]
    ) -> dict[Cause, Judged]:
        """How far each came. Of several causes at once, so that the target is asked seldom."""
        came: dict[Cause, Judged] = {}
        batch: list[HoldEntry] = []
        for cause, judged, holds in self._batches(due, groups):
            batch += holds
            came[cause] = judged
            if len(batch) >= AT_ONCE:
                self.judge(batch)
                batch = []
                if not in_time():
                    return came
        self.judge(batch)
        return came

    def _batches(
        self, due: Sequence[tuple[Cause, Judged]], groups: Mapping[Cause, Group]
    ) -> Iterator[tuple[Cause, Judged, list[HoldEntry]]]:
        for cause, judged in due:
            place, last = judged.place, groups[cause].held_at
            while place.id != LAST or place.at != last:
                holds = self.ledger.causes.holds_of(self.flow.name, cause, place, AT_ONCE)
                last = max(last, holds[-1].updated_at) if holds else last
                place = Place(last, LAST) if len(holds) < AT_ONCE else Place(holds[-1].updated_at, holds[-1].id)
                yield cause, replace(judged, place=place), holds


def _subjects(problems: Sequence[Problem]) -> set[tuple[str, str]]:
    return {(problem.rule, problem.subject) for problem in problems}


def _is_due(place: Place, group: Group) -> bool:
    return place.at is None or place < Place(group.held_at, LAST)


# --- one hold after the other ----------------------------------------------------------------------------------------


def judged_again(
    flow: Flow, holds: Sequence[HoldEntry], facts: Facts, ledger: Ledger, look: Look | None = None
) -> list[tuple[HoldEntry, tuple[Problem, ...] | None]]:
    """Each hold with what would keep it now: nothing, where it would be ready; None where it cannot be told."""
    found = [(hold, record) for hold in holds if (record := _source(flow, hold)) is not None]
    rows: list[AsRead] = [(record, None, None) for _, record in found]
    known = facts_of(flow, rows, facts, ledger)
    others = Registrations(flow, ledger)
    outcomes = judge_all(flow, rows, known, "", look, partial(ledger.decisions.of, flow.name), others) if rows else ()
    told = {hold.id: _problems(one) for (hold, _), one in zip(found, outcomes, strict=True)}
    return [(hold, told.get(hold.id)) for hold in holds]


def _problems(one: object) -> tuple[Problem, ...] | None:
    if isinstance(one, Ready):
        return ()
    return one.problems if isinstance(one, Held) else None


def _source(flow: Flow, hold: HoldEntry) -> Record | None:
    """The record as it was read; None where the hold keeps another one: an unreadable row, or the target's record."""
    try:
        record = msgspec.convert(hold.row, flow.source.record, strict=False)
    except msgspec.ValidationError:
        return None
    return record if record_key(record, flow.source.keys) == hold.key else None
