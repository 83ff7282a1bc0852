"""Which accounts a sandbox serves: the usual ones, those that it was given, or others where two run side by side."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from threading import Lock
from typing import ClassVar

from mlc_dagster.sandbox.cin7.api import Cin7Sandbox
from mlc_dagster.sandbox.hubspot.api import HubspotSandbox
from mlc_dagster.sandbox.ifs.api import IfsSandbox
from mlc_dagster.sandbox.monday.api import MondaySandbox


class Accounts:
    """Of one sandbox. An account is not its place: one that is stopped and started again is the same."""

    _open: ClassVar[set[int]] = set()
    _lock: ClassVar[Lock] = Lock()

    def __init__(
        self,
        hubspot: HubspotSandbox,
        monday: MondaySandbox,
        cin7: Cin7Sandbox,
        ifs: IfsSandbox,
        given: Mapping[str, str] | None,
    ) -> None:
        self._hubspot, self._monday, self._cin7, self._ifs = hubspot, monday, cin7, ifs
        self.are_given = bool(given)
        self._number: int | None = None
        self.serve(given or {})

    def open(self) -> None:
        """The second of those that run at once has other accounts than the first. Cin7's stay: they sign its calls."""
        with self._lock:
            number = self._number = next(each for each in count() if each not in self._open)
            self._open.add(number)
        if number and not self.are_given:
            portal, account = 147_000_001 + number, 9_000_001 + number
            self.serve({"hubspot": str(portal), "monday": str(account), "ifs": f"sandbox{number + 1}"})

    def close(self) -> None:
        with self._lock:
            if self._number is not None:
                self._open.discard(self._number)
                self._number = None

    def serve(self, accounts: Mapping[str, str]) -> None:
        """System -> id, from now on."""
        if portal := accounts.get("hubspot"):
            self._hubspot.account["portalId"] = int(portal)
        if account := accounts.get("monday"):
            self._monday.resolvers.account_id = account
        if account := accounts.get("cin7"):
            self._cin7.account_id = account
        if realm := accounts.get("ifs"):
            self._ifs.tokens.realm = realm
