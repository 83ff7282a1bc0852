"""One sandbox: the systems, their faults, limits and journal, and a server thread for tests."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import uvicorn

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.loopback import bound_socket
from mlc_dagster.core.near_names import offered
from mlc_dagster.core.vocabulary import ERP
from mlc_dagster.sandbox.accounts import Accounts
from mlc_dagster.sandbox.app import SandboxApp
from mlc_dagster.sandbox.faults import Faults
from mlc_dagster.sandbox.ifs.catalogue import Tenant
from mlc_dagster.sandbox.journal import Journal
from mlc_dagster.sandbox.limits import Limits
from mlc_dagster.sandbox.part import Shared
from mlc_dagster.sandbox.registry import choices_of, parts
from mlc_dagster.sandbox.seed.start import DAYS, sow
from mlc_dagster.sandbox.state import read, restore, save
from mlc_dagster.sandbox.system import System

_START_SECONDS = 15


class _Server(uvicorn.Server):
    """uvicorn looks ten times a second whether it should stop; tests start and stop many sandboxes."""

    async def main_loop(self) -> None:
        while not self.should_exit:
            await asyncio.sleep(0.01)


class Sandbox:
    """IFS Cloud and the SaaS beside it on one local port; `with` starts and stops the server.

    `today` is the last of the demo seed's `days`. `port=0` takes any free one.
    `state` names a file: what it holds is served instead of the seed, and `save` writes it; profiles included, where no
    others are given.
    `accounts`: system -> the id of the account that it serves, where it is another than usual; a sandbox that runs
    beside another one has accounts of its own. Not every system tells one.
    `profiles`: the kinds of tenants that it stands for, `ifs.pages`, or single traits, `ifs.count=false`; `tenant` is
    the ERP's in code.
    Raises Misconfigured for a port in use, and for a limit, an account or a profile that no system has.
    """

    def __init__(
        self,
        seed: Literal["empty", "demo"] = "empty",
        today: date | None = None,
        tenant: Tenant | None = None,
        limits: Limits | None = None,
        port: int = 0,
        state: Path | None = None,
        days: int = DAYS,
        accounts: Mapping[str, str] | None = None,
        profiles: Sequence[str] = (),
    ) -> None:
        limits, self._port = checked(limits or Limits()), port
        self._state, before = state, read(state) if state and state.exists() else None
        self.lock = threading.RLock()
        self.faults, self._journal = Faults(), Journal()
        self.profiles = tuple(profiles or (before or {}).get("profiles", ()))
        choices = choices_of(self.profiles, {ERP: tenant} if tenant else {})
        self.tenant: Tenant = choices[ERP].traits
        self.systems: dict[str, System] = {
            name: part.make(
                Shared(self._journal, self.lock, limits.window_seconds, choices[name].traits),
                limits.of(name, {**part.limits, **part.costs}),
            )
            for name, part in parts().items()
        }
        self.today = today or datetime.now(UTC).date()
        self.flaws: dict[str, list[str]] = {}  # of the demo seed: flaw -> the keys of the records that have it
        self._accounts = Accounts(self.systems, parts(), accounts)
        self._begin(before, seed, days)
        self.app = SandboxApp(self.systems, self.faults, self._journal, self.lock)
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def _begin(self, before: dict[str, Any] | None, seed: str, days: int) -> None:
        """Where a state was saved, go on with it; else sow."""
        if before:
            self.today = date.fromisoformat(before["today"])
            restore(before, self.systems)
            self._accounts.are_given = True
        else:
            self.flaws = sow(seed, self.today, self.systems, days)

    def __getattr__(self, name: str) -> Any:
        """`box.cin7`: a system by its name."""
        if name in (systems := self.__dict__.get("systems", {})):
            return systems[name]
        raise AttributeError(f"the sandbox has no {name}; there is: {', '.join(systems)}")

    def serve(self, accounts: Mapping[str, str]) -> None:
        """System -> the id of its account from now on; what it holds stays."""
        with self.lock:
            self._accounts.serve(accounts)

    def save(self) -> None:
        """Write what all systems hold to the state file, where there is one."""
        if self._state:
            with self.lock:
                save(self._state, self.today, self.profiles, self.systems)

    @property
    def url(self) -> str:
        """ "http://127.0.0.1:PORT", once the port is bound."""
        return f"http://127.0.0.1:{self._port}"

    def journal(self, system: str) -> list[dict[str, Any]]:
        """Every request that changed something: at, method, path, body, id."""
        return self._journal.changes(system)

    def calls(self, system: str) -> Counter[tuple[str, str]]:
        """(method, path) -> how often it was called, refused calls included."""
        return self._journal.calls(system)

    def forget_calls(self) -> None:
        """Empty the journal and the call counts; what the systems keep stays."""
        self._journal.clear()

    def peaks(self, system: str) -> dict[str, int]:
        """Credential -> the most calls it made in any window of the limit, refused ones included."""
        return self.systems[system].counts.peaks()

    def bind(self, taken: socket.socket | None = None) -> socket.socket:
        """Take the port, or the one that is `taken` already. Raises Misconfigured where it is in use."""
        if self._socket is None:
            self._socket = taken or bound_socket(self._port)
            self._port = self._socket.getsockname()[1]
        return self._socket

    def server(self) -> uvicorn.Server:
        config = uvicorn.Config(
            self.app,
            log_level="warning",
            lifespan="off",
            ws="none",
            date_header=False,  # ours may be wrong on purpose
            server_header=False,
            timeout_graceful_shutdown=2,
        )
        return _Server(config)

    def __enter__(self) -> Sandbox:
        self._accounts.open()
        sockets = [self.bind()]
        self._server = self.server()
        self._thread = threading.Thread(target=self._server.run, args=(sockets,), name="sandbox", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the sandbox's server did not start")
            time.sleep(0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._accounts.close()
        if self._server and self._thread:
            self._server.should_exit = True
            self._thread.join(_START_SECONDS)
        if self._socket:
            self._socket.close()
            self._socket = None


def checked(limits: Limits) -> Limits:
    """The limits. Raises Misconfigured for one that no system has."""
    usual = {name: {**part.limits, **part.costs} for name, part in parts().items()}
    if strange := sorted(limits.strange(usual)):
        known = [f"{name}_{limit}" for name, named in usual.items() for limit in named]
        raise Misconfigured(
            f"the sandbox has no limit {strange[0]}{offered(strange[0], known)}", cure=f"There is: {', '.join(known)}"
        )
    return limits
