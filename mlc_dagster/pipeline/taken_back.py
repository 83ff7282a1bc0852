"""What the source says of a delivered record later: taken back, changed after it was entered, or gone.

Each read is compared with what was delivered, and so is what a look by key shows of records that no list has any more.
What is found is a difference, open until both sides agree or a person decides; nothing is sent here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import msgspec

from mlc_dagster.core.difference_kinds import CHANGED_AFTER_POSTING, GONE_IN_THE_SOURCE, SOURCE_SIDE
from mlc_dagster.core.facts import Facts
from mlc_dagster.core.flows import Flow
from mlc_dagster.core.logs import logger
from mlc_dagster.core.source_fingerprints import SourceFingerprints
from mlc_dagster.core.vocabulary import Record, fingerprint, record_key
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger.records.differences import A_LOOK, Found
from mlc_dagster.ledger.records.hold_columns import narrow
from mlc_dagster.ledger.records.posted import Posted
from mlc_dagster.pipeline.gone import UNANSWERED

STANDS = "stands_in_its_source"
WORDS = "What was delivered still stands in its source: nobody voided, rejected, amended or deleted it there since."
REVERSED = "_reversed"
AT_ONCE = 20
"""So many that are taken back, changed or gone between two looks are no coincidence any more: rights, or a filter."""
FEW, SHARE = 5, 100  # nor is the hundredth part of what was looked at, but for the first few

log = logger("mlc_dagster.pipeline")


@dataclass
class LaterLife:
    """One look at what became of a flow's deliveries; `end` writes it down."""

    flow: Flow
    ledger: Ledger
    most: int = AT_ONCE
    read_at: datetime | None = None  # when what is seen was read; None: now
    looked_at: int = 0
    found: dict[str, Found] = field(default_factory=dict)  # key -> what differs
    new: int = 0
    too_many: str = ""  # why nothing was written
    _stands: set[str] = field(default_factory=set)

    def see(self, records: Sequence[Record], facts: Facts) -> None:
        """Compare what was read with what was delivered; the facts are of these records."""
        if self.flow.fate is None or not facts.posted:
            return
        posted = self.ledger.posted.of(self.flow.name, facts.posted)
        for record in records:
            key = record_key(record, self.flow.source.keys)
            if key in posted:
                self._note(key, self._differs(key, record, facts, posted[key]))

    def _note(self, key: str, found: Found | None) -> None:
        """Of a record that is seen twice the later one counts."""
        self.found.pop(key, None)
        self._stands.discard(key)
        if found is None:
            self._stands.add(key)
        else:
            self.found[key] = found

    def miss(self, keys: Iterable[str]) -> None:
        """Of these the source knows nothing, though it was asked for each."""
        for key, was in self.ledger.posted.of(self.flow.name, keys).items():
            self._note(key, Found(key, GONE_IN_THE_SOURCE, ours=_number(was)))

    def _differs(self, key: str, record: Record, facts: Facts, was: Posted) -> Found | None:
        assert self.flow.fate is not None
        if fate := self.flow.fate(record, facts):
            return None if key in facts.reversed else _found(key, fate.kind, record, was, fate.how)
        if key in facts.reversed:
            return None  # held: it is alive again, and its document is reversed
        if was.is_in_doubt or self._is_as_it_was(record, facts, was):
            return None
        return _found(key, CHANGED_AFTER_POSTING, record, was, _summary(record))

    def _is_as_it_was(self, record: Record, facts: Facts, was: Posted) -> bool:
        """By the source alone, where that is known: what mlc.yaml or the ERP says of it may be another by now."""
        if self.flow.substance is None or SourceFingerprints(self.flow).is_of(record, was.source):
            return True
        try:
            return fingerprint(self.flow.mapping(record, facts)) == was.fingerprint
        except (ValueError, ArithmeticError, LookupError, msgspec.ValidationError):
            return False

    def end(self, run: Run = A_LOOK) -> None:
        """Open what differs, and close what stands again; or say that it is too much at once, and write nothing."""
        if not self.found and not self._stands:
            return
        self._leave_what_is_known_better()
        found, differences = list(self.found.values()), self.ledger.differences
        self.looked_at = len(self._stands) + len(found)
        known = differences.of(self.flow.name, list(self.found), SOURCE_SIDE)
        unknown = [one for one in found if one.key not in known]
        if len(unknown) > limit(self.looked_at, self.most):
            self.too_many = _too_many(self.flow, unknown, self.looked_at)
            log.error("%s", self.too_many)
            return
        found = self._at_stake(found)
        self.new = differences.see(self.flow.name, found, run)
        differences.agree(self.flow.name, [*self._stands, *self.found], SOURCE_SIDE, found, run)
        if self.new:
            log.warning("%s: %d delivered record(s) do not stand in their source any more", self.flow.name, self.new)

    def _at_stake(self, found: Sequence[Found]) -> list[Found]:
        """With what was delivered: the source may say 0 of what it took back, and nothing of what is gone."""
        stakes = self.ledger.stakes.of(self.flow.name, [one.key for one in found])
        known = {key: stake for key, stake in stakes.items() if stake.amount is not None}
        return [
            one._replace(amount=known[one.key].amount, currency=known[one.key].currency) if one.key in known else one
            for one in found
        ]

    def _leave_what_is_known_better(self) -> None:
        """Stored rows that are judged again say nothing of what was looked at since they were read."""
        if self.read_at is not None:
            later = self.ledger.differences.told_since(self.flow.name, self.read_at) & {*self.found, *self._stands}
            self.found = {key: one for key, one in self.found.items() if key not in later}
            self._stands -= later


def limit(looked_at: int, most: int = AT_ONCE) -> int:
    """How many may be new to a look of so many."""
    return most if most != AT_ONCE else min(most, max(FEW, looked_at // SHARE))


def with_posted(flow: Flow, keys: Iterable[str], facts: Facts, ledger: Ledger) -> Facts:
    """The facts, with what was delivered and what was reversed of these keys."""
    if flow.fate is None:
        return facts
    posted = {key: each.remote_id or "" for key, each in ledger.posted.of(flow.name, keys).items()}
    return replace(facts, posted=posted, reversed=reversals(flow, posted, ledger))


def read_at(flow: Flow, partition: str, ledger: Ledger) -> datetime | None:
    """When the rows of a partition were asked for, by the ledger's clock where it gave the read a number."""
    entry = ledger.last_pull("/".join(flow.source.key), partition) if flow.fate else None
    if entry is None:
        return None
    number = entry.pull.read_number
    walk = ledger.reads.of(number) if number else None
    return walk.began_at if walk else entry.pull.started_at


def reversals(flow: Flow, keys: Iterable[str], ledger: Ledger) -> dict[str, str]:
    """Key -> the number of the document that reversed its own."""
    if flow.reversing is None:
        return {}
    own = {reversal_key(key): key for key in keys}
    return {own[key]: number for key, number in ledger.remote_ids(reversal_name(flow.name), own).items()}


def reversal_name(flow: str) -> str:
    """Under which the ledger knows what reverses the documents of a flow."""
    return f"{flow}{REVERSED}"


def reversal_key(key: str) -> str:
    """A document is reversed once, and never entered again."""
    return f"{key}/R1"


def _found(key: str, kind: str, record: Record, was: Posted, theirs: str) -> Found:
    told = narrow((), msgspec.to_builtins(record))
    stake = (told["amount"] or None, told["currency"] or None)
    return Found(key, kind, "", _number(was), theirs, *stake)


def _number(was: Posted) -> str:
    return was.remote_id or UNANSWERED


def _summary(record: Record) -> str:
    told = narrow((), msgspec.to_builtins(record))
    return " ".join(filter(None, (told["amount"], told["currency"]))) or "another content"


def _too_many(flow: Flow, found: Sequence[Found], looked_at: int) -> str:
    kinds = Counter(one.kind.replace("_", " ") for one in found)
    said = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    return (
        f"{flow.name}: {said}, of {looked_at} that were looked at: so many at once are mostly rights, a filter or a "
        f"setting. Nothing is written down of it. Look at them in {flow.title or flow.source.system}; if it is so, "
        f"raise verify.gone_at_once in mlc.yaml."
    )
