"""Where the demo lives: a folder with its settings, its ledger, its Dagster instance, and the sandbox beside it.

What the folder that it is started in says of real systems (.env, dagster.yaml, the shell) does not reach it.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import yaml

import mlc_dagster
from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.loopback import listening_socket
from mlc_dagster.demo.orders_alive import bring_to_life
from mlc_dagster.ledger.database import parse
from mlc_dagster.ledger.vault import MASTER_KEY
from mlc_dagster.sandbox.registry import parts
from mlc_dagster.sandbox.seed.start import DAYS, demo_secrets, demo_settings
from mlc_dagster.sandbox.wire import encode
from mlc_dagster.settings import environment
from mlc_dagster.settings import file_modes as private
from mlc_dagster.systems.configuration import all_secrets
from mlc_dagster.systems.registry import systems

SECRETS = demo_secrets()
TIMES = 1000
"""The sandbox's limits in the demo, so many times: at 60 calls a minute it would take half an hour."""
MOST = 2**31 - 1  # some are told as an Int of GraphQL
LIMITING = ("concurrency", "run_monitoring", "run_retries", "retention", "sensors", "schedules")
OWN = {
    "run_launcher": {"module": "mlc_dagster.orchestration.launchers", "class": "LocalRunLauncher"},
    "run_coordinator": {
        "module": "mlc_dagster.orchestration.run_queue",
        "class": "QueuedRunCoordinator",
        "config": {"dequeue_interval_seconds": 1},
    },
    "python_logs": {"managed_python_loggers": ["mlc_dagster"], "python_log_level": "INFO"},
    "telemetry": {"enabled": False},
    "nux": {"enabled": False},
}
USUAL_PORT = 8787
STARTS_WITHIN = 30.0  # seconds
DIRECT = build_opener(ProxyHandler({}))  # a proxy cannot reach our own sandbox


@dataclass(frozen=True)
class Place:
    """The demo's folder."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "mlc.yaml"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def lay_out(self, days: int, instance: str, profiles: Sequence[str] = ()) -> socket.socket:
        """Settings of a sandbox of so many days and these profiles, and Dagster's own. The port of that sandbox, taken
        for it: of two demos that begin at once each has its own.

        `instance`: dagster.yaml of the folder. Raises Misconfigured for a profile that there is not.
        """
        private.make_folder(self.home)
        (self.home / "dagster.yaml").write_text(_of_the_demo(instance), encoding="utf-8")
        taken = _taken_port()
        try:
            self.write_settings(taken.getsockname()[1], days, profiles)
        except BaseException:
            taken.close()
            raise
        return taken

    def write_settings(self, port: int, days: int, profiles: Sequence[str]) -> None:
        content = demo_settings(f"http://127.0.0.1:{port}", days=days, profiles=profiles)
        raise_limits(content)
        bring_to_life(content)
        words = "# Written by `mlc demo`: the sandbox as a tenant.\n"
        self.config.write_text(words + yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")

    @property
    def url(self) -> str:
        address: str = yaml.safe_load(self.config.read_text(encoding="utf-8"))["ifs"]["base_url"]
        return address.removesuffix("/ifs")

    def environment(self) -> dict[str, str]:
        """What the demo's processes need to know. Its secrets are the sandbox's, known to everybody; others are empty,
        so that an .env does not fill them in."""
        packages = [str(Path(mlc_dagster.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {
            **dict.fromkeys((MASTER_KEY, *all_secrets()), ""),
            "MLC_CONFIG": str(self.config),
            "MLC_STORAGE": str(self.folder / "storage"),
            "MLC_DATABASE_URL": f"sqlite:///{self.folder / 'ledger.db'}",
            "DAGSTER_HOME": str(self.home),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            "PYTHONPATH": os.pathsep.join(packages),  # its processes run in the demo's folder, not in the checkout
            **SECRETS,
        }

    def enter(self) -> None:
        """From now on this process knows the demo alone: its settings, and its folder, where no .env is read."""
        for name in [name for name in os.environ if name.startswith(("MLC_", "DAGSTER_"))]:
            del os.environ[name]
        os.environ.update(self.environment())
        os.chdir(self.folder)

    @contextmanager
    def sandbox(
        self, days: int = DAYS, profiles: Sequence[str] = (), listening: socket.socket | None = None
    ) -> Iterator[None]:
        """The sandbox as a process of its own. What it was sent is kept for the next start, whatever its days, and so
        is what tenants it stands for. `listening`: its port, where it was taken for it.

        Raises Misconfigured where another program has its port, or it does not start.
        """
        with listening or listening_socket(int(self.url.rpartition(":")[2])) as taken:
            process = self._started(taken, days, profiles)
        try:
            self._wait_for(process)
            yield
        finally:
            process.terminate()
            process.wait(timeout=20)

    def _started(self, taken: socket.socket, days: int, profiles: Sequence[str]) -> subprocess.Popen[bytes]:
        limits = [word for system, limit, calls in raised_limits() for word in ("--limit", f"{system}.{limit}={calls}")]
        command = [
            *(sys.executable, "-m", "mlc_dagster.sandbox", "--descriptor", str(taken.fileno())),
            *("--state", str(self.folder / "sandbox.state"), "--days", str(days)),
            *(word for name in profiles for word in ("--profile", name)),
            *limits,
        ]
        known = {**os.environ, **self.environment()}
        with private.opened(self.folder / "sandbox.log") as log:
            return subprocess.Popen(  # noqa: S603 - our own module
                command, stdout=log, stderr=log, env=known, cwd=self.folder, pass_fds=[taken.fileno()]
            )

    def _wait_for(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline and process.poll() is None:
            try:
                _ask(f"{self.url}/_sandbox/health")
                return
            except (OSError, HTTPException):
                time.sleep(0.05)
        said = (self.folder / "sandbox.log").read_text()[-500:]
        raise Misconfigured(f"the sandbox did not start at {self.url}: {said}")

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """What people do there, and what goes wrong: `POST airbase/change`. Raises MlcError with what it says."""
        content = None if body is None else encode(body)
        request = Request(f"{self.url}/_sandbox/{path}", content, method=method)  # noqa: S310 - http, our own
        try:
            return _exact(_ask(request))
        except HTTPError as error:
            raise MlcError(f"the sandbox refuses {method} {path}: {error.read().decode()[:200]}") from None

    def state(self, system: str) -> Any:
        """What the sandbox holds now."""
        return _exact(_ask(f"{self.url}/_sandbox/state/{system}"))

    def writes(self, *systems: str) -> int:
        """How many requests have changed something there."""
        addresses = [f"{self.url}/_sandbox/journal/{system}" for system in systems]
        return sum(len(_exact(_ask(address))) for address in addresses)


def raised_limits() -> Iterator[tuple[str, str, int]]:
    """(system, limit, calls) of the sandbox."""
    for name, part in parts().items():
        yield from ((name, limit, min(calls * TIMES, MOST)) for limit, calls in part.limits.items())


def raise_limits(content: dict[str, Any]) -> None:
    """The same in the settings of a sandbox, as far as mlc.yaml has them."""
    for system, limit, calls in raised_limits():
        if limit in systems()[system].settings.model_fields:
            content[system][limit] = str(calls)


def _ask(address: str | Request) -> bytes:
    """The body of an answer. Raises OSError where it refuses or is not there, HTTPException where it breaks off."""
    with DIRECT.open(address, timeout=60) as answer:
        body: bytes = answer.read()
        return body


def _exact(answer: bytes) -> Any:
    return json.loads(answer, parse_float=Decimal)


def real_places() -> dict[str, Path]:
    """Setting -> the place on this disk that it names: by .env, by the shell or by default."""
    said = environment()
    found = {"MLC_CONFIG": said.config, "MLC_STORAGE": Path(said.storage)}
    with contextlib.suppress(Misconfigured):  # no address of a ledger: nothing to look out for
        if (url := parse(said.database_url)).get_backend_name() == "sqlite":
            found["MLC_DATABASE_URL"] = Path(str(url.database))
    if home := os.environ.get("DAGSTER_HOME"):
        found["DAGSTER_HOME"] = Path(home)
    return found


def _of_the_demo(instance: str) -> str:
    """What dagster.yaml says of limits and manners. Its storage, launcher and logs may be real ones: they stay out."""
    try:
        content = yaml.safe_load(instance) or {}
    except yaml.YAMLError as error:
        raise Misconfigured(f"dagster.yaml is not YAML: {error}") from error
    kept = {name: content[name] for name in LIMITING if name in content}
    words = "# Written by `mlc demo`: SQLite in this folder, whatever the dagster.yaml of yours says.\n"
    return words + yaml.safe_dump({**kept, **OWN}, sort_keys=False)


def _taken_port() -> socket.socket:
    """The one that the README names, or any other where that is taken."""
    try:
        return listening_socket(USUAL_PORT)
    except Misconfigured:
        return listening_socket(0)
