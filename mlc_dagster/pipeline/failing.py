"""What follows from a run that failed: may it be tried again, when, and who has to do something first?"""

from __future__ import annotations

import hashlib
import re

from mlc_dagster.core.errors import AccessDenied, Misconfigured, MlcError, OutcomeUnknown, QuotaUsedUp, TransientError
from mlc_dagster.ledger import Failure
from mlc_dagster.ledger.coordination.work_entries import GUARD, LOST, REFUSED, SETTINGS, UNREACHABLE, cause_of

FORBIDDEN = 403  # signed in, and not allowed this one thing
TWICE, THRICE = 2, 3


def failure_of(error: Exception, connection: str, whose: str, run_id: str) -> Failure:
    """`connection`: the system that was asked; `whose`: the flow, or the entity set, that was at work."""
    cause, patience = _cause(error, connection, whose)
    return Failure(cause, connection, _words(error), run_id, patience)


def _cause(error: Exception, connection: str, whose: str) -> tuple[str, int | None]:
    """The cause, and how many runs in a row may fail by it before a person is needed."""
    if isinstance(error, QuotaUsedUp):
        return cause_of(connection, UNREACHABLE), None
    if isinstance(error, AccessDenied):
        return cause_of(whose if error.status == FORBIDDEN else connection, REFUSED), TWICE
    if isinstance(error, Misconfigured):
        return cause_of(connection, f"{SETTINGS}-{_digest(error.message)}"), 1
    if isinstance(error, TransientError | OutcomeUnknown):
        return cause_of(connection, UNREACHABLE), None
    return cause_of(whose, type(error).__name__), None


def guarded(flow: str, connection: str, why: str, run_id: str) -> Failure:
    """A guard of mlc.yaml stopped the run: a person looks at it."""
    return Failure(cause_of(flow, GUARD), connection, why, run_id, patience=1)


def blocked(flow: str, rule: str, connection: str, why: str, run_id: str) -> Failure:
    """There was nothing to validate against, or one record stopped its partition: it may heal by itself."""
    return Failure(cause_of(flow, rule), connection, why, run_id)


def lost(connection: str, why: str, run_id: str, taken_up: int = 0) -> Failure:
    """Its worker is gone: what takes three may take all. `taken_up`: how often Dagster tried it again itself."""
    return Failure(cause_of(connection, LOST), connection, why, run_id, patience=max(1, THRICE - taken_up))


def _digest(words: str) -> str:
    """Alike for the same mistake, whatever day or number it was met at."""
    alike = re.sub(r"\d+", "#", words)
    return hashlib.blake2b(alike.encode(), digest_size=2).hexdigest()


def _words(error: Exception) -> str:
    """In one line, with its cure."""
    if isinstance(error, MlcError):
        return " ".join(str(error).split())[:500]
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
