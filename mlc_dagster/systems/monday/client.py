"""monday.com: what the pipeline knows of it. Saves items in batches, and looks before it makes one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from mlc_dagster.core.duplicates import Crosswalk, TargetScan
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.facts import Books
from mlc_dagster.core.flows import Flow, Target
from mlc_dagster.core.outcomes import (
    OWNED,
    Budget,
    Delivered,
    Draft,
    Outcome,
    Refused,
    Saved,
    Seen,
    Shown,
    Traffic,
    Worth,
    owned_words,
)
from mlc_dagster.rules.waiving import WAS_CANCELLED
from mlc_dagster.systems.monday.api import ComplexityBudget, MondayApi
from mlc_dagster.systems.monday.boards.cell_values import DIGITS, lost_digits
from mlc_dagster.systems.monday.boards.item_lookup import Found, by_key, differing
from mlc_dagster.systems.monday.boards.item_writer import ItemWrite, ItemWriter
from mlc_dagster.systems.monday.boards.layout import Board, BoardFault, Boards, Layout
from mlc_dagster.systems.monday.boards.open_creates import AT_WORK, Group, OpenCreates, is_in_doubt
from mlc_dagster.systems.monday.boards.put_away import PutAway, put_away_of
from mlc_dagster.systems.monday.boards.read_back import ItemsReadBack
from mlc_dagster.systems.monday.boards.whereabouts import whereabouts
from mlc_dagster.systems.monday.duplicates import Duplicates
from mlc_dagster.systems.monday.graphql import documents
from mlc_dagster.systems.monday.records import KINDS, Cell, Item
from mlc_dagster.transport.client import ApiClient


class MondayClient:
    """One monday.com account; implements outcomes.Client."""

    def __init__(
        self,
        api: ApiClient,
        budget: Budget,
        options: Mapping[str, str],
        *,
        points_per_minute: int,
        create_columns: bool = False,
        create_labels: bool = True,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.api, self._options, self._labels, self._wall = api, options, create_labels, wall
        self._api = MondayApi(api, ComplexityBudget(points_per_minute), budget, clock)
        self._open_creates = OpenCreates(wall)
        self._boards = Boards(self._api, options.get("key_column", "IFS key"), create=create_columns, clock=clock)
        self._duplicates = Duplicates(self._api, self._boards, options, clock)
        self._put_away: dict[str, dict[str, PutAway]] = {}  # board -> our key -> item, as this run found it
        self._read_back = ItemsReadBack(self._api, self._boards, options, self._named)

    @property
    def traffic(self) -> Traffic:
        return Traffic(self.api.requests, self.api.throttled_seconds)

    @property
    def points(self) -> ComplexityBudget:
        """What is known of the complexity budget."""
        return self._api.points

    def books(self) -> Books:
        """monday has no chart of accounts, terms or tax rules: a record is judged by the ERP's."""
        return Books(has_chart=False)

    def scan_documents(self, target: Target, since: datetime, known: Crosswalk) -> TargetScan:
        """What may be on a board twice. The crosswalk is not needed: keys can be asked for."""
        return self._duplicates.scan(target, since)

    def read_back(self, target: Target, delivered: Sequence[Delivered]) -> Iterator[Seen]:
        """As outcomes.ReadsBack: a hundred items in a request."""
        return self._read_back.read_back(target.name, delivered)

    def expected(self, target: Target, record: Any) -> Shown:
        """As outcomes.ReadsBack: the item's name, its key, and the columns that mlc.yaml names."""
        return self._read_back.expected(record)

    def worth(self, target: Target, values: Shown) -> Worth:
        """As outcomes.ReadsBack."""
        return self._read_back.worth(target.name, values)

    def ours_in(self, flow: Flow, since: datetime | None, known: AbstractSet[str]) -> Iterator[Seen]:
        """As outcomes.FindsOurs: by the key column of the flow's board."""
        return self._read_back.ours_in(flow.target.name, since, known)

    def who(self) -> str:
        """Whose token it is. Raises AccessDenied."""
        me = self._api.read(documents.WHO).get("me") or {}
        return f"{me.get('name')} (user {me.get('id')})"

    def asked(self, document: str, **variables: object) -> Mapping[str, Any]:
        """The values of a query that changes nothing. Raises AccessDenied, Misconfigured, TransientError."""
        return self._api.read(document, **variables)

    def save(self, target: Target, drafts: Iterable[Draft]) -> Iterator[Outcome]:
        """Send the drafts, twenty in a request.

        Raises AccessDenied, Misconfigured, TransientError (retries are exhausted; nothing was done for the rest).
        """
        by_board: dict[str, list[Draft]] = {}
        for draft in drafts:
            by_board.setdefault(draft.record.board, []).append(draft)
        for board, some in by_board.items():
            if not board:
                raise Misconfigured(f"monday.boards.{target.name} is not set", cure="Name its board in mlc.yaml.")
            yield from self._save(target, board, some)

    def _save(self, target: Target, board: str, drafts: list[Draft]) -> Iterator[Outcome]:
        """What is in doubt goes as it went before, and with nothing else."""
        layout = self._boards.layout(board, _cells(drafts))
        drafts, again = self._made_again(layout, drafts)
        group = self._options.get(f"{target.name}.group", "")
        writer = ItemWriter(self._api, layout, self._open_creates, labels=self._labels, group=group)
        doubtful = self._open_creates.groups(filter(is_in_doubt, drafts), ComplexityBudget.WRITES)
        found = self._found(layout, [draft for draft in drafts if draft.look_since and not draft.remote_id], doubtful)
        for some, anew in [
            ([draft for draft in drafts if not is_in_doubt(draft)], False),
            (again, True),  # the key of their first making would be answered from memory
            *((group.drafts, group.answered) for group in doubtful),
        ]:
            away = self._away(layout, [draft for draft in some if not found.get(draft.record.key)])
            planned = [
                _was_put_away(draft, away) or _plan(draft, found.get(draft.record.key, []), layout) for draft in some
            ]
            yield from (outcome for outcome in planned if not isinstance(outcome, ItemWrite))
            yield from writer.send([write for write in planned if isinstance(write, ItemWrite)], anew=anew)

    def _made_again(self, layout: Layout, drafts: list[Draft]) -> tuple[list[Draft], list[Draft]]:
        """(the others, new ones of those that a person asked for again, and whose item is put away or elsewhere)"""
        ids = [draft.remote_id for draft in drafts if draft.anew and draft.remote_id]
        away = whereabouts(self._api, layout.board, ids) if ids else {}
        again = [replace(draft, remote_id=None) for draft in drafts if draft.remote_id in away]
        return [draft for draft in drafts if draft.remote_id not in away], again

    def _away(self, layout: Layout, absent: Sequence[Draft]) -> Mapping[str, PutAway]:
        """Our key -> what people put away under it; asked once in a run, and of a ledger that is young alone."""
        if not any(draft.is_young and draft.look_since and not draft.remote_id for draft in absent):
            return {}
        if layout.board.id not in self._put_away:
            self._put_away[layout.board.id] = put_away_of(self._api, layout)
        return self._put_away[layout.board.id]

    def _found(self, layout: Layout, drafts: list[Draft], doubtful: list[Group]) -> dict[str, list[Found]]:
        """Key -> items. What monday may still be at work on, or not show yet, is looked up again after a minute."""
        if not drafts:
            return {}
        keys = [draft.record.key for draft in drafts]
        found = by_key(self._api, layout, keys)
        if wait := max((self._unfinished(group, found) for group in doubtful), default=0.0):
            self._api.be_silent(wait)  # the next call waits for it, and counts the seconds
            return by_key(self._api, layout, keys)
        return found

    def _unfinished(self, group: Group, found: Mapping[str, list[Found]]) -> float:
        """Seconds until a request is settled: 0 where all of it is there; or nothing, and it goes again as it was."""
        there = sum(bool(found.get(draft.record.key)) for draft in group.drafts)
        if there == len(group.drafts) or (there == 0 and not group.answered):
            return 0.0
        return min(AT_WORK, max(timedelta(0), group.ends - self._wall())).total_seconds()

    def boards(self) -> list[Board]:
        """All that the token may see. Raises as `asked`."""
        return list(self._boards.there())

    def board_faults(self) -> Iterator[tuple[str, BoardFault]]:
        """(flow, what its board lacks): all that mlc.yaml names and monday does not have. Reads only."""
        boards = {name.partition(".")[0]: board for name, board in self._options.items() if name.endswith(".board")}
        self._boards.read_again(list(boards.values()))
        for flow, board in boards.items():
            yield from ((flow, flaw) for flaw in self._boards.board_faults(board, self._named(flow)))

    def _named(self, flow: str) -> Iterator[Cell]:
        """An empty cell for each column that mlc.yaml names for a flow."""
        start = f"{flow}.columns."
        for name, column in self._options.items():
            if name.startswith(start):
                field = name.removeprefix(start)
                kind = KINDS.get(field, "text")
                board = self._options.get("suppliers.board", "") if kind == "link" else ""
                yield Cell(field=field, column=column, kind=kind, board=board)


def _was_put_away(draft: Draft, away: Mapping[str, PutAway]) -> Refused | None:
    """A person's decision that this ledger knows nothing of: the one that delivered it is lost."""
    known = away.get(draft.record.key) if draft.look_since and not draft.remote_id and not draft.anew else None
    return Refused(draft, known.words(draft.record.key), WAS_CANCELLED) if known else None


def _plan(draft: Draft, found: list[Found], layout: Layout) -> ItemWrite | Saved | Refused:
    """What is to be done, or was done already."""
    item: Item = draft.record
    if lost := next(filter(None, (lost_digits(cell, layout.column_of(cell).type) for cell in item.cells)), ""):
        return Refused(draft, lost, DIGITS)
    if draft.remote_id or not found:
        return ItemWrite(draft, item.cells, draft.remote_id)
    if len(found) > 1:
        ids = " and ".join(str(each["id"]) for each in found)
        return Refused(draft, f"board {layout.board.name} has two items for {item.key}: {ids}. Delete one of them.")
    item_id = str(found[0]["id"])
    if owner := draft.owner(item_id):
        return Refused(draft, owned_words(draft.key, owner, f"item {item_id}", "monday"), OWNED)
    if not differing(item, found[0], layout) and str(found[0].get("name")) == item.name:
        return Saved(draft, item_id, "adopted", item.name)
    return ItemWrite(draft, item.cells, item_id)


def _cells(drafts: Iterable[Draft]) -> list[Cell]:
    """One of each column: the drafts of a flow have the same ones, unless mlc.yaml changed between two loads."""
    found = {cell.column: cell for draft in drafts for cell in draft.record.cells}
    return list(found.values())
