"""What changes rows of a tenant: creates, changes with their ETag, change sets, and bound actions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from mlc_dagster.core.errors import MlcError, OutcomeUnknown, RecordRejected, StaleRecord
from mlc_dagster.core.vocabulary import EntitySet, Row
from mlc_dagster.systems.ifs.odata.changesets import Step, StepAnswer, written
from mlc_dagster.systems.ifs.odata.changesets import answers as answers_of
from mlc_dagster.systems.ifs.odata.expressions import collection, one, service
from mlc_dagster.systems.ifs.odata.json_pages import PageDecoder
from mlc_dagster.systems.ifs.reading.queries import no_batch
from mlc_dagster.systems.ifs.reading.single_rows import row_and_etag, single
from mlc_dagster.systems.ifs.writing.document_steps import creation, kept, on_wire
from mlc_dagster.transport.client import ApiClient

TRIES = 3
"""How often a row that others change meanwhile is read and written again, before it is held."""


class RowWrites:
    """The writing half of the client. Nothing here is repeated but what names the version that it changes."""

    api: ApiClient

    def get(self, entity: EntitySet, key: Mapping[str, object]) -> tuple[Row, str]:
        """The reading half's."""
        raise NotImplementedError

    def create(self, entity: EntitySet, row: Mapping[str, Any]) -> tuple[Row, str]:
        """Create a row without lines; (row as the tenant keeps it, ETag).

        Not repeatable: look for it by its reference first. Raises OutcomeUnknown, RecordRejected.
        """
        if entity.lines:
            raise ValueError(f"{entity.name} has lines, which never travel alone: use create_document")
        wire = PageDecoder.of(entity, expand=False)
        answer = self.api.request("POST", collection(entity), json=on_wire(entity, row), decode=partial(single, wire))
        return row_and_etag(entity, answer.value, answer.headers.get("etag"))

    def create_document(self, entity: EntitySet, row: Mapping[str, Any], also: Sequence[Step] = ()) -> tuple[Row, str]:
        """Create a row with all its lines, after the steps of `also` on the same service: all of it, or nothing.

        (row with lines as the tenant answered them, the header's ETag as the tenant gave it with the header; empty
        where it gave none). Lines are numbered from 1. Raises as `change_set` does.
        """
        steps = [*also, *creation(entity, row, len(also) + 1)]
        answers = self.change_set(entity, steps)[len(also) :]
        try:
            return kept(entity, answers), answers[0].etag or ""
        except ValueError as error:
            raise OutcomeUnknown(f"ifs/{entity.name}: created, but the answer does not tell what: {error}") from error

    def change_set(self, service_of: EntitySet | str, steps: Sequence[Step]) -> list[StepAnswer]:
        """Write all steps to one service, given by an entity set or the projection's name, or none of them.

        Not repeatable: look first. Raises RecordRejected, StaleRecord and AccessDenied where IFS refused a step and
        kept nothing, TransientError where it did not begin, OutcomeUnknown where no whole answer came, Misconfigured
        where the tenant has no $batch.
        """
        if not steps:
            return []
        path = f"/{service_of}.svc" if isinstance(service_of, str) else service(service_of)
        decode = partial(answers_of, self.api.base_url + path, steps)
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
        wire = PageDecoder.of(entity, expand=False)
        answer = self.api.request(
            "PATCH",
            one(entity, key),
            json=on_wire(entity, changes),
            headers={"If-Match": etag},
            decode=lambda content: single(wire, content) if content else None,
        )
        if answer.value is None:
            return self.get(entity, key)
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
