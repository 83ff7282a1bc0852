"""New documents that go in one change set: IFS keeps all of it or nothing, and one that is refused is entered alone.

Who is refused is found by the step that IFS names, or by halving; the others go together once more. After each refusal
of several it is looked whether nothing of them is there: that alone makes it safe to send them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Protocol

from mlc_dagster.core.errors import MlcError, OutcomeUnknown, RecordRejected, StaleRecord
from mlc_dagster.core.logs import logger
from mlc_dagster.core.vocabulary import EntitySet, key_text
from mlc_dagster.systems.ifs.odata.changesets import MOST_STEPS, Step
from mlc_dagster.systems.ifs.writing.document_references import FindsRows, Found, find_by_reference
from mlc_dagster.systems.ifs.writing.document_steps import elements_of

log = logger("mlc_dagster.systems")

NewRows = Mapping[str, Mapping[str, Any]]
"""External reference -> the row that a document is entered with."""


class EntersDocuments(FindsRows, Protocol):
    """What entering several documents at once needs of the client."""

    documents_per_batch: int

    def create_documents(
        self, entity: EntitySet, rows: Sequence[Mapping[str, Any]], also: Sequence[Step] = ()
    ) -> list[Found]: ...


class DocumentSets:
    """New documents of one kind, of the drafts that are saved just now; a set is sent when its first is asked for."""

    def __init__(self, client: EntersDocuments, entity: EntitySet) -> None:
        self._client, self._entity, self._most = client, entity, client.documents_per_batch
        self._rows: NewRows = {}
        self._waiting: list[list[str]] = []
        self._made: dict[str, Found | MlcError] = {}

    def plan(self, rows: NewRows) -> None:
        """What is to be entered, in this order."""
        self._rows, self._made = rows, {}
        self._waiting = [group for group in self._groups() if len(group) > 1]

    def entered(self, reference: str) -> Found | None:
        """The document, where it was entered with others; None: it is to be entered alone.

        Raises OutcomeUnknown where its set has no answer, RecordRejected where IFS keeps a part of a set that it
        refused, and what concerns them all.
        """
        for group in [each for each in self._waiting if reference in each]:
            self._waiting.remove(group)
            self._send(group)
        found = self._made.pop(reference, None)
        if isinstance(found, MlcError):
            raise found
        return found

    def _groups(self) -> Iterator[list[str]]:
        """As many as mlc.yaml allows, and no more elements than IFS takes."""
        group, size = list[str](), 0
        for reference, row in self._rows.items():
            own = elements_of(self._entity, row)
            if group and (len(group) >= self._most or size + own > MOST_STEPS):
                yield group
                group, size = [], 0
            group, size = [*group, reference], size + own
        yield group

    def _send(self, group: list[str]) -> None:
        """Enter them, but for those that are to go alone: their own request says what is wrong with them."""
        while len(group) > 1 and self._most > 1:
            refusal = self._tried(group)
            if refusal is None:
                return
            culprit, group = self._searched(group, refusal)
            if self._most > 1 and culprit not in self._made and self._tried([culprit]) is None:
                self._alone_from_now_on(refusal)  # no document is to blame: it is the set that IFS does not take

    def _tried(self, group: Sequence[str]) -> MlcError | None:
        """Why IFS refused it; None where it did not, or gave no answer."""
        try:
            made = self._client.create_documents(self._entity, [self._rows[each] for each in group])
        except OutcomeUnknown as error:
            self._made.update({each: OutcomeUnknown(error.message) for each in group})
        except (RecordRejected, StaleRecord) as error:
            self._refused(group, error)
            return error
        else:
            self._made.update(zip(group, made, strict=True))
        return None

    def _refused(self, group: Sequence[str], error: MlcError) -> None:
        if len(group) == 1:
            self._made[group[0]] = error
            return
        kept = find_by_reference(self._client, self._entity, group)
        for reference, rows in kept.items():
            numbers = " and ".join(key_text(*(row[name] for name in self._entity.keys)) for row, _ in rows)
            self._made[reference] = RecordRejected(
                f"IFS refused a change set of {len(group)} documents, and keeps {numbers} of it all the same. Look at "
                "it there: cancel it where its lines are not whole, then release this hold; set "
                f"ifs.documents_per_batch: 1 for this tenant. It said: {error.message}"
            )
        if kept:
            self._alone_from_now_on(error)

    def _searched(self, group: list[str], refusal: MlcError) -> tuple[str, list[str]]:
        """Who is refused, and those of whom nothing is known yet: what is sent on the way, and taken, is entered.

        By the step that IFS names; else by halving: five requests for one among twenty.
        """
        if named := self._named(group, refusal):
            return named, [each for each in group if each != named]
        behind = list[str]()
        while len(group) > 1 and self._most > 1:
            half, rest = group[: len(group) // 2], group[len(group) // 2 :]
            if self._tried(half) is None:
                group = rest
            else:
                group, behind = half, [*rest, *behind]
        return group[0], behind

    def _alone_from_now_on(self, error: MlcError) -> None:
        self._most, self._waiting = 1, []
        log.warning("%s: a change set of several is refused (%s): each goes alone", self._entity.name, error.message)

    def _named(self, group: Sequence[str], error: MlcError) -> str:
        """The document with the step that was refused; empty where that is not told."""
        step = error.step if isinstance(error, RecordRejected) else 0
        ends = accumulate(elements_of(self._entity, self._rows[each]) for each in group)
        return next((each for each, end in zip(group, ends, strict=True) if 0 < step <= end), "")
