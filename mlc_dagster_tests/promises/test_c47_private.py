"""C47: other users of the machine read nothing of our state, whatever the umask, and what an earlier release left."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.demo.folder import absolute, replaced
from mlc_dagster.demo.place import Place
from mlc_dagster.ledger import Ledger
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.sandbox.seed.start import demo_settings
from mlc_dagster.sandbox.state import save
from mlc_dagster.settings import file_modes as private
from mlc_dagster_tests.ledger.samples import deliver, ready
from mlc_dagster_tests.promises.shell import mlc
from mlc_dagster_tests.promises.victims import Victims

UMASKS = (0o000, 0o022, 0o077)
SCHEMA = pa.schema([("order_no", pa.string())])


@contextmanager
def masked(umask: int) -> Iterator[None]:
    before = os.umask(umask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


def modes(folder: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"folders": set(), "files": set()}
    for path in (folder, *folder.rglob("*")):
        found["folders" if path.is_dir() else "files"].add(mode(path))
    return found


def state_of_everything(folder: Path) -> None:
    """A ledger that is open while it is written, stored rows, a sandbox's memory."""
    with Ledger.open(f"sqlite:///{folder / 'deep' / 'ledger.db'}") as ledger:
        deliver(ledger, ready("P1"))
        assert (folder / "deep" / "ledger.db-wal").exists() and (folder / "deep" / "ledger.db-shm").exists()
        batch = pa.RecordBatch.from_pydict({"order_no": ["P1"]}, schema=SCHEMA)
        RowStore(str(folder / "storage")).write(("ifs", "orders"), "2026-11-05", SCHEMA, [batch])
        save(folder / "sandbox" / "state", date(2026, 11, 5), (), {})
        private.write_text(folder / "plan.json", "{}")
        assert modes(folder) == WANTED[os.environ.get(private.SETTING, "0600")]


WANTED = {
    "0600": {"folders": {"0700"}, "files": {"0600"}},
    "0640": {"folders": {"0750"}, "files": {"0640"}},
    "0660": {"folders": {"0770"}, "files": {"0660"}},
}


@pytest.mark.promise("C47", "ledger with -wal and -shm, rows, sandbox, plan: by umask and state mode", times=9)
@pytest.mark.parametrize("umask", UMASKS)
@pytest.mark.parametrize("setting", WANTED)
def test_c47_state_is_as_private_as_the_setting_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, umask: int, setting: str
) -> None:
    monkeypatch.setenv(private.SETTING, setting)
    with masked(umask):
        state_of_everything(tmp_path / "made" / "by us")
    assert modes(tmp_path / "made") == WANTED[setting]


@pytest.mark.promise("C47", "a demo's folder: settings, Dagster's home, log", times=3)
@pytest.mark.parametrize("umask", UMASKS)
def test_c47_a_demo_is_its_owners_alone(tmp_path: Path, umask: int) -> None:
    folder = tmp_path / "demo"
    with masked(umask), replaced(folder, {}):
        Place(absolute(folder)).lay_out(1, "telemetry: {enabled: false}\n").close()
    assert {mode(folder), mode(folder / "home")} == {"0700"}


@pytest.mark.promise("C47", "what an earlier release left open: ledger, -wal, -shm, rows", times=4)
def test_c47_what_an_earlier_release_left_open_is_closed_when_it_is_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with masked(0o022), Ledger.open(url) as ledger:
        deliver(ledger, ready("P1"))
        for beside in ("", "-wal", "-shm"):
            Path(f"{tmp_path}/ledger.db{beside}").chmod(0o644)
        tmp_path.chmod(0o755)
        with Ledger.open(url) as again:
            deliver(again, ready("P2"))
            assert {mode(Path(f"{tmp_path}/ledger.db{beside}")) for beside in ("", "-wal", "-shm")} == {"0600"}
    assert "ledger.db was open to other users (0644)" in caplog.text
    assert mode(tmp_path) == "0755", "a folder that was there before may hold more than our state"


@pytest.fixture
def check(victims: Victims, tmp_path: Path) -> Callable[..., Any]:
    """`mlc check` in a folder that everybody may enter."""
    here = tmp_path / "here"
    here.mkdir()
    (here / "mlc.yaml").write_text(yaml.safe_dump(demo_settings("http://127.0.0.1:9")))
    for each in (here, *list(here.parents)[:-2]):
        each.chmod(0o755)

    def run(**environment: str) -> Any:
        end = victims.start(mlc, str(here), environment, "check").wait()
        assert end.code == 0, end.said
        return end.value

    return run


@pytest.mark.promise("C47", "`mlc check` beside open and closed state", times=4)
def test_c47_check_names_what_is_open_and_the_command_that_closes_it(check: Any, tmp_path: Path) -> None:
    here = tmp_path / "here"
    with masked(0o022), Ledger.open(f"sqlite:///{here / '.mlc' / 'ledger.db'}"):
        pass
    (here / ".env").write_text("IFS_CLIENT_SECRET=x\n")
    (here / ".env").chmod(0o600)
    assert "open" not in check()["err"]
    (here / ".env").chmod(0o644)
    (here / ".mlc" / "my rows").mkdir(mode=0o755)
    assert "my rows" not in check(MLC_STORAGE=".mlc/my rows")["err"], "nobody gets into .mlc"
    (here / ".mlc").chmod(0o755)
    said = check(MLC_STORAGE=".mlc/my rows")
    assert said["code"] == 0
    assert "other users of this machine may read .env (0644), .mlc/my rows (0755)\n" in said["err"]
    assert "Close it: chmod -R go-rwx .env '.mlc/my rows'." in said["err"] and "MLC_STATE_MODE=0640" in said["err"]


@pytest.mark.parametrize("said", ["0644", "0666", "0777", "0400", "x", "-0600", "0o600", "640 "])
def test_a_mode_that_lets_everybody_in_is_refused(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv(private.SETTING, said)
    if said.strip() == "640":
        assert private.file_mode() == 0o640
        return
    with pytest.raises(Misconfigured, match="expected 0600, 0640, 0660"):
        private.file_mode()
