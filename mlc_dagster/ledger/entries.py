"""What goes into the ledger and what comes out of it. Pure: no SQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Literal, NamedTuple, TypeVar

from mlc_dagster.core.flows import Problem
from mlc_dagster.core.outcomes import Ready, Refused, Saved, State, Unanswered
from mlc_dagster.core.vocabulary import Pull

NEVER_AGAIN = "9999-12-31T23:59:59.999999Z"
"""The version of what another record took the place of: every other one is older."""

Answer = Saved | Refused | Unanswered
"""The last word on a draft. `Begun` is not one: see `Ledger.note_id`."""

Closing = Literal["delivered", "superseded", "out_of_scope", "released", "discarded", "gone"]
"""Why a hold was closed."""

Decided = Literal["released", "discarded"]
"""What a person can say of a held record."""


class Event(StrEnum):
    """What can happen to a key: one line of its trail."""

    SENT = "sent"  # written before the request leaves
    BEGUN = "begun"  # the target has an id for it, but not all of it yet
    CREATED = "created"
    UPDATED = "updated"
    ADOPTED = "adopted"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    LATE = "late"  # answered, when another writer had taken over
    SUPERSEDED = "superseded"
    HELD = "held"
    CLOSED = "closed"  # the hold was closed
    RELEASED = "released"  # a person let it pass
    RELEASED_ONCE = "released_once"  # a first person let it pass; a second one has to
    DISCARDED = "discarded"  # a person decided that it is never sent
    DECISION_TAKEN_BACK = "decision_taken_back"  # a person took a decision back: it is on hold as before
    GUARD_RAISED = "guard_raised"  # what a guard held passes it now, since mlc.yaml says another figure
    GONE = "gone"  # looked at before its delivery, and not in the source any more
    REVERSED = "reversed"  # its document was reversed, since the source took it back
    ACCEPTED = "accepted"  # a person said that the target is right
    ASKED_AGAIN = "asked_again"  # a person asked for it once more: restore, recreate
    RELINKED = "relinked"  # a person said which record of the target it is
    FORGOTTEN = "forgotten"  # a person said that what is in the target is none of ours
    ABSENT = "absent"  # a person said that it is not there any more, and that the account is the same for all that
    SET_ASIDE = "set_aside"  # the connection leads to another account now: what is there is looked up first
    STARTED = "started"  # no key: a run begins to write, and by whom it was started
    READ = "read"  # of the chain of pulls: a walk through a source came to its end
    DIFFERS = "differs"  # both sides do not agree any more: a difference was found
    AGREES = "agrees"  # a difference was closed: both sides agree again, or a person said so
    SIGNED = "signed"  # under a period and company: a person signed these figures of a month end
    SIGNATURE_VOID = "signature_void"  # a figure that was signed is another one now
    NOTED = "noted"  # a person wrote something down beside it
    ASSIGNED = "assigned"  # a person gave it to somebody
    PROPOSED = "proposed"  # a person proposed a decision that a second one has to confirm
    ACTION_REQUESTED = "action_requested"  # two people asked that a run writes to the target, or to the ledger for them
    ACTION_ENDED = "action_ended"  # what came of that
    EXPLAINED = "explained"  # a person said until when it may differ, and why
    EXPLANATION_ENDED = "explanation_ended"  # a person said that it has been explained for long enough
    REFUSED_BY_PERSON = "refused_by_person"  # a second person did not confirm it, or it is void
    AGREED = "agreed"  # under the ERP's key: the values that both sides have from now on


@dataclass(frozen=True)
class Run:
    """Who writes, and for which partition: the Dagster run id, and "2026-11-05" or a company code."""

    run_id: str
    partition: str = ""
    by: str = ""  # who started it, in words: "schedule cin7_running_day"; empty: not told
    by_person: bool = False  # it is told in the trail also where nothing else is written


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger says of a ready record."""

    state: State
    remote_id: str | None = None  # the target's id for the key, as far as it is known
    since: datetime | None = None  # IN_DOUBT: the first attempt without an answer; it may exist from then on
    delivered_version: str | None = None
    source: str | None = None  # fingerprint of the source record that was delivered; None: not known
    as_sent: bool = False  # IN_DOUBT: every attempt without an answer was made with this very content
    delivered_at: datetime | None = None
    is_backwards: bool = False  # CHANGED: read later than what was delivered, and yet with an older stamp


@dataclass(frozen=True)
class Held:
    """A record that does not meet its rules, on its way to the ledger."""

    key: str
    version: str
    problems: tuple[Problem, ...]
    row: dict[str, Any] = field(default_factory=dict)  # what a person needs to see; plain JSON, Decimals as text
    partition: str = ""
    content: str = ""  # fingerprint of the record that is held: a decision is about this content alone
    read_number: int | None = None  # of the walk that read it


@dataclass(frozen=True)
class HoldEntry:
    """A hold as it stands in the ledger."""

    id: int
    flow: str
    key: str
    version: str
    problems: tuple[Problem, ...]
    row: dict[str, Any]
    partition: str
    run_id: str
    opened_at: datetime
    updated_at: datetime
    content: str = ""  # empty: held by a release that did not keep it
    closed_at: datetime | None = None
    closed_how: Closing | None = None
    company: str = ""  # from here to `owner` as the list shows it; empty: not told
    missing: str = ""
    party: str = ""
    amount: str = ""
    currency: str = ""
    dated: date | None = None
    owner: str = ""
    passes_at: datetime | None = None  # when healing last found that it would pass
    assigned: str = ""  # to whom a person gave it

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that it does not meet, each once."""
        return tuple(dict.fromkeys(problem.rule for problem in self.problems))


@dataclass(frozen=True)
class Decision:
    """What a person decided on a held record, and on this content of it alone: what changes is judged anew."""

    flow: str
    key: str
    verdict: Decided
    rules: tuple[str, ...]  # those that the record did not meet; a release waives them
    content: str
    who: str
    reason: str
    at: datetime
    version: str = ""  # of the record that was decided on
    read_number: int | None = None  # the last walk that had begun by then; None: an earlier release decided


@dataclass(frozen=True)
class Attempt:
    """One line of a key's trail. Never changed, never deleted."""

    id: int
    at: datetime
    flow: str
    key: str
    event: Event
    version: str
    fingerprint: str
    remote_id: str | None
    detail: str  # the reason of a refusal, the rules of a hold, "PO-00102"
    run_id: str
    partition: str


@dataclass(frozen=True)
class PullEntry:
    """A read that came to its end, and the run that made it."""

    id: int
    run_id: str
    pull: Pull


AnyState = TypeVar("AnyState", Ready, Held)


class AsOf(NamedTuple):
    """Of when a state of a record is."""

    version: str | None  # its own stamp, sortable; empty: its source gives none
    read_number: int | None = None  # of the walk that read it; None: an earlier release read it, or nobody knows

    def is_older(self, other: AsOf) -> bool:
        """Whether it is certainly older than the other state of the same record.

        What was asked for later is newer, whatever its stamp says: clocks are set back, and backups restored. A walk
        that began earlier may have come to the record later; its stamp is newer then.
        """
        if other.version == NEVER_AGAIN:
            return True
        if self.read_number is None or other.read_number is None or self.read_number == other.read_number:
            return has_older_stamp(self.version, other.version)
        return self.read_number < other.read_number and not has_older_stamp(other.version, self.version)


def has_older_stamp(version: str | None, other: str | None) -> bool:
    """Whether `version` is the older text. Empty text means that the source gives no timestamp: nobody knows."""
    return bool(version and other and version < other)


def as_of(one: Ready | Held) -> AsOf:
    return AsOf(one.version, one.read_number)


def newest_by_key(records: Iterable[AnyState]) -> dict[str, AnyState]:
    """One state for each key: of several, the newest."""
    newest: dict[str, AnyState] = {}
    for each in records:
        if each.key not in newest or not as_of(each).is_older(as_of(newest[each.key])):
            newest[each.key] = each
    return newest
