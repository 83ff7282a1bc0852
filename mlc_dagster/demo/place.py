"""Where the demo lives: a folder with its settings, its ledger, its Dagster instance, and the sandbox beside it."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import yaml

from mlc_dagster.errors import Misconfigured
from mlc_dagster.sandbox.seed import demo_settings

SECRETS = {
    "IFS_CLIENT_ID": "sandbox",
    "IFS_CLIENT_SECRET": "sandbox-secret",
    "CIN7_ACCOUNT_ID": "sandbox-account",
    "CIN7_APPLICATION_KEYS": "sandbox-key-1,sandbox-key-2,sandbox-key-3",
    "AIRBASE_TOKEN": "sandbox-airbase-token",
    "MONDAY_TOKEN": "sandbox-monday-token",
    "HUBSPOT_TOKEN": "pat-na1-sandbox",
    "PROCURIFY_CLIENT_ID": "sandbox-procurify",
    "PROCURIFY_CLIENT_SECRET": "sandbox-procurify-secret",
}
CALLS_A_MINUTE = 60_000
"""Cin7 allows 60 for each key, at which the demo would take half an hour; IFS about 1,000."""
LIMITS = (
    ("ifs", "requests_per_minute"),
    ("cin7", "calls_per_minute"),
    ("airbase", "requests_per_minute"),
    ("hubspot", "calls_per_10_seconds"),
    ("procurify", "requests_per_second"),
)
MONDAY_TIMES = 100
"""monday's limits, so many times: 10,000,000 points and 1,000 calls a minute, 10,000 calls a day."""
USUAL_PORT = 8787
STARTS_WITHIN = 30.0  # seconds


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

    def lay_out(self) -> None:
        """Start from nothing: the sandbox does, so the ledger must."""
        instance = Path("dagster.yaml")
        if not instance.is_file():
            raise Misconfigured(
                "no dagster.yaml in this folder", cure="Run the demo from a checkout: it is the instance's settings."
            )
        for part in ("home", "storage", "ledger.db", "ledger.db-wal", "ledger.db-shm", "sandbox.state"):
            _remove(self.folder / part)
        self.home.mkdir(parents=True)
        shutil.copy(instance, self.home / "dagster.yaml")
        self.write_settings(_free_port())

    def write_settings(self, port: int) -> None:
        content = demo_settings(f"http://127.0.0.1:{port}")
        for system, limit in LIMITS:
            content[system][limit] = CALLS_A_MINUTE
        content["monday"].update(
            calls_per_minute=1000 * MONDAY_TIMES,
            calls_per_day=10_000 * MONDAY_TIMES,
            points_per_minute=10_000_000 * MONDAY_TIMES,
        )
        words = "# Written by `mlc demo`: the sandbox as a tenant.\n"
        self.config.write_text(words + yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")

    @property
    def url(self) -> str:
        address: str = yaml.safe_load(self.config.read_text(encoding="utf-8"))["ifs"]["base_url"]
        return address.removesuffix("/ifs")

    def environment(self) -> dict[str, str]:
        """What the demo's processes need to know. The secrets are the sandbox's, and known to everybody."""
        return {
            "MLC_CONFIG": str(self.config),
            "MLC_STORAGE": str(self.folder / "storage"),
            "MLC_DATABASE_URL": f"sqlite:///{self.folder / 'ledger.db'}",
            "DAGSTER_HOME": str(self.home),
            "DAGSTER_DISABLE_TELEMETRY": "1",
            **SECRETS,
        }

    @contextmanager
    def sandbox(self) -> Iterator[None]:
        """The sandbox as a process of its own; what it was sent is kept for the next start."""
        port = self.url.rpartition(":")[2]
        limits = [
            word for system, limit in LIMITS for word in (f"--{system}-{limit.replace('_', '-')}", str(CALLS_A_MINUTE))
        ]
        limits += ["--monday", str(MONDAY_TIMES)]
        command = [
            sys.executable,
            "-m",
            "mlc_dagster.sandbox",
            "--port",
            port,
            "--state",
            str(self.folder / "sandbox.state"),
        ]
        with (self.folder / "sandbox.log").open("w") as log:
            process = subprocess.Popen([*command, *limits], stdout=log, stderr=log)  # noqa: S603 - our own module
            try:
                self._wait_for(process)
                yield
            finally:
                process.terminate()
                process.wait(timeout=20)

    def _wait_for(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if httpx.get(f"{self.url}/_sandbox/health").is_success:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        said = (self.folder / "sandbox.log").read_text()[-500:]
        raise Misconfigured(f"the sandbox did not start at {self.url}: {said}")

    def state(self, system: str) -> Any:
        """What the sandbox holds now."""
        return _exact(httpx.get(f"{self.url}/_sandbox/state/{system}", timeout=60))

    def writes(self, *systems: str) -> int:
        """How many requests have changed something there."""
        addresses = [f"{self.url}/_sandbox/journal/{system}" for system in systems]
        return sum(len(_exact(httpx.get(address, timeout=60))) for address in addresses)


def _exact(answer: httpx.Response) -> Any:
    return json.loads(answer.raise_for_status().text, parse_float=Decimal)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _free_port() -> int:
    """The one that the README names, or any other where that is taken."""
    for wanted in (USUAL_PORT, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", wanted))
            port: int = probe.getsockname()[1]
            return port
    raise Misconfigured("no port is free on 127.0.0.1")
