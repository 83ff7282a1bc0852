"""Reads that are sent together: what many small readings ask of one service goes in a few batches.

IFS expands no collections, so the arrays below a thousand orders are some thousand readings; the tenant's budget counts
calls. Where it takes no $batch, they go one by one, several at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar

from mlc_dagster.core.errors import AccessDenied, RecordRejected, ThrottledUntil, TransientError
from mlc_dagster.core.logs import logger
from mlc_dagster.systems.ifs.odata.batch_reads import MOST, Question
from mlc_dagster.systems.ifs.odata.error_responses import PageTooLarge
from mlc_dagster.systems.ifs.reading.queries import Connection, Get
from mlc_dagster.transport.responses import UNREADABLE
from mlc_dagster.transport.threads import in_order

Value = TypeVar("Value")
Asked = TypeVar("Asked")

log = logger("mlc_dagster.ifs")


Reading = Callable[[Get], Value]
"""It asks by what it is given alone, and does nothing else: it is begun again when what it asked for is there."""


class _NotAnsweredError(Exception):
    """Stops a reading until its question is answered, in one batch with those of the others."""

    def __init__(self, question: Question) -> None:
        super().__init__(question.path)
        self.question = question


class Together(Generic[Value]):
    """Readings of one service. `requests` counts the calls that they took."""

    def __init__(self, connection: Connection, service: str) -> None:
        self._connection, self._service = connection, service
        self._counts: list[int] = []  # appended to by several threads

    @property
    def requests(self) -> int:
        return sum(self._counts)

    def read(self, readings: Sequence[Reading[Value]]) -> Iterator[Value]:
        """What each of them found, in their order, some hundred at a time. Raises what one of them raises."""
        size = MOST * self._connection.in_flight
        for start in range(0, len(readings), size):
            yield from self._some(readings[start : start + size])

    def _some(self, readings: Sequence[Reading[Value]]) -> list[Value]:
        found: dict[int, Value] = {}
        answers: dict[Question, bytes | None] = {}
        alone: dict[Question, Any] = {}
        get = partial(self._answered, answers, alone)
        while len(found) < len(readings):
            left = [number for number in range(len(readings)) if number not in found]
            if len(readings) == 1 or not self._connection.batches:
                each = in_order(lambda number: readings[number](self._alone), left, self._connection.in_flight)
                found.update(zip(left, each, strict=True))
                break
            missing: dict[Question, None] = {}
            for number in left:
                try:
                    found[number] = readings[number](get)
                except _NotAnsweredError as error:
                    missing[error.question] = None
            answers.update(self._asked(list(missing)))
        return [found[number] for number in range(len(readings))]

    # --- one question -------------------------------------------------------------------------------------------------

    def _alone(self, path: str, params: Mapping[str, Any], decode: Callable[[bytes], Asked]) -> Asked:
        self._counts.append(1)
        return self._connection.value(path, params, decode)

    def _answered(
        self,
        answers: Mapping[Question, bytes | None],
        alone: dict[Question, Any],
        path: str,
        params: Mapping[str, Any],
        decode: Callable[[bytes], Asked],
    ) -> Asked:
        """From a batch; what it was not answered there is asked for alone, once."""
        question = Question.of(path, params)
        if question not in answers:
            raise _NotAnsweredError(question)
        content = answers[question]
        if content is not None:
            try:
                return decode(content)
            except UNREADABLE:
                log.info("ifs: GET %s is asked for again: its answer in a batch is unreadable", path)
        if question not in alone:
            try:
                alone[question] = self._alone(path, params, decode)
            except RecordRejected as error:
                alone[question] = error
        if isinstance(alone[question], RecordRejected):
            raise alone[question]
        value: Asked = alone[question]
        return value

    # --- many ---------------------------------------------------------------------------------------------------------

    def _asked(self, questions: Sequence[Question]) -> dict[Question, bytes | None]:
        batches = [questions[start : start + MOST] for start in range(0, len(questions), MOST)]
        found = in_order(self._batch, batches, self._connection.in_flight)
        return dict(zip(questions, [content for each in found for content in each], strict=True))

    def _batch(self, some: Sequence[Question]) -> list[bytes | None]:
        """What each was answered; None for what is to be asked alone. Raises ThrottledUntil."""
        nothing: list[bytes | None] = [None] * len(some)
        if len(some) == 1 or not self._connection.batches:
            return nothing
        self._counts.append(1)
        try:
            found = self._connection.batch(self._service, some)
        except PageTooLarge:
            middle = len(some) // 2
            return [*self._batch(some[:middle]), *self._batch(some[middle:])]
        except ThrottledUntil:
            raise
        except (RecordRejected, AccessDenied, TransientError) as error:
            self._connection.batches = False
            log.info("ifs: reads go one by one, since %s/$batch is refused: %s", self._service, error.message)
            return nothing
        if found == nothing:
            self._connection.batches = False
            log.info("ifs: reads go one by one, since the answers of %s/$batch cannot be told apart", self._service)
        return found
