"""Items on their way: in requests of twenty-five aliases, each with its own outcome."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlc_dagster.errors import OutcomeUnknown, RecordRejected
from mlc_dagster.outcomes import Begun, Draft, Outcome, Refused, Saved, Unanswered
from mlc_dagster.systems.monday import documents
from mlc_dagster.systems.monday.boards import Layout
from mlc_dagster.systems.monday.calls import BUSY, UNSURE, MondayApi, Reply, TooComplexError
from mlc_dagster.systems.monday.look import by_id, by_key, differing
from mlc_dagster.systems.monday.records import Cell, Item
from mlc_dagster.systems.monday.values import written


@dataclass(frozen=True)
class Write:
    """One alias: a new item, or the change of one."""

    draft: Draft
    cells: tuple[Cell, ...]
    item_id: str | None = None
    left_out: int = 0  # columns that wait for the next load

    @property
    def item(self) -> Item:
        item: Item = self.draft.record
        return item


class Writer:
    """Sends the writes of one board, one request after the other: simultaneous ones can corrupt a board."""

    def __init__(self, api: MondayApi, layout: Layout, *, labels: bool, group: str = "") -> None:
        self._api, self._layout, self._labels, self._group = api, layout, labels, group

    def send(self, writes: Sequence[Write]) -> Iterator[Outcome]:
        """New items first, then changes; never both in one request."""
        for kind in ([w for w in writes if w.item_id is None], [w for w in writes if w.item_id is not None]):
            start = 0
            while start < len(kind):
                size = self._api.points.writes_at_once()
                yield from self._batch(kind[start : start + size])
                start += size

    def _batch(self, writes: Sequence[Write], key: str = "", *, looked: bool = False) -> Iterator[Outcome]:
        """One request, and each outcome once. `looked`: it was sent before, and nothing of it was there."""
        key = key or self._key(writes)
        try:
            reply = self._request(writes, key)
        except TooComplexError as error:
            self._api.points.refused(len(writes))
            yield from self._in_parts(writes, error)
        except OutcomeUnknown as error:
            yield from self._unanswered(writes, error) if looked else self._look(writes, key, error)
        except RecordRejected as error:  # of the request as a whole: find the one that it is about
            whole = len(writes) == 1
            yield from [Refused(writes[0].draft, error.message)] if whole else self._in_parts(writes, error)
        else:
            yield from self._answered(writes, reply)

    def _in_parts(self, writes: Sequence[Write], error: RecordRejected) -> Iterator[Outcome]:
        if len(writes) > 1:
            half = len(writes) // 2
            yield from self._batch(writes[:half])
            yield from self._batch(writes[half:])
        else:
            yield from self._with_fewer_columns(writes[0], error)

    # --- one request --------------------------------------------------------------------------------------------------

    def _request(self, writes: Sequence[Write], key: str) -> Reply:
        """Changes may be sent again: they say what is to be, not by how much it differs."""
        new = writes[0].item_id is None
        variables: dict[str, Any] = {"b": self._layout.board.id, "l": self._labels}
        for number, write in enumerate(writes):
            variables |= self._variables(number, write)
        if new and self._group:
            variables["g"] = self._group
        count = len(writes)
        document = documents.creates(count, group=bool(self._group)) if new else documents.changes(count)
        return self._api.write(document, variables, count, key, again=not new)

    def _variables(self, number: int, write: Write) -> dict[str, Any]:
        values = {self._layout.column_of(cell).id: self._value(cell) for cell in write.cells}
        if write.item_id is None:
            given = {column: value for column, value in values.items() if value is not None}
            text = json.dumps({self._layout.key.id: write.item.key, **given}, ensure_ascii=False)
            return {f"n{number}": write.item.name, f"v{number}": text}
        text = json.dumps({"name": write.item.name, self._layout.key.id: write.item.key, **values}, ensure_ascii=False)
        return {f"i{number}": write.item_id, f"v{number}": text}

    def _value(self, cell: Cell) -> Any:
        return written(cell, self._layout.column_of(cell).type)

    def _key(self, writes: Sequence[Write]) -> str:
        """New items: made of what is sent, so that the same request after a crash is answered, not repeated.

        Changes get a new one each time: there and back again within 30 minutes would be answered from memory.
        """
        if writes[0].item_id is not None:
            return str(uuid.uuid4())
        sent = [(write.item.key, self._variables(0, write)) for write in writes]
        text = json.dumps([self._layout.board.id, self._group, sent], ensure_ascii=False)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    # --- what came of it ----------------------------------------------------------------------------------------------

    def _answered(self, writes: Sequence[Write], reply: Reply) -> Iterator[Outcome]:
        failed = []
        for number, write in enumerate(writes):
            made = reply.values.get(f"i{number}")
            if made:
                yield from self._done(write, str(made["id"]))
            elif reply.replayed:
                failed.append(write)
            else:
                yield self._refused(write, reply, f"i{number}")
        if failed:  # monday remembers refusals for 30 minutes: ask anew for those alone
            yield from self._batch(failed, str(uuid.uuid4()))

    def _done(self, write: Write, item_id: str) -> Iterator[Outcome]:
        if write.left_out:
            yield Begun(write.draft, item_id)
            words = f"above monday's limit for one request: {write.left_out} columns follow with the next load"
            yield Refused(write.draft, words)
        else:
            yield Saved(write.draft, item_id, "created" if write.item_id is None else "updated", write.item.name)

    def _refused(self, write: Write, reply: Reply, alias: str) -> Outcome:
        fault = reply.fault_of(alias)
        if fault.code in BUSY | UNSURE:
            return Unanswered(write.draft, fault.message)
        return Refused(write.draft, f"monday: {fault.message}")

    def _look(self, writes: Sequence[Write], key: str, error: OutcomeUnknown) -> Iterator[Outcome]:
        """No answer to new items. Where none of them is there, the same request under the same key is safe, even if
        monday is slow to show them; where some are, monday may still be at work: the rest stays in doubt.
        """
        found = by_key(self._api, self._layout, [write.item.key for write in writes])
        if not any(found.values()):
            yield from self._batch(writes, key, looked=True)
            return
        for write in writes:
            if items := found.get(write.item.key):
                yield from self._done(write, str(items[0]["id"]))
            else:
                yield Unanswered(write.draft, error.message)

    def _unanswered(self, writes: Sequence[Write], error: OutcomeUnknown) -> Iterator[Outcome]:
        yield from (Unanswered(write.draft, error.message) for write in writes)

    # --- one that is too large ----------------------------------------------------------------------------------------

    def _with_fewer_columns(self, write: Write, error: RecordRejected) -> Iterator[Outcome]:
        """A record that is above the limit alone: what is missing, or half of it; the rest with the next load."""
        if not write.cells:
            yield Refused(write.draft, f"monday refuses it even without its columns: {error.message}")
            return
        cells = self._missing(write) if write.item_id and not write.left_out else write.cells
        fewer = cells if len(cells) < len(write.cells) else cells[: len(cells) // 2]
        left_out = write.left_out + len(cells) - len(fewer)
        yield from self._batch([replace(write, cells=fewer, left_out=left_out)])

    def _missing(self, write: Write) -> tuple[Cell, ...]:
        found = by_id(self._api, self._layout, write.item_id or "")
        return differing(write.item, found, self._layout) if found else write.cells
