"""Batches of HubSpot: 207 answers taken apart by trace id, whole refusals searched for the input that caused them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from mlc_dagster.core.errors import RecordRejected
from mlc_dagster.systems.hubspot.api import Document, HubspotApi, objects
from mlc_dagster.systems.hubspot.error_messages import Fault, faults, reason
from mlc_dagster.systems.hubspot.objects.properties import KEY
from mlc_dagster.systems.hubspot.records import BATCH


class BatchInput(NamedTuple):
    """One input of a batch; answers name it by its trace."""

    trace: str
    body: Mapping[str, Any]


@dataclass
class BatchResult:
    """What became of inputs, by trace. One that stands in neither was not answered."""

    results: dict[str, Document] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)  # trace -> HubSpot's reason
    faults: dict[str, tuple[Fault, ...]] = field(default_factory=dict)  # trace -> what is wrong with which property

    def add(self, more: BatchResult) -> None:
        self.results.update(more.results)
        self.refused.update(more.refused)
        self.faults.update(more.faults)

    def names(self, trace: str, *properties: str) -> bool:
        """Whether a refusal is about one of these properties, and about no other."""
        named = {fault.property for fault in self.faults.get(trace, ())}
        return bool(named) and named <= set(properties)


Send = Callable[[Sequence[BatchInput]], BatchResult]


def upsert(api: HubspotApi, kind: str, rows: Mapping[str, Mapping[str, str]]) -> BatchResult:
    """Create or update by the unique key: trace -> properties. Results are objects with `id` and `new`."""
    inputs = [
        BatchInput(trace, {"id": row[KEY], "idProperty": KEY, "properties": row, "objectWriteTraceId": trace})
        for trace, row in rows.items()
    ]
    return in_batches(lambda batch: _objects(api, objects(kind, "batch/upsert"), batch), inputs)


def update(api: HubspotApi, kind: str, rows: Mapping[str, tuple[str, Mapping[str, str]]]) -> BatchResult:
    """Update by id: trace -> (id, properties)."""
    inputs = [
        BatchInput(trace, {"id": remote_id, "properties": row, "objectWriteTraceId": trace})
        for trace, (remote_id, row) in rows.items()
    ]
    return in_batches(lambda batch: _objects(api, objects(kind, "batch/update"), batch), inputs)


def _objects(api: HubspotApi, path: str, batch: Sequence[BatchInput]) -> BatchResult:
    """200, 201 and 207 alike: results and errors by trace id, never by position, which HubSpot does not keep."""
    answer = api.post(path, {"inputs": [each.body for each in batch]})
    results = {str(row.get("objectWriteTraceId")): row for row in answer.get("results") or ()}
    by_id = {str(each.body["id"]): each.trace for each in batch}
    sent = BatchResult()
    for error in answer.get("errors") or ():
        context = error.get("context") or {}
        named = [by_id.get(str(each), "") for each in context.get("ids") or ()]
        traces = [str(each) for each in context.get("objectWriteTraceId") or named]
        sent.refused.update(dict.fromkeys(traces, reason(error)))
        sent.faults.update(dict.fromkeys(traces, faults(error)))
    sent.results.update({trace: row for trace, row in results.items() if trace not in sent.refused})
    return sent


def in_batches(send: Send, inputs: Iterable[BatchInput], size: int = BATCH) -> BatchResult:
    """Send all, `size` at a time."""
    sent, source = BatchResult(), iter(inputs)
    while batch := list(islice(source, size)):
        sent.add(_whole(send, batch))
    return sent


def _whole(send: Send, batch: Sequence[BatchInput]) -> BatchResult:
    """One batch. Where it is refused whole, the culprits are found one by one, and the others are sent.

    For a culprit among 100: seven calls that halve the suspects, and one for all behind it.
    """
    sent, rest = BatchResult(), batch
    while rest:
        try:
            sent.add(send(rest))
            return sent
        except RecordRejected as error:
            rest = _search(send, rest, error, sent)
    return sent


def _search(
    send: Send, suspects: Sequence[BatchInput], error: RecordRejected, sent: BatchResult
) -> Sequence[BatchInput]:
    """Find the first culprit by halving; what is sent on the way is sent. The inputs behind it, of which nothing is
    known yet. The reason is that of the last refusal, in which all others have since been accepted.

    A 400 is about what was sent, so who is left is the culprit. A 409 may be about what HubSpot was doing just then,
    and no input need be to blame: who is left is sent once alone before it is held.
    """
    behind: list[BatchInput] = []
    alone = False  # whether the last refusal was of a single input
    while len(suspects) > 1:
        middle = len(suspects) // 2
        try:
            sent.add(send(suspects[:middle]))
            suspects = suspects[middle:]
        except RecordRejected as closer:
            error, behind, suspects = closer, [*suspects[middle:], *behind], suspects[:middle]
            alone = middle == 1
    if error.status == 409 and not alone:
        try:
            sent.add(send(suspects))
            return behind
        except RecordRejected as closer:
            error = closer
    sent.refused[suspects[0].trace] = error.message
    if isinstance(error.body, Mapping):
        sent.faults[suspects[0].trace] = faults(error.body)
    return behind
