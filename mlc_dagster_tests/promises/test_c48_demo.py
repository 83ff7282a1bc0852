"""C48: `mlc demo` in a folder with real settings, ledger and rows touches nothing that it did not make."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

import mlc_dagster
from mlc_dagster.demo.folder import MARK
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster_tests.ledger.samples import FLOW, deliver, ready

ROOT = Path(mlc_dagster.__file__).parents[1]
DEMO = ".mlc-demo"
REAL = {  # as a shell that works with the real systems has them
    "MLC_CONFIG": "mlc.yaml",
    "MLC_DATABASE_URL": "sqlite:///.mlc/ledger.db",
    "MLC_STORAGE": ".mlc/storage",
    "MLC_MASTER_KEY": "cmVhbCByZWFsIHJlYWwgcmVhbCByZWFsIHJlYWwgcmU=",
    "IFS_CLIENT_ID": "real-ifs-id",
    "IFS_CLIENT_SECRET": "real-ifs-secret",
    "CIN7_APPLICATION_KEYS": "real-cin7-key",
    "HUBSPOT_TOKEN": "real-hubspot-token",
}


class Outside:
    """What stands for the rest of the world: a proxy that counts who calls."""

    def __init__(self) -> None:
        self.callers = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._count, daemon=True).start()

    @property
    def settings(self) -> dict[str, str]:
        address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        return dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"), address)

    def _count(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.callers += 1
                connection.close()

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def outside() -> Iterator[Outside]:
    world = Outside()
    yield world
    world.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A company's folder: its settings, a ledger with deliveries, its rows, its Dagster instance."""
    shutil.copy(ROOT / "mlc.example.yaml", tmp_path / "mlc.yaml")
    shutil.copy(ROOT / ".env.example", tmp_path / ".env")
    shutil.copy(ROOT / "workspace.yaml", tmp_path / "workspace.yaml")
    home, dagster = tmp_path / ".mlc" / "home", tmp_path / "dagster.yaml"
    home.mkdir(parents=True)
    (home / "runs.db").write_bytes(b"real runs")
    dagster.write_text(f"storage: {{sqlite: {{base_dir: {home}}}}}\n" + (ROOT / "dagster.yaml").read_text())
    with Ledger.open(f"sqlite:///{tmp_path / '.mlc' / 'ledger.db'}") as ledger:
        for number in range(20):
            deliver(ledger, ready(f"0010/P{number}"), remote_id=f"c-{number}")
    rows = pa.record_batch({"order_no": [f"P{number}" for number in range(20)]})
    RowStore(str(tmp_path / ".mlc" / "storage")).write(("ifs", "purchase_order_set"), "2026-11-05", rows.schema, [rows])
    return tmp_path


def mlc(folder: Path, *words: str, **also: str) -> tuple[int, str]:
    """Exit code, and all that was printed, in one line."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("MLC_", "DAGSTER_"))}
    known |= {**REAL, "PYTHONPATH": str(ROOT), "COLUMNS": "500", "DAGSTER_HOME": str(folder / ".mlc" / "home"), **also}
    done = subprocess.run(
        [sys.executable, "-m", "mlc_dagster", *words],
        cwd=folder,
        env={name: value for name, value in known.items() if value},
        capture_output=True,
        text=True,
        timeout=900,
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def everything(folder: Path, but: str = DEMO) -> dict[str, str]:
    """Path -> a hash of what is there, for all that is not below `but`."""
    paths = [path for path in folder.rglob("*") if path.relative_to(folder).parts[0] != but]
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(paths)
    }


@pytest.mark.promise(
    "C48", "two demos of a day where all is real, and .env, shell and proxies name it: hashes", times=2
)
def test_c48_a_demo_beside_real_things_leaves_each_of_them_as_it_was(folder: Path, outside: Outside) -> None:
    before = everything(folder)
    code, said = mlc(folder, "demo", "--days", "1", **outside.settings)
    assert code == 0, said
    assert "each system holds what the ledger says" in said and "mlc ui --demo" in said
    assert everything(folder) == before
    first = (folder / DEMO / "ledger.db").stat().st_ino
    (folder / DEMO / "storage" / "own.txt").write_text("put here by a person")

    code, said = mlc(folder, "demo", "--days", "1", **outside.settings)
    assert code == 0, said
    assert "replaces the demo of 20" in said and f"UTC in {DEMO}" in said
    assert f"not the demo's, left as it is: {DEMO}/storage/own.txt" in said
    assert (folder / DEMO / "ledger.db").stat().st_ino != first, "it began anew"
    assert (folder / DEMO / "storage" / "own.txt").read_text() == "put here by a person"
    assert everything(folder) == before
    assert outside.callers == 0, "something called a system that is not the sandbox"
    with Ledger.open(f"sqlite:///{folder / '.mlc' / 'ledger.db'}") as ledger:
        assert ledger.remote_ids(FLOW) == {f"0010/P{number}": f"c-{number}" for number in range(20)}


@pytest.mark.promise("C48", "--folder leads to the real one: itself, a link, with a copied mark; another's file")
@pytest.mark.parametrize("way", ["itself", "link", "copied mark", "marked folder with linked rows", "file"])
def test_c48_a_folder_that_may_be_real_is_refused(folder: Path, way: str) -> None:
    where = {"link": "link", "marked folder with linked rows": DEMO, "file": "mlc.yaml"}.get(way, ".mlc")
    mark = f'{{"made_by": "mlc demo", "at": "2026-11-28T14:02:00+00:00", "process": 1, "folder": "{folder / DEMO}"}}'
    if way == "link":
        (folder / "link").symlink_to(".mlc")
    elif way == "copied mark":
        (folder / ".mlc" / MARK).write_text(mark)
    elif way == "marked folder with linked rows":
        (folder / DEMO).mkdir()
        (folder / DEMO / MARK).write_text(mark)
        (folder / DEMO / "storage").symlink_to(folder / ".mlc" / "storage")
    before = everything(folder, but="")
    code, said = mlc(folder, "demo", "--days", "1", "--folder", where)
    assert code == 2 and said.startswith("Misconfigured") and "Nothing was touched." in said, said
    assert where in said
    assert everything(folder, but="") == before


def test_c48_the_demo_is_looked_at_where_no_mlc_yaml_is_and_its_ledger_alone(folder: Path) -> None:
    """Commands that tell of records stand in for the demo only where it has its mark."""
    for name in ("mlc.yaml", ".env"):
        (folder / name).unlink()
    shutil.copytree(folder / ".mlc", folder / DEMO)
    (folder / DEMO / "mlc.yaml").write_text("")
    before = everything(folder, but="")
    code, said = mlc(folder, "ui")
    assert code == 2 and "MLC_CONFIG names mlc.yaml, and there is no such file" in said, "what is named must be there"
    code, said = mlc(folder, "ui", MLC_CONFIG="")
    assert code == 2 and "there is neither an mlc.yaml nor a demo here" in said
    assert everything(folder, but="") == before
