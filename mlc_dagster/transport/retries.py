"""When a call is made again, and when it is given up: the only module that knows tenacity."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type

from mlc_dagster.core.errors import OutcomeUnknown, TransientError
from mlc_dagster.transport.answer_limits import Unbounded
from mlc_dagster.transport.responses import LONGEST_SILENCE, Throttled

Send = TypeVar("Send", bound="HasTries")
Result = TypeVar("Result")

FIRST_WAIT, LONGEST_BACKOFF = 0.5, 30.0  # seconds, before the jitter
JITTER = 1.0  # seconds, at most, after the server's own word
LONGEST_UNASKED = 2.0  # seconds of silence after an unknown outcome, where the server does not ask for it
UNBOUNDED_WEIGHS = 4  # failures: what took minutes, or megabytes, is not asked for eight times
TRIES_PER_FAILURE = 8  # a 429 weighs this much less than a failure: the server is well, only busy


def asks_for_silence(error: BaseException) -> bool:
    """Whether the credential that got this answer must wait, and with it all who share it."""
    return isinstance(error, Throttled) or (isinstance(error, TransientError) and error.retry_after is not None)


@dataclass
class Tries:
    """What one call has been through."""

    begun: int = 0
    started: float = 0.0  # when the first attempt was granted its slot
    failures: int = 0
    throttled: int = 0

    def begin(self, now: float) -> int:
        """One more attempt: 0 for the first, 1 for each repeat."""
        self.started = self.started if self.begun else now
        self.begun += 1
        return int(self.begun > 1)

    def count(self, error: TransientError, weighs: int = 1) -> None:
        if asks_for_silence(error):
            self.throttled += 1
        else:
            self.failures += UNBOUNDED_WEIGHS if isinstance(error.__cause__, Unbounded) else weighs


class HasTries:
    """What goes through the retry loop."""

    tries: Tries


@dataclass(frozen=True)
class Patience:
    """How often, how long: exponential with full jitter, the server's own word first, capped in count and in time."""

    max_attempts: int
    max_seconds: float  # from the first slot to the beginning of the last attempt
    max_wait: float  # seconds; who asks for more is not waited for
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]

    def retry(self, attempt: Callable[[Send], Result], send: Send) -> Result:
        """The result of the first attempt without a TransientError; the last of these where it is given up."""
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            wait=self._wait,
            stop=self._is_enough,
            retry_error_callback=_give_up,
            sleep=self.sleep,
        )
        return retrying(attempt, send)

    def silence(self, error: TransientError, tries: Tries) -> float:
        """Seconds without a call: the server's word; else a growing wait. Jitter spreads those who return."""
        if error.retry_after is None:
            return self._backoff(tries.throttled)
        return min(error.retry_after, LONGEST_SILENCE) + min(JITTER, self._backoff(tries.throttled))

    def quiet(self, error: OutcomeUnknown, times: int) -> float:
        """Seconds without a call after the `times`-th unknown outcome in a row: a look is worth more a moment later."""
        if error.retry_after is None:
            return min(LONGEST_UNASKED, self._backoff(times))
        return min(error.retry_after, LONGEST_SILENCE) + min(JITTER, self._backoff(times))

    @property
    def longest(self) -> float:
        """Seconds of silence that are waited for."""
        return self.max_wait + 2 * JITTER

    def breathe(self, times: int) -> None:
        """Wait a growing while before the same is tried for the `times`-th time."""
        self.sleep(self._backoff(times))

    def _backoff(self, times: int) -> float:
        return self.random() * min(LONGEST_BACKOFF, FIRST_WAIT * 2.0 ** (times - 1))

    def _wait(self, state: RetryCallState) -> float:
        """The silent wait for their next slot, not here."""
        return 0.0 if asks_for_silence(_error(state)) else self._backoff(_tries(state).failures)

    def _is_enough(self, state: RetryCallState) -> bool:
        tries = _tries(state)
        return (
            tries.failures >= self.max_attempts
            or state.attempt_number > TRIES_PER_FAILURE * (self.max_attempts - 1)
            or self.clock() - tries.started + state.upcoming_sleep > self.max_seconds
        )


def _tries(state: RetryCallState) -> Tries:
    tries: Tries = state.args[0].tries
    return tries


def _error(state: RetryCallState) -> TransientError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, TransientError)
    return error


def _give_up(state: RetryCallState) -> None:
    error, tries = _error(state), state.attempt_number
    text = f"{error.message} (given up after {tries} tries)" if tries > 1 else error.message
    raise TransientError(text, retry_after=error.retry_after, cure=error.cure) from error
