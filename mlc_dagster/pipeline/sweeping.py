"""Looks in the source at what was delivered: what changed beside its stamp, what is gone, and what has come back.

The change sensor sees stamps. What moves none is seen here: a line that was edited or removed beside an unchanged
header, a document that was deleted, a row that was committed late. What changed is asked for again; what is gone is a
difference, or ends its hold. A part of an entity set is read at a time, so that a night that ends early goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Protocol

import pyarrow as pa

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.difference_kinds import CHANGED_AFTER_POSTING, SOURCE_SIDE
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.logs import logger
from mlc_dagster.core.outcomes import Traffic
from mlc_dagster.core.source_fingerprints import SourceFingerprints
from mlc_dagster.core.vocabulary import EntitySet, Pull, Record, Scope, fingerprint, key_parts, record_key, version_of
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.columns import stored_key
from mlc_dagster.ledger.records.sweeps import HeldRecord
from mlc_dagster.pipeline.batches import JUDGED_AT_ONCE, chunks
from mlc_dagster.pipeline.gone import Absent, OfFlow, settle
from mlc_dagster.pipeline.prepare import AsRead
from mlc_dagster.pipeline.sweep_parts import Part, in_turn
from mlc_dagster.rules.waiving import AT_THE_LOAD

log = logger("mlc_dagster.sweeps")

WHY = "the nightly sweep found other content in the ERP than was delivered"

MAY_BE_DELETED = (
    "%s: %d voucher(s) left the hold table; whether they were posted or deleted nobody can tell, since "
    "mlc.yaml names no set of posted vouchers (ifs.entity_sets.posted_voucher_set)"
)


class Source(Protocol):
    """What a sweep asks of the ERP."""

    @property
    def traffic(self) -> Traffic: ...
    def read(self, entity: EntitySet, scope: Scope, pull: Pull) -> Iterator[pa.RecordBatch]: ...
    def by_keys(self, entity: EntitySet, keys: Sequence[str]) -> Iterator[pa.RecordBatch]: ...
    def keys_of(self, entity: EntitySet) -> Iterator[str]: ...
    def moved_on(self, entity: EntitySet, keys: Sequence[str]) -> Iterator[pa.RecordBatch] | None: ...


@dataclass(frozen=True)
class Limits:
    """`verify` of mlc.yaml, and how many requests this night has."""

    days: int = 45
    rotation_days: int = 30
    gone_at_once: int = 20
    requests: float = float("inf")


@dataclass
class Swept:
    """The account of one entity set's sweep."""

    entity: str
    parts: list[str] = field(default_factory=list)  # looked at to their end
    put_off: int = 0  # parts that are left to the next night
    looked_at: int = 0  # rows
    changed: int = 0  # records of a flow that are asked for again
    beside: int = 0  # of these, with a header whose stamp is as it was delivered
    untold: int = 0  # delivered by a release that did not say from what: they cannot be compared
    asked: dict[str, set[str]] = field(default_factory=dict)  # flow -> partitions
    gone: int = 0  # delivered, and not in the ERP any more
    new: int = 0  # of these, not told before
    ended: int = 0  # holds whose record is gone
    back: int = 0  # differences that are over
    moved_on: int = 0  # rows that left their set for another, where they are
    unsure: int = 0  # rows that left it, posted or deleted: the ERP does not show where they went
    requests: int = 0
    fault: str = ""  # why nothing is written down of what is gone

    def counts(self) -> dict[str, int]:
        names = (
            "looked_at",
            "changed",
            "beside",
            "untold",
            "gone",
            "new",
            "ended",
            "back",
            "moved_on",
            "unsure",
            "requests",
        )
        return {name: getattr(self, name) for name in names}


@dataclass
class EntitySweep:
    """The sweep of one entity set, for all flows that begin there. `facts`: flow -> what mlc.yaml says of it."""

    entity: EntitySet
    flows: Sequence[Flow]
    source: Source
    ledger: Ledger
    run: Run
    limits: Limits
    facts: Mapping[str, Facts]
    ask: Callable[[str, Iterable[str]], None]
    """(flow, partitions): to be read, prepared and loaded again"""
    today: date = field(default_factory=lambda: datetime.now(UTC).date())

    def __post_init__(self) -> None:
        self.name = "/".join(self.entity.key)
        self.swept = Swept(self.name)
        self._delivered = {flow.name: self.ledger.sweeps.delivered(flow.name) for flow in self.flows}
        self._held = {flow.name: _comparable(self.ledger.sweeps.held(flow.name)) for flow in self.flows}
        self._present: set[str] = set()
        self._expected: set[str] = set()
        self._as_delivered: dict[str, set[str]] = {flow.name: set() for flow in self.flows}
        self._states: dict[str, Record] = {}  # of what is open as a difference: the record as it is

    def make(self) -> Swept:
        """Raises AccessDenied, TransientError, Misconfigured: what was asked for until then is on the work list."""
        began = self.source.traffic.requests
        self._open = {flow.name: self.ledger.differences.open(flow.name, limit=None) for flow in self.flows}
        parts = in_turn(self.entity, self.limits.days, self.limits.rotation_days, self.today, self._ended())
        for number, part in enumerate(parts):
            if self.source.traffic.requests - began >= self.limits.requests:
                self.swept.put_off = len(parts) - number
                break
            before = self.source.traffic.requests
            self._part(part)
            self.swept.parts.append(part.name)
            cost = {"requests": self.source.traffic.requests - before, "rows": self.swept.looked_at}
            self.ledger.sweeps.ended(self.name, part.name, cost)
        self._end()
        self.swept.requests = self.source.traffic.requests - began
        return self.swept

    def _ended(self) -> dict[str, datetime]:
        return {name: each.ended_at for name, each in self.ledger.sweeps.parts(self.name).items()}

    # --- what is read -------------------------------------------------------------------------------------------------

    def _part(self, part: Part) -> None:
        self._expected |= {key for known in self._known() for key, version in known.items() if part.has(key, version)}
        if part.window:
            pull = Pull(self.name, part.name)
            scope = Scope(part.window.start.date().isoformat(), window=part.window)
            self._look(self.source.read(self.entity, scope, pull))
        elif part.seen:
            self._by_keys(self.ledger.sightings.placed_on(self.name, part.seen))
        elif part.is_rest:
            self._by_keys(sorted(key for key in self._expected - self._present if part.has(key, "")))
        else:
            seen = [stored_key(key) for key in self.source.keys_of(self.entity)]
            self._present.update(seen)
            self.swept.looked_at += len(seen)

    def _known(self) -> Iterator[Mapping[str, str]]:
        """Key -> version, of what was delivered and of what is on hold, flow by flow."""
        for flow in self.flows:
            yield self._delivered[flow.name]
            yield {key: held.version for key, held in self._held[flow.name].items()}

    def _by_keys(self, keys: Sequence[str]) -> None:
        for some in chunks((key for key in keys if _can_be_asked(key, self.entity)), JUDGED_AT_ONCE):
            self._look(self.source.by_keys(self.entity, some))

    def _look(self, batches: Iterable[pa.RecordBatch]) -> None:
        for batch in batches:
            for rows in chunks(records_of(batch, self.entity.record), JUDGED_AT_ONCE):
                self._compare(rows)

    def _compare(self, rows: Sequence[AsRead]) -> None:
        """What differs from what was delivered, or is held, is asked for again; each content once."""
        self.swept.looked_at += len(rows)
        self._present.update(filter(None, (_key(row, self.entity) for row in rows)))
        records = {stored_key(record_key(row[0], self.entity.keys)): row[0] for row in rows if row[0] is not None}
        contents = {key: fingerprint(record) for key, record in records.items()}
        is_open = {each.key for differences in self._open.values() for each in differences}
        self._states |= {key: record for key, record in records.items() if key in is_open}
        for flow in self.flows:
            differing = self._differing(flow, records, contents)
            new = self.ledger.sweeps.not_asked(flow.name, {key: contents[key] for key in differing})
            days = self._ask(flow, {key: records[key] for key in new})
            self.ledger.sweeps.asked(flow.name, {key: new[key] for key in days})

    def _differing(self, flow: Flow, records: Mapping[str, Record], contents: Mapping[str, str]) -> Iterator[str]:
        prints, sources = SourceFingerprints(flow), self.ledger.sweeps.sources(flow.name, contents)
        decided, held = self.ledger.decisions.of(flow.name, list(contents)), self._held[flow.name]
        unknown = [key for key in contents if key not in held and key not in sources and key not in decided]
        yield from self._read_before(flow, {key: records[key] for key in unknown})
        yield from (key for key in contents if key in held and held[key].content not in ("", contents[key]))
        for key, known in sources.items():
            if not known:
                self.swept.untold += 1
            elif prints.is_of(records[key], known):
                self._as_delivered[flow.name].add(key)
            elif key not in held:
                yield key

    def _read_before(self, flow: Flow, records: Mapping[str, Record]) -> frozenset[str]:
        """Those of which the flow knows nothing, though it loaded their day: they were committed late."""
        scope, facts = flow.scope, self.facts[flow.name]
        mine = {key: self._day(key, record) for key, record in records.items() if not (scope and scope(record, facts))}
        loaded = self.ledger.sweeps.loaded(flow.name, {day for day in mine.values() if day}) if mine else frozenset()
        return frozenset(key for key, day in mine.items() if day in loaded)

    def _ask(self, flow: Flow, records: Mapping[str, Record]) -> dict[str, str]:
        """Key -> the partition that is asked for, of those that lie in one."""
        days = {key: day for key, record in records.items() if (day := self._day(key, record))}
        self.swept.untold += len(records) - len(days)
        if not days:
            return days
        self.ask(flow.name, sorted(set(days.values())))
        self.swept.asked.setdefault(flow.name, set()).update(days.values())
        delivered = self._delivered[flow.name]
        beside = [key for key in days if delivered.get(key) == _version(self.entity, records[key])]
        self.swept.changed += len(days)
        self.swept.beside += len(beside)
        for key in beside:
            log.info("%s %s: it changed beside its stamp; %s is read again", flow.name, key, days[key])
        return days

    def _day(self, key: str, record: Record) -> str:
        """The partition in which it is read; empty where nobody knows."""
        moment = getattr(record, self.entity.modified or "", None)
        if isinstance(moment, datetime):
            return moment.astimezone(UTC).date().isoformat()
        placed = self.ledger.sightings.places(self.name, [key]).get(key)
        return placed.isoformat() if placed else ""

    # --- what is gone -------------------------------------------------------------------------------------------------

    def _end(self) -> None:
        """What no complete read has shown is asked for by its key, with all that is open as a difference."""
        is_open = {each.key for differences in self._open.values() for each in differences if each.kind in SOURCE_SIDE}
        wanted = (self._expected - self._present) | (is_open - self._states.keys())
        self._by_keys(sorted(wanted))
        gone = {key for key in wanted - self._present if _can_be_asked(key, self.entity)}
        if self.entity.rows_move_on and gone:
            gone -= self._moved_on(sorted(gone))
        for name, keys in self._as_delivered.items():
            unchanged = sorted(keys & {each.key for each in self._open[name]})
            self.swept.back += self.ledger.differences.agree(name, unchanged, [CHANGED_AFTER_POSTING], [], self.run)
        absent = Absent(self.name, frozenset(gone), self.swept.looked_at, self.limits.gone_at_once)
        standings = [OfFlow(flow, self._delivered[flow.name], self._held[flow.name].keys()) for flow in self.flows]
        told = settle(absent, standings, self._states, self.facts, self.ledger, self.run)
        self.swept.gone, self.swept.new, self.swept.ended = told.gone, told.new, told.ended
        self.swept.back, self.swept.fault = self.swept.back + told.back, told.fault

    def _moved_on(self, keys: Sequence[str]) -> set[str]:
        """Those of which nothing is to be told: posted, or, where the ERP does not show what is posted, all of them."""
        found: set[str] = set()
        is_open = {each.key for differences in self._open.values() for each in differences}
        for some in chunks(keys, JUDGED_AT_ONCE):
            if (batches := self.source.moved_on(self.entity, some)) is None:
                self.swept.unsure = len(keys)
                log.warning(MAY_BE_DELETED, self.name, len(keys))
                return set(keys)
            for record, _, _ in (row for batch in batches for row in records_of(batch, self.entity.record)):
                if record is not None:
                    found.add(key := stored_key(record_key(record, self.entity.keys)))
                    self._states |= {key: record} if key in is_open else {}
        self.swept.moved_on = len(found)
        return found


def _comparable(held: Mapping[str, HeldRecord]) -> dict[str, HeldRecord]:
    """Holds that the load made show the target's record: of these the content is not compared."""
    return {
        key: each._replace(content="") if AT_THE_LOAD.issuperset(each.rules) else each
        for key, each in held.items()
        if not key.startswith("unreadable ")
    }


def _key(row: AsRead, entity: EntitySet) -> str:
    """Of a row that fits no record the key that could be read of it; empty where none could."""
    record, _, unreadable = row
    told: Any = record_key(record, entity.keys) if record else json.loads(unreadable or "{}").get("key")
    return stored_key(told) if told else ""


def _can_be_asked(key: str, entity: EntitySet) -> bool:
    """A key that was shortened to be stored is none of the source's any more."""
    return key[-33:-32] != "~" and len(key_parts(key, len(entity.keys))) == len(entity.keys)


def _version(entity: EntitySet, record: Record) -> str:
    return version_of(getattr(record, entity.modified or "", None))
