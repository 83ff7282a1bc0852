"""What changes rows of a tenant: creates, changes with their ETag, change sets, and bound actions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Any

from mlc_dagster.core.errors import MlcError, OutcomeUnknown, RecordRejected, StaleRecord
from mlc_dagster.core.vocabulary import EntitySet, Row, key_text
from mlc_dagster.systems.ifs.odata.changesets import MOST_STEPS, Step, StepAnswer, TooManyElementsError, written
from mlc_dagster.systems.ifs.odata.changesets import answers as answers_of
from mlc_dagster.systems.ifs.odata.expressions import collection, one, service
from mlc_dagster.systems.ifs.odata.json_pages import PageDecoder
from mlc_dagster.systems.ifs.odata.stamp_proof import StampProof
from mlc_dagster.systems.ifs.reading.queries import Connection, no_batch
from mlc_dagster.systems.ifs.reading.single_rows import row_and_etag, single
from mlc_dagster.systems.ifs.writing.document_steps import (
    NoSuchActionError,
    action_path,
    action_to,
    correct,
    created,
    creation,
    elements_of,
    kept,
    on_wire,
    transition,
)
from mlc_dagster.transport.client import ApiClient

TRIES = 3
"""How often a row that others change meanwhile is read and written again, before it is held."""


class RowWrites(ABC):
    """The writing half of the client. Nothing here is repeated but what names the version that it changes."""

    api: ApiClient
    documents_per_batch: int
    """New documents that go in one change set, at most."""
    _clock: Callable[[], datetime]
    _connection: Connection
    stamps: StampProof

    @abstractmethod
    def _server_now(self) -> datetime:
        """By the server's own clock, as far as its answers told it."""

    @abstractmethod
    def get(self, entity: EntitySet, key: Mapping[str, object]) -> tuple[Row, str]:
        """The reading half's."""

    def create(self, entity: EntitySet, row: Mapping[str, Any]) -> tuple[Row, str]:
        """Create a row without lines; (row as the tenant keeps it, ETag).

        Not repeatable: look for it by its reference first. Raises OutcomeUnknown, RecordRejected.
        """
        if entity.lines:
            raise ValueError(f"{entity.name} has lines, which never travel alone: use create_document")
        wire = PageDecoder.of(entity, expand=False)
        body = created(entity, row, self._clock().date())
        answer = self.api.request("POST", collection(entity), json=body, decode=partial(single, wire))
        try:
            return self._proven(entity, *row_and_etag(entity, answer.value, answer.headers.get("etag")))
        except RecordRejected as error:  # some answers show the fields of the service alone (luname, keyref)
            told = f"ifs/{entity.name}: created, but the answer does not tell what: {error.message}"
            raise OutcomeUnknown(told) from error

    def create_document(self, entity: EntitySet, row: Mapping[str, Any], also: Sequence[Step] = ()) -> tuple[Row, str]:
        """Create a row with all its lines, after the steps of `also` on the same service: all of it, or nothing.

        (row with lines as the tenant answered them, the header's ETag as the tenant gave it with the header; empty
        where it gave none). Lines are numbered from 1. Raises as `change_set` does.
        """
        return self.create_documents(entity, [row], also)[0]

    def create_documents(
        self, entity: EntitySet, rows: Sequence[Mapping[str, Any]], also: Sequence[Step] = ()
    ) -> list[tuple[Row, str]]:
        """As `create_document`, several in one change set: all of them, or none."""
        if (count := len(also) + sum(elements_of(entity, row) for row in rows)) > MOST_STEPS:
            raise TooManyElementsError(count)
        steps, begins = [*also], list[int]()
        for row in rows:
            begins.append(len(steps))
            steps += creation(entity, row, len(steps) + 1, self._clock().date())
        answers = self.change_set(entity, steps)
        each = [answers[begin:end] for begin, end in pairwise([*begins, len(steps)])]
        try:
            return [self._proven(entity, kept(entity, own), own[0].etag or "") for own in each]
        except ValueError as error:
            raise OutcomeUnknown(f"ifs/{entity.name}: created, but the answer does not tell what: {error}") from error

    def _proven(self, entity: EntitySet, row: Row, etag: str) -> tuple[Row, str]:
        """Made just now: its stamp tells in which zone the tenant stamps."""
        made = self._connection.time.row(row)
        self.stamps.see(entity.name, made.get(entity.modified or ""), self._server_now())
        return made, etag

    def change_set(self, service_of: EntitySet | str, steps: Sequence[Step]) -> list[StepAnswer]:
        """Write all steps to one service, given by an entity set or the projection's name, or none of them.

        Not repeatable: look first. Raises RecordRejected, StaleRecord and AccessDenied where IFS refused a step and
        kept nothing, TransientError where it did not begin, OutcomeUnknown where no whole answer came, Misconfigured
        where the tenant has no $batch.
        """
        if not steps:
            return []
        path = f"/{service_of}.svc" if isinstance(service_of, str) else service(service_of)
        decode = partial(answers_of, path if path.startswith("http") else self.api.base_url + path, steps)
        accept, content = {"Accept": "multipart/mixed"}, written(path, steps)
        try:
            found = self.api.request("POST", f"{path}/$batch", content=content, headers=accept, decode=decode).value
        except RecordRejected as error:
            if error.status in (404, 405, 501):
                raise no_batch(path, error) from error
            raise
        if isinstance(found, MlcError):
            raise found
        return found

    def update(
        self, entity: EntitySet, key: Mapping[str, object], changes: Mapping[str, Any], etag: str
    ) -> tuple[Row, str]:
        """Change fields of the version that the ETag names; (row, new ETag), without lines.

        Raises StaleRecord where another version is there by now, OutcomeUnknown, RecordRejected.
        """
        if "obj_state" in changes:
            raise ValueError("IFS ignores a state that is sent as a field, and says 200: use change_state")
        if not etag:
            words = f"ifs/{entity.name}: the tenant gives this row no ETag, so it cannot be changed safely"
            raise RecordRejected(words)
        entity = self._connection.typed(entity)
        wire = PageDecoder.of(entity, expand=False)
        answer = self.api.request(
            "PATCH",
            one(entity, key),
            json=on_wire(entity, changes),
            headers={"If-Match": etag},
            decode=lambda content: single(wire, content) if content else None,
        )
        if answer.value is None or answer.value.batch["unreadable"].null_count == 0:
            return self.get(entity, key)  # with $select: some answers show the fields of the service alone
        return row_and_etag(entity, answer.value, answer.headers.get("etag"))

    def modify(
        self, entity: EntitySet, key: Mapping[str, object], change: Callable[[Row], Mapping[str, Any]]
    ) -> tuple[Row, str]:
        """Read a row, ask `change` what to write, write that; again where the row changed meanwhile, or no answer came.

        Nothing is sent where `change` has nothing to write. Raises StaleRecord or OutcomeUnknown after three tries.
        """
        last: StaleRecord | OutcomeUnknown | None = None
        for times in range(TRIES):
            if isinstance(last, OutcomeUnknown):
                self.api.breathe(times)
            row, etag = self.get(entity, key)
            if not (changes := change(row)):
                return row, etag
            try:
                return self.update(entity, key, changes, etag)
            except (StaleRecord, OutcomeUnknown) as error:
                last = error
        assert last is not None
        raise type(last)(f"{last.message} (given up after {TRIES} tries)") from last

    def change_state(self, entity: EntitySet, key: Mapping[str, object], state: str) -> tuple[Row, str]:
        """Lead a row to a state by its bound action, and read it again: (row, ETag). Nothing is sent where it is there.

        An answer that is lost or says nothing is not believed, nor is a 200: the row is read until it is in the state.
        Raises NoSuchActionError, StateNotChangedError, RecordRejected for what IFS refuses, StaleRecord or
        OutcomeUnknown after three tries.
        """
        last: MlcError | None = None
        for times in range(TRIES + 1):
            row, etag = self.get(entity, key)
            if row["obj_state"] == state:
                return row, etag
            if times == TRIES or (times and not isinstance(last, StaleRecord | OutcomeUnknown)):
                break
            if isinstance(last, OutcomeUnknown):
                self.api.breathe(times)
            last = self._acted(entity, key, state, etag)
        if last is None:
            raise StateNotChangedError(entity, key, state, row["obj_state"])
        raise type(last)(f"{last.message} (given up after {TRIES} tries)") from last

    def _acted(
        self, entity: EntitySet, key: Mapping[str, object], state: str, etag: str
    ) -> StaleRecord | OutcomeUnknown | None:
        try:
            self.act(entity, key, state, etag)
        except (StaleRecord, OutcomeUnknown) as error:
            return error
        return None

    def act(self, entity: EntitySet, key: Mapping[str, object], state: str, etag: str) -> None:
        """Send the action that leads to a state, once; its answer is not believed: read the row again.

        Raises NoSuchActionError, StaleRecord, OutcomeUnknown, RecordRejected for what IFS refuses.
        """
        if not etag:
            words = f"ifs/{entity.name}: the tenant gives this row no ETag, so its state cannot be changed safely"
            raise RecordRejected(words)
        path = f"{service(entity)}/{action_path(self._connection.typed(entity), key, action_to(entity, state))}"
        try:
            self.api.request("POST", path, json={}, headers={"If-Match": etag}, decode=lambda content: None)
        except RecordRejected as error:
            if error.status == 404:  # the row itself was read a moment ago
                raise NoSuchActionError(f"{error.message}. {correct(entity, state)}", status=404) from error
            raise

    def state_step(self, entity: EntitySet, key: Mapping[str, object], state: str, etag: str) -> Step:
        """The step of a change set that leads a row to a state. Raises NoSuchActionError where no action is named."""
        return transition(self._connection.typed(entity), key, state, etag)

    def create_step(self, entity: EntitySet, row: Mapping[str, Any]) -> Step:
        """The step of a change set that makes a row, with the tenant's constants."""
        return Step("POST", entity.path, created(entity, row, self._clock().date()))


class StateNotChangedError(RecordRejected):
    """IFS answered the action as if it had acted, and the state is what it was."""

    def __init__(self, entity: EntitySet, key: Mapping[str, object], state: str, found: str | None) -> None:
        number = key_text(*(key[name] for name in entity.keys))
        super().__init__(
            f"IFS answered {action_to(entity, state)} of {entity.path} {number}, and it is {found or 'in no state'}, "
            f"not {state}. {correct(entity, state)}"
        )
