"""C28: mixed faults for as long as asked, and the states sum, while memory and open files stay level.

    python -m mlc_dagster_tests.promises.soak --seconds 3600 --records 1000000

Records go from the sandboxed IFS into Parquet, through prepare and the ledger, into the sandboxed HubSpot, round after
round; each round changes them all in the ERP. The remote systems are a process of their own: only ours is measured.
Ends with 0 where all held, and says what did not.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mlc_dagster import pipeline
from mlc_dagster.core.arrow_columns import read_ready, ready_batch, ready_schema, records_of, source_schema, without
from mlc_dagster.core.vocabulary import Pull, Scope, Window
from mlc_dagster.ledger import Ledger, Run
from mlc_dagster.ledger import database as ledger_database
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.pipeline import Verdict
from mlc_dagster.sandbox import Limits, Sandbox
from mlc_dagster.systems.hubspot.api import classify as hubspot_answers
from mlc_dagster.systems.hubspot.client import HubspotClient
from mlc_dagster.systems.ifs.client import IfsClient
from mlc_dagster.systems.ifs.client import classify as ifs_answers
from mlc_dagster.transport.client import ApiClient
from mlc_dagster.transport.sign_in import Bearer, ClientCredentials
from mlc_dagster_tests.promises.quick import COMPANIES
from mlc_dagster_tests.systems.hubspot.samples import facts

ROWS = 2000  # in the ERP: a round moves them all
BAD_EACH = 97  # every such supplier has no name, which HubSpot refuses
START = datetime(2026, 11, 5, tzinfo=UTC)
DAY = START.date().isoformat()
WARM = 1 / 3  # of the time, after which memory and files must stay level
MORE_MEMORY, MORE_FILES = 1.15, 4
SMALL_CACHE = 4_096  # KiB, of SQLite's pages: at its usual bound it grows with the ledger for an hour, and hides a leak
FAULTS: tuple[dict[str, Any], ...] = (
    {"status": 500, "share": 0.02},
    {"status": 503, "share": 0.02, "headers": {"retry-after": "0"}},
    {"status": 429, "share": 0.03, "headers": {"retry-after": "0"}},
    {"drop": "before", "share": 0.01},
    {"drop": "after", "share": 0.02},
    {"drop": "after", "reset": True, "share": 0.01},
    {"truncate": True, "share": 0.02},
    {"status": 200, "share": 0.01, "body": "<html>maintenance</html>", "headers": {"content-type": "text/html"}},
)


# --- the remote systems, in a process of their own --------------------------------------------------------------------


def serve() -> None:
    """Reads one JSON command a line: {"round": n} changes every supplier, {"faults": true}, {"state": true}."""
    limits = Limits(
        cin7_calls_per_minute=10**7,
        ifs_requests_per_minute=10**7,
        hubspot_calls_per_10_seconds=10**7,
        hubspot_calls_per_day=10**9,
    )
    with Sandbox(limits=limits) as box:
        print(json.dumps({"url": box.url}), flush=True)
        for line in sys.stdin:
            print(json.dumps(_obey(box, json.loads(line))), flush=True)


def _obey(box: Sandbox, command: dict[str, Any]) -> dict[str, Any]:
    if "round" in command:
        box.ifs.put_many("SupplierSet", [_row(n, command["round"]) for n in range(ROWS)])
        box.forget_calls()
    if "faults" in command:
        box.faults.clear()
        for system in ("ifs", "hubspot") if command["faults"] else ():
            for fault in FAULTS:
                box.faults.add(system=system, times=None, **fault)
    if "state" in command:
        rows = box.hubspot.live("companies").values()
        return {"companies": [[row["properties"]["ifs_external_key"], row["properties"]["name"]] for row in rows]}
    return {}


def _row(number: int, round_: int) -> dict[str, Any]:
    name = None if number % BAD_EACH == 0 else f"Company {number} of round {round_}"
    at = START + timedelta(seconds=round_ * 20 % 80_000, milliseconds=number)
    return {"SupplierId": f"S{number}", "Name": name, "LastModified": at + timedelta(microseconds=1)}


class Remote:
    """The other process."""

    def __enter__(self) -> Remote:
        command = [sys.executable, "-m", __spec__.name, "--serve"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url: str = self._answer()["url"]
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()

    def tell(self, **command: Any) -> dict[str, Any]:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


# --- ours -------------------------------------------------------------------------------------------------------------


@dataclass
class Soaked:
    """The account of it all."""

    rounds: int = 0
    read: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    memory: list[int] = field(default_factory=list)  # bytes, after each round
    files: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def measure(self) -> None:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.memory.append(pages * os.sysconf("SC_PAGE_SIZE"))
        self.files.append(len(os.listdir("/proc/self/fd")))  # noqa: PTH208 - names alone

    def judge(self) -> None:
        """What is not as promised."""
        warm = max(1, int(len(self.memory) * WARM))
        before, after = max(self.memory[:warm]), max(self.memory[warm:] or self.memory)
        if after > before * MORE_MEMORY:
            self.wrong.append(f"memory grew from {before / 1e6:.0f} to {after / 1e6:.0f} MB")
        if max(self.files[warm:] or self.files) > max(self.files[:warm]) + MORE_FILES:
            self.wrong.append(f"open files grew from {max(self.files[:warm])} to {max(self.files)}")
        if self.read != self.ends.total():
            self.wrong.append(f"{self.read} records read, {self.ends.total()} ended: {dict(self.ends)}")


class Soak:
    """One pass after the other, with what a day's assets do."""

    def __init__(self, remote: Remote, ledger: Ledger, folder: Path) -> None:
        auth = ClientCredentials(
            f"{remote.url}/ifs/auth/realms/sandbox/protocol/openid-connect/token", "sandbox", "sandbox-secret"
        )
        surface = f"{remote.url}/ifs/main/ifsapplications/projection/v1"
        quick = {"sleep": lambda seconds: time.sleep(min(seconds, 0.05)), "timeout": 10.0}
        self.source = IfsClient(ApiClient("ifs", surface, auth=auth, classify=ifs_answers, **quick), page_size=250)
        hubspot = ApiClient(
            "hubspot", f"{remote.url}/hubspot", auth=Bearer("pat-na1-sandbox"), classify=hubspot_answers, **quick
        )
        self.target, self.ledger, self.store = HubspotClient(hubspot), ledger, RowStore(str(folder))
        self.facts, self.soaked = facts(), Soaked()

    def once(self, name: str) -> int:
        """Read, prepare, load; how many are held because no answer came."""
        run, entity = Run(name, DAY), COMPANIES.source
        pull, verdict = Pull("/".join(entity.key), DAY), Verdict(DAY)
        scope, schema = Scope(DAY, Window.day(START.date())), source_schema(entity.record)
        self.store.write(entity.key, DAY, schema, self.source.read(entity, scope, pull, self.ledger.sightings))
        if pull.stale:
            self.store.write(entity.key, DAY, schema, without(self.store.read(entity.key, DAY), pull.stale))
        self.ledger.record_pull(pull, run=run)
        rows = (records_of(batch, entity.record) for batch in self.store.read(entity.key, DAY))
        ready = pipeline.prepare(COMPANIES, rows, self.facts, self.ledger, run, verdict)
        record, key = COMPANIES.target.record, ("hubspot", "prepared")
        self.store.write(key, DAY, ready_schema(record), (ready_batch(chunk, record) for chunk in ready))
        stored = (one for batch in self.store.read(key, DAY) for one in read_ready(batch, record))
        loaded = pipeline.load(COMPANIES, stored, self.target, self.ledger, run)
        self._count(pull, verdict, loaded)
        return sum(hold.problems[0].rule == pipeline.ANSWERED for hold in self.ledger.open_holds(COMPANIES.name))

    def _count(self, pull: Pull, verdict: Verdict, loaded: pipeline.Loaded) -> None:
        soaked = self.soaked
        soaked.rounds, soaked.read = soaked.rounds + 1, soaked.read + pull.rows
        soaked.ends.update(
            delivered=loaded.delivered, unchanged=loaded.unchanged, held=verdict.held + loaded.held,
            superseded=verdict.superseded + loaded.superseded, discarded=verdict.discarded + loaded.discarded,
        )  # fmt: skip
        if pull.rows != ROWS:
            soaked.wrong.append(f"round {soaked.rounds}: {pull.rows} of {ROWS} rows read")
        soaked.measure()


def soak(seconds: float, records: int, database: str, folder: Path, seed: int = 28) -> Soaked:
    """Until both the time and the number of records are reached; then once more without faults."""
    chance, begun = random.Random(seed), time.monotonic()
    with patch.object(ledger_database, "CACHE_KIB", SMALL_CACHE), Remote() as remote, Ledger.open(database) as ledger:
        ours, number = Soak(remote, ledger, folder), 0
        while time.monotonic() - begun < seconds or ours.soaked.read < records:
            if chance.random() < 0.8:  # else the same again: unchanged
                number += 1
                remote.tell(round=number)
            remote.tell(faults=chance.random() < 0.9)
            ours.once(f"soak {ours.soaked.rounds}")
        remote.tell(faults=False)
        unanswered = ours.once("the last")
        ours.soaked.judge()
        ours.soaked.wrong += _compare(remote.tell(state=True)["companies"], number)
        if unanswered:
            ours.soaked.wrong.append(f"{unanswered} records have no answer after a load without faults")
        return ours.soaked


def _compare(companies: list[list[str]], round_: int) -> list[str]:
    """The target has what the ERP has: each once, as of the last round; those without a name never came."""
    expected = Counter((f"SUPPLIER/S{n}", _row(n, round_)["Name"]) for n in range(ROWS) if n % BAD_EACH)
    found = Counter((key, name) for key, name in companies)
    missing, doubled = expected - found, found - expected
    return [f"{len(missing)} companies missing or old, {len(doubled)} doubled or wrong"] if missing or doubled else []


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--seconds", type=float, default=3600)
    words.add_argument("--records", type=int, default=1_000_000)
    words.add_argument("--database", help="the ledger's address; left out: SQLite in a folder that is removed again")
    words.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = words.parse_args()
    if asked.serve:
        serve()
        return 0
    logging.disable(logging.WARNING)  # each fault is told
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        database = asked.database or f"sqlite:///{folder}/ledger.db"
        soaked = soak(asked.seconds, asked.records, database, Path(folder))
    ends = ", ".join(f"{count:,} {name}" for name, count in soaked.ends.items())
    print(f"{soaked.rounds} rounds, {soaked.read:,} records: {ends}")
    print(f"memory {soaked.memory[0] / 1e6:.0f} to {soaked.memory[-1] / 1e6:.0f} MB, open files {soaked.files[-1]}")
    print("\n".join(soaked.wrong) or "all as promised")
    return 1 if soaked.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
