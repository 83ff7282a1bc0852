"""What one request, or one change set, writes to the sandboxed IFS: judged at its end, kept whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from mlc_dagster.sandbox.ifs.catalogue import Tenant
from mlc_dagster.sandbox.ifs.names import Collection
from mlc_dagster.sandbox.ifs.posting_rules import RefusalError, Touch, judge
from mlc_dagster.sandbox.ifs.rows import RowSet, Stored
from mlc_dagster.sandbox.journal import Journal


class Transaction:
    """`with` ends it: the journal is told when it was kept. Raises RefusalError where a document is not kept."""

    def __init__(self, sets: Mapping[str, RowSet], tenant: Tenant, journal: Journal) -> None:
        self.sets, self.tenant, self._journal = sets, tenant, journal
        self._before: dict[str, dict[tuple[Any, ...], Stored]] = {}
        self._touched: dict[tuple[str, tuple[Any, ...]], Touch] = {}
        self._entries: list[tuple[str, str, Any, str]] = []
        self.written: tuple[Collection, tuple[Any, ...]] | None = None  # by the latest request

    def touch(self, rows: RowSet, key: tuple[Any, ...]) -> Touch:
        """To be asked before the row is written."""
        if rows.kind.set not in self._before:
            self._before[rows.kind.set] = dict(rows.by_key)
        return self._touched.setdefault((rows.kind.set, key), Touch(rows, key))

    def has_written(self, rows: RowSet, key: tuple[Any, ...]) -> bool:
        """Whether the header itself was: it keeps the version that it got then."""
        touch = self._touched.get((rows.kind.set, key))
        return touch is not None and (touch.is_new or bool(touch.fields))

    def note(self, method: str, path: str, body: Any, key: str) -> None:
        self._entries.append((method, path, body, key))

    def __enter__(self) -> Transaction:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._undo()
            return
        try:
            self._judge()
        except RefusalError:
            self._undo()
            raise
        for entry in self._entries:
            self._journal.changed("ifs", *entry)

    def _judge(self) -> None:
        for touch in self._touched.values():
            if stored := touch.rows.by_key.get(touch.key):
                judge(touch, stored, self.sets, self.tenant)

    def _undo(self) -> None:
        if self.tenant.keeps_parts:
            return
        for name, rows in self._before.items():
            self.sets[name].restore(rows)
