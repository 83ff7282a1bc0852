"""What the source says of a delivered record later: taken back, changed after it was entered, or gone.

Each read is compared with what was delivered, and so is what a look by key shows of records that no list has any more.
What is found is a difference, open until both sides agree or a person decides; nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from mlc_dagster.core.arrow_columns import records_of
from mlc_dagster.core.difference_kinds import CHANGED_AFTER_POSTING, GONE_IN_THE_SOURCE, SOURCE_SIDE, TAKEN_BACK
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.logs import logger
from mlc_dagster.core.outcomes import ReadsByKey
from mlc_dagster.core.vocabulary import Record, fingerprint, record_key
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.records.differences import Found
from mlc_dagster.ledger.records.hold_columns import narrow
from mlc_dagster.ledger.records.posted import Posted
from mlc_dagster.pipeline.batches import JUDGED_AT_ONCE, chunks

STANDS = "stands_in_its_source"
WORDS = "What was delivered still stands in its source: nobody voided, rejected, amended or deleted it there since."
AT_ONCE = 20
"""So many that are taken back, changed or gone between two looks are no coincidence any more: rights, or a filter."""
FEW, SHARE = 5, 100  # nor is the hundredth part of what was looked at, but for the first few
LATEST = 20  # deliveries that each ordinary run asks for by key
OPEN_DAYS = timedelta(days=45)

log = logger("mlc_dagster.pipeline")


@dataclass
class LaterLife:
    """One look at what became of a flow's deliveries; `end` writes it down."""

    flow: Flow
    ledger: Ledger
    most: int = AT_ONCE
    looked_at: int = 0
    found: dict[str, Found] = field(default_factory=dict)  # key -> what differs
    new: int = 0
    too_many: str = ""  # why nothing was written
    _stands: set[str] = field(default_factory=set)

    def see(self, records: Sequence[Record], facts: Facts, posted: dict[str, Posted]) -> None:
        """Compare what was read with what was delivered; `posted` is of these records."""
        for record in records:
            key = record_key(record, self.flow.source.keys)
            if key not in posted:
                continue
            self.found.pop(key, None)
            self._stands.discard(key)
            if (differs := self._differs(key, record, facts, posted[key])) is None:
                self._stands.add(key)
            else:
                self.found[key] = differs

    def miss(self, keys: Iterable[str], posted: dict[str, Posted]) -> None:
        """Of these the source knows nothing, though it was asked for each."""
        for key in keys:
            if key in posted:
                self.found[key] = Found(key, GONE_IN_THE_SOURCE, ours=_entered(posted[key]))

    def _differs(self, key: str, record: Record, facts: Facts, was: Posted) -> Found | None:
        assert self.flow.taken_back is not None
        if how := self.flow.taken_back(record, facts):
            return None if key in facts.reversed else _found(key, TAKEN_BACK, record, was, how)
        if was.is_in_doubt or self._is_as_it_was(record, facts, was):
            return None
        return _found(key, CHANGED_AFTER_POSTING, record, was, self._summary(record))

    def _is_as_it_was(self, record: Record, facts: Facts, was: Posted) -> bool:
        """By the source alone, where that is known: what mlc.yaml or the ERP says of it may be another by now."""
        if self.flow.target.changes or was.source == fingerprint(substance(self.flow, record)):
            return True
        try:
            return fingerprint(self.flow.mapping(record, facts)) == was.fingerprint
        except (ValueError, ArithmeticError, LookupError, msgspec.ValidationError):
            return False

    def _summary(self, record: Record) -> str:
        told = narrow((), msgspec.to_builtins(record))
        return " ".join(filter(None, (told["amount"], told["currency"]))) or "another content"

    def end(self) -> None:
        """Open what differs, and close what stands again; or say that it is too much at once, and write nothing."""
        kinds, found = SOURCE_SIDE, list(self.found.values())
        self.looked_at = len(self._stands) + len(found)
        known = {one.key for one in self.ledger.differences.of_keys(self.flow.name, self.found) if one.kind in kinds}
        unknown = [one for one in found if one.key not in known]
        if len(unknown) > limit(self.looked_at, self.most):
            self.too_many = _too_many(self.flow, unknown, self.looked_at)
            log.error("%s", self.too_many)
            return
        self.new = self.ledger.differences.see(self.flow.name, found)
        self.ledger.differences.agree(self.flow.name, [*self._stands, *self.found], kinds, found)
        if self.new:
            log.warning("%s: %d delivered record(s) do not stand in their source as they were", self.flow.name, self.new)


def limit(looked_at: int, most: int = AT_ONCE) -> int:
    """How many may be new to a look of so many."""
    return most if most != AT_ONCE else min(most, max(FEW, looked_at // SHARE))


def look(
    flow: Flow, source: ReadsByKey, facts: Facts, ledger: Ledger, keys: Sequence[str], most: int = AT_ONCE
) -> LaterLife:
    """Ask the source for these deliveries by key, whatever its lists show. Raises AccessDenied, TransientError."""
    life = LaterLife(flow, ledger, most)
    for some in chunks(keys, JUDGED_AT_ONCE):
        records = list(_records(flow, source, some))
        posted, known = posted_of(flow, some, ledger), with_posted(flow, some, facts, ledger)
        life.see(records, known, posted)
        seen = {record_key(record, flow.source.keys) for record in records}
        life.miss([key for key in some if key not in seen], posted)
    life.end()
    return life


def _records(flow: Flow, source: ReadsByKey, keys: Sequence[str]) -> Iterator[Record]:
    """What cannot be read is neither gone nor as it was: it is told where it is read by day."""
    for batch in source.by_keys(flow.source, keys):
        yield from (record for record, _, _ in records_of(batch, flow.source.record) if record is not None)


def latest(flow: Flow, ledger: Ledger, most: int | None = LATEST, back: timedelta = OPEN_DAYS) -> list[str]:
    """The deliveries that an ordinary run asks for by key; None: all of the open window."""
    return ledger.posted.latest(flow.name, datetime.now(UTC) - back, most)


def posted_of(flow: Flow, keys: Iterable[str], ledger: Ledger) -> dict[str, Posted]:
    return ledger.posted.of(flow.name, keys) if flow.taken_back else {}


def with_posted(flow: Flow, keys: Sequence[str], facts: Facts, ledger: Ledger) -> Facts:
    """The facts, with what was delivered and what was reversed of these keys."""
    if flow.taken_back is None:
        return facts
    done = reversals(flow, keys, ledger)
    known = {key: each.remote_id or "" for key, each in posted_of(flow, keys, ledger).items()}
    return msgspec.structs.replace(facts, posted=known, reversed=done) if False else _with(facts, known, done)
