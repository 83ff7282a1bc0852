"""What was asked and what was changed, for tests and for the demo."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from typing import Any


class Journal:
    """Every request that changed something, in order, and how often each path was called."""

    def __init__(self) -> None:
        self._changes: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._calls: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)

    def called(self, system: str, method: str, path: str) -> None:
        self._calls[system][method, path] += 1

    def changed(self, system: str, method: str, path: str, body: Any, result: str) -> None:
        entry = {"at": datetime.now(UTC), "method": method, "path": path, "body": body, "id": result}
        self._changes[system].append(entry)

    def changes(self, system: str) -> list[dict[str, Any]]:
        """Shape of an entry: at (aware UTC), method, path, body (parsed), id (of the record it made or changed)."""
        return list(self._changes[system])

    def calls(self, system: str) -> Counter[tuple[str, str]]:
        """(method, path) -> calls, refused and faulty ones included; the path as it came, without its query."""
        return Counter(self._calls[system])

    def clear(self) -> None:
        self._changes.clear()
        self._calls.clear()
