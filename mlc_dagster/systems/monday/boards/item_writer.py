"""Items on their way: in requests of twenty aliases, each with its own outcome."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlc_dagster.core.errors import OutcomeUnknown, RecordRejected, TransientError
from mlc_dagster.core.outcomes import Begun, Draft, Outcome, Refused, Saved, Unanswered
from mlc_dagster.systems.monday.api import MondayApi
from mlc_dagster.systems.monday.boards.cell_values import written
from mlc_dagster.systems.monday.boards.item_lookup import by_id, by_key, cure_of, differing, not_kept
from mlc_dagster.systems.monday.boards.layout import Layout
from mlc_dagster.systems.monday.boards.open_creates import AT_WORK, OpenCreates
from mlc_dagster.systems.monday.boards.whereabouts import Whereabouts, whereabouts
from mlc_dagster.systems.monday.graphql import documents
from mlc_dagster.systems.monday.graphql import error_codes as codes
from mlc_dagster.systems.monday.graphql.replies import Fault, Reply
from mlc_dagster.systems.monday.graphql.responses import AnsweredInDoubtError, TooComplexError
from mlc_dagster.systems.monday.records import Cell, Item

KEPT = "monday_kept_it"
"""The rule that is broken where an answer shows that a write was dropped."""
TURNS = 8  # requests in a row of which monday takes nothing, before it is given up


@dataclass(frozen=True)
class ItemWrite:
    """One alias: a new item, or the change of one."""

    draft: Draft
    cells: tuple[Cell, ...]
    item_id: str | None = None
    left_out: int = 0  # columns that wait for the next load

    @property
    def item(self) -> Item:
        item: Item = self.draft.record
        return item


Sending = Generator[Outcome, None, RecordRejected | None]
"""Outcomes, and at the end the refusal of a whole request, of whose writes there are none."""


class ItemWriter:
    """Sends the writes of one board, one request after the other: simultaneous ones can corrupt a board."""

    def __init__(
        self, api: MondayApi, layout: Layout, open_creates: OpenCreates, *, labels: bool, group: str = ""
    ) -> None:
        self._api, self._layout, self._open_creates, self._labels, self._group = (
            api,
            layout,
            open_creates,
            labels,
            group,
        )
        self._harmless: set[str] = set()  # codes of refusals after which nothing was found
        self._elsewhere: dict[str, Whereabouts] = {}  # of the items of this request

    def send(self, writes: Sequence[ItemWrite], *, anew: bool = False) -> Iterator[Outcome]:
        """New items first, those of a group together, then changes; never both in one request. `anew`: under keys that
        were not used before.
        """
        new = [write for write in writes if write.item_id is None]
        groups = dict.fromkeys(map(self._group_of, new))
        together = ([write for write in new if self._group_of(write) == group] for group in groups)
        for kind in (*together, [write for write in writes if write.item_id is not None]):
            start = 0
            while start < len(kind):
                size = self._api.points.writes_at_once()
                some = kind[start : start + size]
                yield from self._batch(some, self._new_key(some) if anew else "")
                start += size

    def _batch(self, writes: Sequence[ItemWrite], key: str = "", turns: int = 1) -> Iterator[Outcome]:
        """Each outcome once; those that a refusal of the whole request is about are found, and held alone."""
        refusal = yield from self._send(writes, key, turns=turns)
        if refusal and getattr(refusal, "replayed", False):
            refusal = yield from self._send(writes, self._new_key(writes), turns=turns)
        if refusal:
            yield from self._apart(writes, refusal)

    def _send(self, writes: Sequence[ItemWrite], key: str = "", *, looked: bool = False, turns: int = 1) -> Sending:
        """One request. `looked`: it was sent before, and nothing of it was there."""
        key = key or self._key(writes)
        try:
            reply = self._request(writes, key)
        except TooComplexError as error:
            self._api.points.refused(len(writes))
            yield from self._in_parts(writes, error)
        except AnsweredInDoubtError as error:
            yield from self._open(writes, error.message)
        except OutcomeUnknown as error:
            if not looked:
                return (yield from self._find_created(writes, key, error))
            yield from (Unanswered(write.draft, error.message) for write in writes)
        except RecordRejected as error:
            return error
        else:
            yield from self._answered(writes, reply, turns)
        return None

    def _in_parts(self, writes: Sequence[ItemWrite], error: RecordRejected) -> Iterator[Outcome]:
        if len(writes) > 1:
            half = len(writes) // 2
            yield from self._batch(writes[:half])
            yield from self._batch(writes[half:])
        else:
            yield from self._with_fewer_columns(writes[0], error)

    # --- refused as a whole -------------------------------------------------------------------------------------------

    def _apart(self, writes: Sequence[ItemWrite], error: RecordRejected) -> Iterator[Outcome]:
        """One after the other, those that it is about are found by halving; what is sent on the way is sent.

        For one of twenty: five requests that halve the suspects, one for it alone, one for all behind it.
        """
        suspects: Sequence[ItemWrite] = yield from self._not_made(writes, error)
        behind: list[ItemWrite] = []
        alone = len(writes) == 1
        while len(suspects) > 1 or (suspects and not alone):
            half = suspects[: max(1, len(suspects) // 2)]
            refusal = yield from self._send(half)
            if refusal is None:
                suspects = suspects[len(half) :]
            else:
                error, alone, behind = refusal, len(half) == 1, [*suspects[len(half) :], *behind]
                suspects = yield from self._not_made(half, refusal)
        if suspects:
            self._look_for(suspects[:1] if getattr(error, "code", "") in codes.NOT_THERE else [])
            yield self._refused(suspects[0], error.message)
        if behind:
            yield from self._batch(behind)

    def _not_made(
        self, writes: Sequence[ItemWrite], error: RecordRejected
    ) -> Generator[Outcome, None, Sequence[ItemWrite]]:
        """Those that may be sent again. Where the refusal does not prove that nothing was done, what was is found."""
        nothing_done = getattr(error, "nothing_done", True) or getattr(error, "code", "") in self._harmless
        if nothing_done or writes[0].item_id is not None:
            return writes
        self._api.be_silent(AT_WORK.total_seconds())
        found = by_key(self._api, self._layout, [write.item.key for write in writes])
        if not any(found.values()):
            self._harmless.add(getattr(error, "code", ""))
        there = [write for write in writes if found.get(write.item.key)]
        for write in there:
            yield from self._done(write, str(found[write.item.key][0]["id"]))
        return [write for write in writes if write not in there]

    # --- one request --------------------------------------------------------------------------------------------------

    def _request(self, writes: Sequence[ItemWrite], key: str) -> Reply:
        """Changes may be sent again: they say what is to be, not by how much it differs."""
        new = writes[0].item_id is None
        variables: dict[str, Any] = {"b": self._layout.board.id, "l": self._labels, "c": self._layout.ids}
        for number, write in enumerate(writes):
            variables |= self._variables(number, write)
        group, count = self._group_of(writes[0]) if new else "", len(writes)
        if group:
            variables["g"] = group
        document = documents.creates(count, group=bool(group)) if new else documents.changes(count)
        if new:
            self._open_creates.sending((write.draft for write in writes), key)
        return self._api.write(document, variables, count, key)

    def _group_of(self, write: ItemWrite) -> str:
        """That of the record's site, else the board's usual one."""
        return write.item.group or self._group

    def _variables(self, number: int, write: ItemWrite) -> dict[str, Any]:
        values = {self._layout.column_of(cell).id: self._value(cell) for cell in write.cells}
        if write.item_id is None:
            given = {column: value for column, value in values.items() if value is not None}
            text = json.dumps({self._layout.key.id: write.item.key, **given}, ensure_ascii=False)
            return {f"n{number}": write.item.name, f"v{number}": text}
        text = json.dumps({"name": write.item.name, self._layout.key.id: write.item.key, **values}, ensure_ascii=False)
        return {f"i{number}": write.item_id, f"v{number}": text}

    def _value(self, cell: Cell) -> Any:
        return written(cell, self._layout.column_of(cell).type)

    def _key(self, writes: Sequence[ItemWrite]) -> str:
        """New items: made of what is sent, so that the same request after a crash is answered, not repeated.

        Changes have none: made twice they are the same, and there and back again would be answered from memory.
        """
        if writes[0].item_id is not None:
            return ""
        sent = [(write.item.key, self._variables(0, write)) for write in writes]
        group = self._group_of(writes[0])
        text = json.dumps([self._layout.board.id, group, self._labels, sent], ensure_ascii=False)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    def _new_key(self, writes: Sequence[ItemWrite]) -> str:
        """Of what monday has answered once: the same key would replay that answer, or be refused for other content."""
        return "" if writes[0].item_id is not None else str(uuid.uuid4())

    # --- what came of it ----------------------------------------------------------------------------------------------

    def _answered(self, writes: Sequence[ItemWrite], reply: Reply, turns: int) -> Iterator[Outcome]:
        """Who has a value is done. Who certainly was not begun is sent again; who may have been is looked for."""
        again = []
        self._look_for([w for number, w in enumerate(writes) if reply.is_not_there(f"i{number}")])
        for number, write in enumerate(writes):
            alias = f"i{number}"
            if made := reply.values.get(alias):
                yield from self._kept(write, made)
            elif reply.is_untouched(alias):
                again.append(write)
            else:
                yield from self._faulty(write, reply.own(alias), reply.general)
        if again:
            yield from self._again(again, turns + 1 if len(again) == len(writes) else 1, reply)

    def _again(self, writes: Sequence[ItemWrite], turns: int, reply: Reply) -> Iterator[Outcome]:
        if turns > TURNS:
            said = next(iter(reply.faults), reply.general).message
            raise TransientError(f"monday took none of {len(writes)} items in {TURNS} requests: {said}")
        yield from self._batch(writes, self._new_key(writes), turns)

    def _faulty(self, write: ItemWrite, own: Fault | None, general: Fault) -> Iterator[Outcome]:
        if own is None or own.proves_nothing:
            yield from self._open([write], (own or general).message)
        else:
            yield self._refused(write, f"monday: {own.message}")

    def _look_for(self, writes: Sequence[ItemWrite]) -> None:
        ids = [write.item_id for write in writes if write.item_id is not None]
        self._elsewhere = whereabouts(self._api, self._layout.board, ids) if ids else {}

    def _refused(self, write: ItemWrite, said: str) -> Refused:
        """By monday's word; of an item that people put away or moved, by where it is."""
        self._open_creates.settled(write.draft)
        if where := self._elsewhere.get(write.item_id or ""):
            return Refused(write.draft, f"{where.reason} monday said: {said}", where.rule)
        return Refused(write.draft, said)

    def _open(self, writes: Sequence[ItemWrite], why: str) -> Iterator[Outcome]:
        """monday answered, and left open whether these are there."""
        self._open_creates.answered(write.draft for write in writes)
        yield from (Unanswered(write.draft, why) for write in writes)

    def _kept(self, write: ItemWrite, made: Any) -> Iterator[Outcome]:
        """By what the answer shows of the item."""
        if lost := not_kept(write.cells, made, self._layout):
            self._open_creates.settled(write.draft)
            yield Begun(write.draft, str(made["id"]))
            reason = f"monday took item {made['id']}, and did not keep {', '.join(lost)}. {cure_of(write.cells, lost)}"
            yield Refused(write.draft, reason, KEPT)
        else:
            yield from self._done(write, str(made["id"]))

    def _done(self, write: ItemWrite, item_id: str) -> Iterator[Outcome]:
        self._open_creates.settled(write.draft)
        if write.left_out:
            yield Begun(write.draft, item_id)
            words = f"above monday's limit for one request: {write.left_out} columns follow with the next load"
            yield Refused(write.draft, words)
        else:
            yield Saved(write.draft, item_id, "created" if write.item_id is None else "updated", write.item.name)

    def _find_created(self, writes: Sequence[ItemWrite], key: str, error: OutcomeUnknown) -> Sending:
        """No answer to new items. Where none of them is there, the same request under the same key is safe, even if
        monday is slow to show them; where some are, monday may still be at work: the rest stays in doubt.
        """
        found = by_key(self._api, self._layout, [write.item.key for write in writes])
        if not any(found.values()):
            return (yield from self._send(writes, key, looked=True))
        for write in writes:
            if items := found.get(write.item.key):
                yield from self._done(write, str(items[0]["id"]))
            else:
                yield from self._open([write], error.message)
        return None

    # --- one that is too large ----------------------------------------------------------------------------------------

    def _with_fewer_columns(self, write: ItemWrite, error: RecordRejected) -> Iterator[Outcome]:
        """A record that is above the limit alone: what is missing, or half of it; the rest with the next load."""
        if not write.cells:
            yield Refused(write.draft, f"monday refuses it even without its columns: {error.message}")
            return
        cells = self._missing(write) if write.item_id and not write.left_out else write.cells
        fewer = cells if len(cells) < len(write.cells) else cells[: len(cells) // 2]
        left_out = write.left_out + len(cells) - len(fewer)
        yield from self._batch([replace(write, cells=fewer, left_out=left_out)])

    def _missing(self, write: ItemWrite) -> tuple[Cell, ...]:
        found = by_id(self._api, self._layout, write.item_id or "")
        return differing(write.item, found, self._layout) if found else write.cells
