"""Which accounts a sandbox serves: the usual ones, those that it was given, or others where two run side by side."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from threading import Lock
from typing import Any, ClassVar

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.near_names import offered
from mlc_dagster.sandbox.part import Account, Part


class Accounts:
    """Of one sandbox. An account is not its place: one that is stopped and started again is the same."""

    _open: ClassVar[set[int]] = set()
    _lock: ClassVar[Lock] = Lock()

    def __init__(self, systems: Mapping[str, Any], parts: Mapping[str, Part], given: Mapping[str, str] | None) -> None:
        """Raises Misconfigured where an account is given of a system that tells none."""
        self._systems = systems
        self._kinds: dict[str, Account] = {name: part.account for name, part in parts.items() if part.account}
        self.are_given = bool(given)
        self._number: int | None = None
        self.serve(given or {})

    def open(self) -> None:
        """The second of those that run at once has other accounts than the first, where they are not in its sign-in."""
        with self._lock:
            number = self._number = next(each for each in count() if each not in self._open)
            self._open.add(number)
        if number and not self.are_given:
            self.serve({name: kind.beside(number) for name, kind in self._kinds.items() if kind.beside})

    def close(self) -> None:
        with self._lock:
            if self._number is not None:
                self._open.discard(self._number)
                self._number = None

    def serve(self, accounts: Mapping[str, str]) -> None:
        """System -> id, from now on. Raises Misconfigured for a system that tells no account."""
        for name, account in accounts.items():
            if name not in self._kinds:
                raise Misconfigured(f"the sandbox's {name} tells no account{offered(name, self._kinds)}")
            self._kinds[name].serve(self._systems[name], account)
