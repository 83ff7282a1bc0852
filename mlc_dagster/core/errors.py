"""What can go wrong, grouped by what the caller must do about it.

MlcError
├── TransientError   try again: 429, 503, no connection
├── OutcomeUnknown   look before you send again: a POST that was not answered
├── StaleRecord      read again, then write: the ETag has moved on
├── RecordRejected   hold this record, go on with the rest
│   ├── OwnedByAnother what it leads to is another record's document
│   └── StillInDoubt   and look for it again: an earlier attempt may have made it
├── AccessDenied     stop the run: the credentials or their rights are wrong
│   └── QuotaUsedUp  stop the run: the system takes no more calls today
├── Misconfigured    stop the run: a setting names what is not there
├── RowsRefused        stop: stored rows are not there, or not as stored     (orchestration/refusing.py)
├── ThrottledUntil     stop: the system asks to be left alone for longer than a run waits; it is due then
├── LeaseLost          stop: another run has taken over; nothing was written    (ledger/leases.py)
├── Paused             stop: a person said so; nothing was sent after that      (ledger/pauses.py)
└── LedgerUnavailable  stop: the ledger's disk is full, or it cannot be reached (ledger/database.py)
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any


class MlcError(Exception):
    """The root. `cure` says what a person can do; it is printed on a line of its own."""

    def __init__(self, message: str, *, cure: str | None = None) -> None:
        super().__init__(message if cure is None else f"{message}\n  {cure}")
        self.message = message
        self.cure = cure


class TransientError(MlcError):
    """The server certainly did not act, or the call is repeatable. `retry_after`: the server's own word, in seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None, cure: str | None = None) -> None:
        super().__init__(message, cure=cure)
        self.retry_after = retry_after


class OutcomeUnknown(MlcError):
    """A write left, and no trustworthy answer came back: it may or may not have acted.

    `retry_after`: seconds that the server asks to be left alone, which says nothing of what it did.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, cure: str | None = None) -> None:
        super().__init__(message, cure=cure)
        self.retry_after = retry_after


class ThrottledUntil(MlcError):
    """The system asks to be left alone for longer than a run waits. Nothing is held: what waits is due then."""

    def __init__(self, system: str, seconds: float, left: str = "") -> None:
        self.system, self.seconds = system, seconds
        self.until = datetime.now(UTC) + timedelta(seconds=seconds)
        super().__init__(
            f"{system} asks to be left alone until {self.until:%Y-%m-%d %H:%M:%S} UTC ({seconds:.0f} s): "
            f"it is not called before then. {left or 'Nothing is held.'}",
            cure="What waits is run by itself then, by the sensor `due`; or materialize it again after that.",
        )

    def left(self) -> float:
        """Seconds until then."""
        return max(0.0, (self.until - datetime.now(UTC)).total_seconds())


class StaleRecord(MlcError):
    """The ETag sent with If-Match is not the record's any more."""


class RecordRejected(MlcError):
    """The target understood and refused this one record. `body` is its parsed answer, where it was JSON."""

    step = 0  # of several in one request the one that was refused, from 1; 0: it is not told

    def __init__(self, message: str, *, status: int = 0, body: Any = None, cure: str | None = None) -> None:
        super().__init__(message, cure=cure)
        self.status = status
        self.body: Mapping[str, Any] | list[Any] | None = body


class PastChange(RecordRejected):
    """The target keeps it as it was posted, or authorised: what changed in the source since is not taken any more."""

    def __init__(self, message: str, *, ours: str, theirs: str, amount: str | None = None, currency: str | None = None):
        super().__init__(message)
        self.ours, self.theirs = ours, theirs  # what the source says now, and what the target keeps
        self.amount, self.currency = amount, currency  # by which they differ


class OwnedByAnother(RecordRejected):
    """The document that it leads to was delivered for another record of the flow: never one over the other."""

    rule = "is_owned_by_another_key"


class StillInDoubt(RecordRejected):
    """What an earlier attempt made may be there, and is not told apart: nothing is sent until a person says which."""


class AccessDenied(MlcError):
    """Sign-in failed, or the credentials lack a right. `status` 403: signed in, and not allowed this one thing."""

    def __init__(self, message: str, *, status: int = 0, cure: str | None = None) -> None:
        super().__init__(message, cure=cure)
        self.status = status


class QuotaUsedUp(AccessDenied):
    """The quota of a day is used up: waiting within a run does not help."""


class Misconfigured(MlcError):
    """A setting is missing, malformed, or names something that the remote system does not have."""
