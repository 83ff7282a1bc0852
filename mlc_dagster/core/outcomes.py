"""What is sent to a target, what can come of it, and what the pipeline knows of the one who sends. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from mlc_dagster.core.bank_details import BankStep
from mlc_dagster.core.errors import OwnedByAnother
from mlc_dagster.core.facts import Books
from mlc_dagster.core.flows import Flow, Target
from mlc_dagster.core.vocabulary import Record

EVER = datetime(1970, 1, 1, tzinfo=UTC)
"""From when a first load looks in the target."""


class State(StrEnum):
    """What the ledger says of a ready record."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    STALE = "stale"  # its source is as it was delivered, but what is made of it would differ: the mapping changed
    SUPERSEDED = "superseded"  # something newer was delivered already
    IN_DOUBT = "in_doubt"  # an earlier attempt has no answer


class Ready(msgspec.Struct, frozen=True, gc=False):
    """A prepared record, as it is stored between prepare and load."""

    key: str
    version: str  # sortable text: the source's modified timestamp, microseconds, UTC
    fingerprint: str
    record: Record
    source: str = ""  # `SourceFingerprints` of what it was made from; empty: not known, prepared by an older release
    read_number: int | None = None  # of the walk that read it; None: its rows were stored by an older release


Shown = Mapping[str, str | Decimal | None]
"""Field -> value, in the target's own names and as it shows them. What is compared, and nothing else.

A Decimal is an amount or a quantity: 21 is 21.00. Text counts by its letters: code 0010 is not 10; empty text is none.
Rows of a list are named by their place, "lines[1].Price", with their number under "lines". A name that begins with
"@" is for the client alone, such as the stamp by which a list tells that nothing changed: kept, never compared.
"""


@dataclass(frozen=True)
class Draft:
    """A record on its way to the target."""

    key: str
    record: Any
    remote_id: str | None = None  # known: update; None: create, after a look where `look_since` says so
    look_since: datetime | None = None  # look in the target by external key before creating; from when it may exist
    was_delivered: bool = False  # the target had it whole before: what is sent now is a change
    agreed: Callable[[str], Agreed | None] = field(default=lambda key: None, compare=False)
    """the ERP's key -> the values that both sides last agreed on, of flows with a pair"""
    owner: Callable[[str], str] = field(default=lambda remote_id: "", compare=False)
    """the target's id -> the other record of the flow that it was delivered for; empty: nobody's. Asked before a
    document that is there is taken for this record's."""
    version: str = ""  # the source's modified timestamp, as in Ready
    title: str = ""  # the SaaS that it comes from or goes to, as people write it
    as_sent: bool = False
    """In doubt, and each attempt without an answer was made with this very content. Else a supplier, a name, a date or
    an amount may have been corrected since: it is looked for by what cannot have changed, reference and time."""
    is_young: bool = False  # the ledger began with this flow lately: what people put away may be of one that is lost
    anew: bool = False  # a person asked for it again: what people deleted or voided there counts for nothing
    restores: bool = False  # a person said that ours counts: what people changed there is written over
    kept: Shown = field(default_factory=dict)  # theirs, which a person accepted: it is left as it is

    @property
    def is_in_doubt(self) -> bool:
        """An attempt has no answer. A first load looks from ever, and nothing was ever attempted under its key."""
        return self.look_since is not None and self.look_since > EVER

    @property
    def may_be_elsewhere(self) -> bool:
        """In doubt, and no id of it is known, and what it was sent with may have been corrected since."""
        return self.is_in_doubt and self.remote_id is None and not self.as_sent


Agreed = Mapping[str, str]
"""Field -> value, as text, that both sides had when they last agreed."""


@dataclass(frozen=True)
class Begun:
    """The target has the record, but not all of it yet: remember the id, then go on."""

    draft: Draft
    remote_id: str


class Disagreement(NamedTuple):
    """Where a delivered record is not alike on both sides, as a write's own look back found it: told, not corrected."""

    kind: str  # "kept_in_the_target", "deleted_in_the_target", ...
    field: str = ""  # empty: the record as a whole
    ours: str | None = None  # as text; None: there is none
    theirs: str | None = None
    amount: str | None = None  # what is at stake, exact, in `currency`
    currency: str | None = None


@dataclass(frozen=True)
class Saved:
    """The target has the record as it should be, but for `disagreements`."""

    draft: Draft
    remote_id: str
    action: Literal["created", "updated", "adopted"]  # adopted: it was there already, and equal
    detail: str = ""  # what a person would look for: "PO-00102"
    link: str = ""
    agreed: tuple[str, Agreed] | None = None  # (the ERP's key, values) that both sides have from now on
    disagreements: tuple[Disagreement, ...] = ()
    looked_for: tuple[str, ...] = ()  # kinds of disagreement that this look would have found: what it did not is closed
    also_agreed: tuple[tuple[str, Agreed], ...] = ()  # the same, of other keys that it concerns
    bank: BankStep | None = None  # where bank details were sent
    shown: Shown = field(default_factory=dict)  # what the answer shows otherwise than `expected`: cut, lowered; no edit


ACCEPTED = "target_accepts_it"


@dataclass(frozen=True)
class Refused:
    """The target said no to this one record, or must not be asked. It is held under this rule, with this reason."""

    draft: Draft
    reason: str
    rule: str = ACCEPTED
    in_doubt: bool = False  # an earlier attempt is still without an answer: it is looked for again
    disagreements: tuple[Disagreement, ...] = ()  # what was found on the way, of a record that was delivered


OWNED = OwnedByAnother.rule
"""The rule under which a record is held whose document was delivered for another one of its flow."""


def owned_words(key: str, owner: str, named: str, target: str) -> str:
    """Why a record is held whose document is another one's: both keys, and the document's number."""
    return (
        f"{named} of {target} was delivered for {owner}, and {key} leads to it as well: two records are two documents. "
        f"Correct the number or the key of one of them, or discard this hold."
    )


def refuse_owned(draft: Draft, remote_id: str, named: str, target: str) -> None:
    """Before a document that is there is taken for this draft's. Raises OwnedByAnother where it is another record's."""
    if owner := draft.owner(remote_id):
        raise OwnedByAnother(owned_words(draft.key, owner, named, target))


@dataclass(frozen=True)
class Unanswered:
    """It was sent, and no answer came: look before it is sent again."""

    draft: Draft
    reason: str


Outcome = Begun | Saved | Refused | Unanswered


class Traffic(NamedTuple):
    """What a client has cost so far."""

    requests: int
    throttled_seconds: float  # spent waiting for the rate budget

    def since(self, before: Traffic) -> Traffic:
        return Traffic(self.requests - before.requests, self.throttled_seconds - before.throttled_seconds)


class Client(Protocol):
    """What the pipeline knows of a target system."""

    @property
    def traffic(self) -> Traffic: ...

    def save(self, target: Target, drafts: Iterable[Draft]) -> Iterator[Outcome]:
        """Send the drafts; outcomes come out one by one, at most one Begun before the last word on a draft.

        Raises AccessDenied, TransientError (retries are exhausted; nothing was done for the drafts not yet answered).
        """

    def books(self) -> Books:
        """The reference books that rules validate against; read anew, at most once a minute."""


class LooksUpRecords(Client, Protocol):
    """A target that is asked what it has of the very records that are judged: `Flow.looks_up`."""

    def known(self, target: Target, records: Sequence[Any]) -> Books:
        """The books, with the suppliers and the documents that these records name."""


@dataclass(frozen=True)
class Delivered:
    """A record that the ledger says is in the account: what it is found by there, and what it can be told by.

    `remote_id` is the target's id; `key` is the source's. `agreed` are the values that both sides last agreed on.
    """

    flow: Flow
    key: str
    remote_id: str
    agreed: Agreed = field(default_factory=dict)
    record: Any = None  # as it was sent; None: it is not kept any more, or not asked for
    shown: Shown | None = None  # by the target at the last look; None: never looked at since it was delivered
    agreed_on: Callable[[str], Agreed | None] = field(default=lambda key: None, compare=False)
    """the ERP's key -> the values that both sides last agreed on, of flows with a pair"""

    def says_otherwise(self, values: Mapping[str, object]) -> bool:
        """Whether all that can be compared is another: then it is another record under the same id."""
        told = {name: text for name in _TELLING if (text := self.agreed.get(name)) and values.get(name)}
        return bool(told) and all(_folded(values[name]) != _folded(text) for name, text in told.items())


_TELLING = ("name", "email", "vat_no")
"""What tells two suppliers apart: that both are in one country says nothing."""


def _folded(value: object) -> str:
    return " ".join(str(value).split()).casefold()


Whereabouts = Literal["there", "deleted", "merged", "moved", "voided"]
"""archived is deleted, with a detail that says so; merged: the id leads to another record now, or to none of ours;
moved: it is there, where we did not put it."""


@dataclass(frozen=True)
class Seen:
    """What a target shows of a delivered record."""

    key: str
    remote_id: str  # as it was asked for
    state: Whereabouts
    values: Shown = field(default_factory=dict)  # of one that is there, merged or moved; of a voided one where shown
    remote_now: str = ""  # merged: the id that it leads to; moved: where it is now, in words
    detail: str = ""  # what a person would look for: "PO-00102, archived on 2026-11-05"


class Worth(NamedTuple):
    """What a record is worth, for sums by company and currency."""

    company: str  # the ERP's code; empty: not told
    amount: Decimal | None  # None: it is worth nothing by itself, as a supplier is
    currency: str


class ReadsBack(Client, Protocol):
    """A target that shows what it has of what was delivered."""

    def read_back(self, target: Target, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """One answer for each, in any order. In lists and batches; by id only what a list shows as missing, or
        otherwise than `Delivered.shown` has it; where the list shows nothing new, the values are those.

        Reads only. Raises AccessDenied, TransientError: for those that were not answered yet.
        """

    def expected(self, target: Target, record: Any) -> Shown:
        """The same fields of a record as it was sent, as the target keeps them. Pure: nothing is asked."""

    def worth(self, target: Target, values: Shown) -> Worth:
        """What these values come to: of `expected` and of `Seen.values` alike. Pure."""


class TooFar(Exception):
    """A system asks for a silence that the caller does not wait for: the next slot is `seconds` away."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the next slot is {seconds:.0f} s away")
        self.seconds = seconds


class Budget(Protocol):
    """How many calls a credential may make. Holds across threads, and across processes where its store does."""

    def take(self, longest: float = math.inf) -> float:
        """Wait for the next free slot; the seconds waited. Raises TooFar where a pause lasts longer than `longest`."""

    def free_in(self) -> float:
        """Seconds until a slot is free; takes none."""

    def left(self, late: float) -> None:
        """A call leaves now, so many seconds after its slot: on a busy machine a thread may be kept from it."""

    def pause(self, seconds: float) -> None:
        """The server asked for silence: nobody takes a slot before then."""
