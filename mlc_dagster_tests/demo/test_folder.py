"""The demo's folder: what has its mark is replaced, what has none is left byte for byte as it is."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
import yaml

from mlc_dagster.core.errors import Misconfigured, MlcError
from mlc_dagster.core.loopback import listening_socket
from mlc_dagster.demo.folder import MARK, is_demo, kept, replaced, strangers
from mlc_dagster.demo.place import SECRETS, Place, real_places
from mlc_dagster.ledger.vault import MASTER_KEY

DEMO = Path(".mlc-demo")
INSTANCE = Path(__file__).parents[2] / "dagster.yaml"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to start demos in, with a real ledger, real rows and an environment that tests may change."""
    for name in [name for name in os.environ if name.startswith(("MLC_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    real = tmp_path / ".mlc" / "storage" / "ifs" / "purchase_order_set"
    real.mkdir(parents=True)
    (real / "2026-11-05.parquet").write_bytes(b"real rows")
    (tmp_path / ".mlc" / "ledger.db").write_bytes(b"real ledger")
    return tmp_path


def lay_out(demo: Path = DEMO) -> None:
    with replaced(demo, {}):
        _lay_out(demo)


def _lay_out(demo: Path) -> None:
    """Each kind of thing that a demo and its UI leave behind."""
    for path in (
        *("mlc.yaml", "ledger.db", "ledger.db-wal", "sandbox.state", "sandbox.log", "home/dagster.yaml"),
        *("storage/ifs/purchase_order_set/2026-11-05.parquet", "storage/ifs/supplier_set/.2026-11-05.parquet.0a1b"),
        *("home/history/runs.db", "home/history/runs/index.db", "home/history/runs/0a1b.db-journal"),
        *("home/schedules/schedules.db", "home/storage/0a1b/compute_logs/abc.out", "home/.telemetry/id.yaml"),
    ):
        (demo / path).parent.mkdir(parents=True, exist_ok=True)
        (demo / path).write_text("of the demo")


def everything(folder: Path) -> dict[str, str]:
    """Path -> what is there, links by where they lead."""
    return {
        str(path.relative_to(folder)): f"-> {path.readlink()}"
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


def test_a_new_folder_is_marked_with_who_made_it_and_when(folder: Path) -> None:
    with replaced(DEMO, {}) as before:
        mark = json.loads((DEMO / MARK).read_text())
        assert before is None and is_demo(DEMO)
    assert (mark["made_by"], mark["folder"], mark["process"]) == ("mlc demo", str(folder / DEMO), os.getpid())
    assert mark["at"].endswith("+00:00")


def test_a_second_demo_knows_when_the_first_was_made_and_removes_all_of_it(folder: Path) -> None:
    lay_out()
    at = json.loads((DEMO / MARK).read_text())["at"]
    assert strangers(DEMO) == []
    with replaced(DEMO, {}) as before:
        assert before is not None and before.at.isoformat() == at
        assert before.words == f"{at[:10]} {at[11:16]} UTC"
        assert [path.name for path in DEMO.iterdir()] == [MARK]


def test_what_a_person_put_into_the_demo_stays_and_is_named(folder: Path) -> None:
    lay_out()
    own = ["notes.txt", "storage/export.csv", "storage/mine.parquet", "home/history/notes.txt", "extra/ledger.db"]
    for path in own:
        (DEMO / path).parent.mkdir(parents=True, exist_ok=True)
        (DEMO / path).write_text("my own")
    (DEMO / "link").symlink_to(folder / ".mlc")
    with replaced(DEMO, {}):
        assert strangers(DEMO) == sorted([*own, "link"])
        assert all((DEMO / path).read_text() == "my own" for path in own)
    assert (DEMO / "link" / "ledger.db").read_bytes() == b"real ledger"


def nothing(folder: Path) -> Path:
    return Path(".mlc")


def a_link_to_the_real_one(folder: Path) -> Path:
    Path("link").symlink_to(".mlc")
    return Path("link")


def a_link_to_a_demo(folder: Path) -> Path:
    lay_out()
    Path("link").symlink_to(DEMO)
    return Path("link")


def a_copied_mark(folder: Path) -> Path:
    lay_out()
    shutil.copy(DEMO / MARK, Path(".mlc") / MARK)
    return Path(".mlc")


def a_linked_mark(folder: Path) -> Path:
    lay_out()
    (Path(".mlc") / MARK).symlink_to(folder / DEMO / MARK)
    return Path(".mlc")


def another_programs_mark(folder: Path) -> Path:
    (Path(".mlc") / MARK).write_text('{"made_by": "me"}')
    return Path(".mlc")


def a_file(folder: Path) -> Path:
    Path("file").write_text("mine")
    return Path("file")


def rows_linked_into_a_demo(folder: Path) -> Path:
    lay_out()
    shutil.rmtree(DEMO / "storage")
    (DEMO / "storage").symlink_to(folder / ".mlc" / "storage")
    return DEMO


def one_partition_linked_into_a_demo(folder: Path) -> Path:
    lay_out()
    (DEMO / "storage" / "ifs" / "orders").symlink_to(folder / ".mlc" / "storage" / "ifs" / "purchase_order_set")
    return DEMO


def a_ledger_linked_into_a_demo(folder: Path) -> Path:
    lay_out()
    (DEMO / "ledger.db").unlink()
    (DEMO / "ledger.db").symlink_to(folder / ".mlc" / "ledger.db")
    return DEMO


def a_dot_env_in_a_demo(folder: Path) -> Path:
    lay_out()
    (DEMO / ".env").write_text("MLC_DATABASE_URL=sqlite:///../.mlc/ledger.db")
    return DEMO


REFUSED = [
    (nothing, ".mlc holds ledger.db, storage, and no mark of a demo: it may be real"),
    (a_link_to_the_real_one, "link is a symbolic link to .mlc; no demo makes one"),
    (a_link_to_a_demo, "link is a symbolic link to .mlc-demo; no demo makes one"),
    (a_copied_mark, "is the mark of the demo in {folder}/.mlc-demo: the folder is a copy, or was moved"),
    (a_linked_mark, "and no mark of a demo: it may be real"),
    (another_programs_mark, f".mlc/{MARK} is not the mark of a demo: 'folder'"),
    (a_file, "file is a file, and the demo needs a folder of its own"),
    (rows_linked_into_a_demo, ".mlc-demo/storage is a symbolic link to {folder}/.mlc/storage; no demo makes such"),
    (one_partition_linked_into_a_demo, ".mlc-demo/storage/ifs/orders is a symbolic link to {folder}/.mlc/storage"),
    (a_ledger_linked_into_a_demo, ".mlc-demo/ledger.db is a symbolic link to {folder}/.mlc/ledger.db"),
    (a_dot_env_in_a_demo, ".mlc-demo/.env is there: its settings would be taken for the demo's"),
]


@pytest.mark.parametrize("made, said", REFUSED, ids=[made.__name__ for made, _ in REFUSED])
def test_what_may_be_real_is_refused_and_not_touched(folder: Path, made: Callable[[Path], Path], said: str) -> None:
    where = made(folder)
    before = everything(folder)
    with pytest.raises(Misconfigured) as refused, replaced(where, {}):
        pass
    assert said.format(folder=folder) in refused.value.message
    assert "Nothing was touched" in str(refused.value.cure) and "mlc demo --folder NAME" in str(refused.value.cure)
    assert everything(folder) == before


@pytest.mark.parametrize(
    "setting, value",
    [
        ("MLC_DATABASE_URL", "sqlite:///.mlc-demo/ledger.db"),
        ("MLC_STORAGE", ".mlc-demo/storage"),
        ("MLC_CONFIG", ".mlc-demo/mine.yaml"),
        ("DAGSTER_HOME", "{folder}/.mlc-demo/home"),
    ],
)
@pytest.mark.parametrize("said_by", ["env", "shell"])
def test_a_real_setting_that_names_the_demos_folder_stops_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, said_by: str
) -> None:
    lay_out()
    if setting == "MLC_CONFIG":
        Path(value).write_text("")  # what is named must be there
    monkeypatch.setenv(setting, value.format(folder=folder))  # so that what .env puts there is taken away again
    if said_by == "env":
        monkeypatch.delenv(setting)
        Path(".env").write_text(f"{setting}={value.format(folder=folder)}\n")
    before = everything(folder)
    with pytest.raises(Misconfigured, match=f"{setting} is .*which lies in .mlc-demo"), replaced(DEMO, real_places()):
        pass
    assert everything(folder) == before


def test_where_nothing_is_there_yet_the_place_of_the_real_ledger_is_refused_all_the_same(folder: Path) -> None:
    shutil.rmtree(".mlc")
    with pytest.raises(Misconfigured, match=r"which lies in \.mlc:"), replaced(Path(".mlc"), real_places()):
        pass
    assert not Path(".mlc").exists()


def test_two_at_once_in_one_folder_are_one_too_many(folder: Path) -> None:
    with replaced(DEMO, {}):
        _lay_out(DEMO)
        before = everything(folder)
        for second in (replaced(DEMO, {}), kept(DEMO)):
            with pytest.raises(Misconfigured, match=r"a demo, or the UI of one, is at work in \.mlc-demo"), second:
                pass
        assert everything(folder) == before
    with kept(DEMO), pytest.raises(Misconfigured, match="is at work"), replaced(DEMO, {}):
        pass


def test_a_folder_in_which_there_is_no_demo_is_not_shown(folder: Path) -> None:
    with pytest.raises(Misconfigured, match="no mark of a demo"), kept(Path(".mlc")):
        pass
    assert not is_demo(Path(".mlc")) and not is_demo(Path("nowhere"))


def test_the_demos_dagster_keeps_all_of_its_state_in_the_demos_folder(folder: Path) -> None:
    content = yaml.safe_load(INSTANCE.read_text())
    content["storage"] = {"postgres": {"postgres_url": "postgresql://real@db.example/dagster"}}
    content["run_launcher"] = {"module": "dagster_celery.launcher", "class": "CeleryRunLauncher"}
    content["compute_logs"] = {"module": "dagster_aws.s3", "class": "S3ComputeLogManager", "config": {"bucket": "real"}}
    place = Place(folder / DEMO)
    with replaced(DEMO, {}):
        place.lay_out(7, yaml.safe_dump(content)).close()
    with dg.DagsterInstance.from_config(str(place.home)) as instance:
        assert str(place.home) in str(instance.get_ref().to_dict())
        assert "real" not in (place.home / "dagster.yaml").read_text()
        assert type(instance.run_coordinator).__name__ == "QueuedRunCoordinator"
        assert type(instance.run_launcher).__name__ == "LocalRunLauncher"


def test_a_process_that_entered_the_demo_knows_nothing_of_the_real_settings(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = {"MLC_DATABASE_URL": "postgresql://real@db.example/ledger", "IFS_CLIENT_SECRET": "real"}
    real |= {MASTER_KEY: "real", "AIRBASE_WEBHOOK_SECRET": "real", "DAGSTER_HOME": "/real", "MLC_STORAGE": "s3://real"}
    for name, value in real.items():
        monkeypatch.setenv(name, value)
    Path(".env").write_text("".join(f"{name}={value}\n" for name, value in real.items()))
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    for name in ("MLC_CONFIG", "DAGSTER_DISABLE_TELEMETRY", *SECRETS):
        monkeypatch.setenv(name, "real")
    place = Place(folder / DEMO)
    with replaced(DEMO, {}):
        place.lay_out(7, INSTANCE.read_text()).close()
    place.enter()
    found = real_places()
    assert set(found) == {"MLC_CONFIG", "MLC_STORAGE", "MLC_DATABASE_URL", "DAGSTER_HOME"}
    assert all(path.is_relative_to(folder / DEMO) for path in found.values())
    assert not [name for name, value in os.environ.items() if value in real.values()]
    assert os.environ["IFS_CLIENT_SECRET"] == SECRETS["IFS_CLIENT_SECRET"] and os.environ[MASTER_KEY] == ""


def test_two_demos_that_begin_at_once_have_a_port_each_and_hold_it(folder: Path) -> None:
    """Both are laid out before either starts its sandbox: the port that the first has chosen is taken."""
    one, other = Place(folder / "one"), Place(folder / "other")
    with one.lay_out(1, INSTANCE.read_text()) as first, other.lay_out(1, INSTANCE.read_text()) as second:
        assert one.url != other.url
        assert [place.getsockname()[1] for place in (first, second)] == [
            int(each.url.rpartition(":")[2]) for each in (one, other)
        ]
        with pytest.raises(Misconfigured, match=f"port {first.getsockname()[1]} on 127.0.0.1 cannot be used"):
            listening_socket(first.getsockname()[1])


def test_a_demo_whose_port_another_program_has_taken_since_does_not_talk_to_that(folder: Path) -> None:
    place = Place(folder / DEMO)
    with (
        place.lay_out(1, INSTANCE.read_text()),
        pytest.raises(Misconfigured, match="cannot be used"),
        place.sandbox(1),
    ):
        pass


@pytest.mark.slow
def test_the_sandbox_takes_over_the_port_that_was_held_for_it_and_says_what_people_cannot_do(folder: Path) -> None:
    place = Place(folder / DEMO)
    with place.lay_out(1, INSTANCE.read_text()) as taken, place.sandbox(1, (), taken):
        rows = place.control("GET", "ifs/PurchaseOrderSet")
        assert len(rows) > 100
        place.control("DELETE", "ifs/PurchaseOrderSet", {"OrderNo": rows[0]["OrderNo"]})
        with pytest.raises(MlcError, match=r"refuses DELETE ifs/PurchaseOrderSet: .*no such row"):
            place.control("DELETE", "ifs/PurchaseOrderSet", {"OrderNo": rows[0]["OrderNo"]})
        with pytest.raises(MlcError, match="refuses POST airbase/change"):
            place.control("POST", "airbase/change", {"kind": "ledger_entries", "id": "nobody", "status": "voided"})
        with pytest.raises(MlcError, match="refuses POST hubspot/merge"):
            place.control("POST", "hubspot/merge", {"kind": "companies", "primary": "1", "secondary": "2"})
        with pytest.raises(MlcError, match="Purchase with specified ID not found"):
            place.control("POST", "cin7/purchases", {"ID": "nobody", "Price": 1})
