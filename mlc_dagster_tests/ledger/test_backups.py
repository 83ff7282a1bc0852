"""Backups of either database, restored into either: every row; refused where damaged, or where something was lost."""

from __future__ import annotations

import random
import stat
import threading
import uuid
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Table, func, select

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.outcomes import State
from mlc_dagster.core.vocabulary import Pull
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.tables import TABLES, budgets, leases, pauses
from mlc_dagster.ledger.upkeep.backups import BackupRefused
from mlc_dagster.ledger.upkeep.restoring import RestoreRefused, restore
from mlc_dagster_tests.ledger.samples import FLOW, RUN, deliver, held, ready
from mlc_dagster_tests.promises.seeds import seeds

KEY = Fernet.generate_key().decode()
AT_ONCE_ANEW = {leases.name, budgets.name, pauses.name}
"""Tables that are not put back as they were."""


def fill(ledger: Ledger) -> None:
    """Something in every table, with texts that a careless copy would break."""
    odd = ready('0010/Å "quoted", \\N \\x00,\n;emoji 🦊')
    deliver(ledger, ready("P1"), odd, remote_id='a,"b"\\n')
    ledger.begin(FLOW, [(ready("P2"), "c-7")], run=RUN)
    ledger.hold(FLOW, [held("P3")], run=RUN)
    ledger.record_pull(Pull("ifs/x", "2026-11-05", rows=3, ended_at=datetime(2026, 11, 5, 9, tzinfo=UTC)), run=RUN)
    ledger.sightings.place("ifs/x", [("k", 'W/"1"')], date(2026, 11, 5))
    ledger.vault(KEY).set("AIRBASE_TOKEN", "s3cr3t-marked")
    ledger.inbox.store("airbase", "evt_1", "approved", "pr_1", '{"name": "Å"}')
    ledger.pauses.pause("cin7", "ann", "month end")
    ledger.loads.ended(FLOW, "2026-11-05", "run-1")
    ledger.stored.placed(ledger.stored.begin("ifs/x", "2026-11-05", digest="d" * 64, size=10, rows=3))
    ledger.budget("cin7", 5, 60.0).take()
    with ledger.lease("load cin7/purchases", "run-1"):
        pass


def everything(ledger: Ledger) -> dict[str, list[tuple[Any, ...]]]:
    def rows(table: Table) -> list[tuple[Any, ...]]:
        with ledger._database.reading() as connection:
            return sorted((tuple(row) for row in connection.execute(select(table))), key=repr)

    return {name: rows(table) for name, table in TABLES.tables.items() if name not in AT_ONCE_ANEW}


@pytest.fixture
def filled(ledger_url: str) -> Iterator[Ledger]:
    with Ledger.open(ledger_url) as ledger:
        fill(ledger)
        yield ledger


@pytest.fixture(params=["sqlite", "postgresql"])
def other_url(request: pytest.FixtureRequest, tmp_path: Path, postgres_server: str) -> Iterator[str]:
    """Where nothing is yet, on either database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'elsewhere' / 'ledger.db'}"
        return
    from mlc_dagster_tests.conftest import execute

    name = f"other_{uuid.uuid4().hex}"  # the server is shared by the workers of a test run
    execute(postgres_server, f"CREATE DATABASE {name}")
    yield postgres_server.replace("/postgres?", f"/{name}?")
    execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def test_each_row_comes_back_on_either_database(filled: Ledger, other_url: str, tmp_path: Path) -> None:
    file = tmp_path / "ledger.zip"
    manifest = filled.keeping.backup(file)
    assert manifest.rows["deliveries"] == 3 and manifest.rows["secrets"] == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"s3cr3t-marked" not in file.read_bytes()

    done = restore(file, other_url)

    assert done.given_up == (0, 0, 0) and done.lifted == ["cin7"]
    with Ledger.open(other_url) as back:
        assert everything(back) == everything(filled)
        assert list(back.history.verify()) == []
        assert [look.faults for look in back.keeping.looks()] == [()] * (3 if "sqlite" in other_url else 2)
        assert back.vault(KEY).get("AIRBASE_TOKEN") == "s3cr3t-marked"
        states = back.judge(FLOW, [ready("P1"), ready("P2"), ready("P9")])
        assert [each.state for each in states.values()] == [State.UNCHANGED, State.IN_DOUBT, State.NEW]
        deliver(back, ready("P9"))
        back.hold(FLOW, [held("P10")], run=RUN)
        with pytest.raises(Exception, match="never changed"), back._database.writing() as connection:
            connection.exec_driver_sql("UPDATE attempts SET detail = 'x'")


def test_what_was_alive_then_is_not_now(filled: Ledger, other_url: str, tmp_path: Path) -> None:
    with filled.lease("load cin7/purchases", "run-2") as before:
        filled.keeping.backup(tmp_path / "ledger.zip")
    restore(tmp_path / "ledger.zip", other_url)
    with Ledger.open(other_url) as back:
        assert back.pauses.standing() == {}
        (lifted,) = back.pauses.history("cin7")
        assert (lifted.lifted_by, lifted.lifted_because) == ("mlc ledger restore", "it stood when the backup was taken")
        with back._database.reading() as connection:
            assert connection.execute(select(func.count()).select_from(budgets)).scalar() == 0
        with back.lease("load cin7/purchases", "run-3") as lease:
            assert lease.token > before.token + 1000, "a writer of before is late, however often others wrote since"
            assert lease.taken_from == "run-2" and not lease.is_settled, "what it has under way is waited for"


def test_a_ledger_that_knows_more_is_not_given_up_unless_a_person_says_the_number(
    filled: Ledger, ledger_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "ledger.zip"
    filled.keeping.backup(file)
    assert restore(file, ledger_url).given_up.records == 0, "nothing moved since"
    filled.pauses.lift("cin7", "ann")
    filled.pauses.pause("hubspot", "ann", "later")
    deliver(filled, ready("P1", day=6, content="b"), ready("P4"))
    filled.hold(FLOW, [held("P5")], run=RUN)
    before = everything(filled)
    for number in (None, 2, 4):
        with pytest.raises(RestoreRefused) as refused:
            restore(file, ledger_url, number)
        assert "3 record(s) moved since (2 delivered, 0 decided by a person)" in refused.value.message
        assert refused.value.cure and f"mlc ledger restore {file} --giving-up 3." in refused.value.cure
        assert everything(filled) == before
    done = restore(file, ledger_url, 3)
    assert done.given_up == (3, 2, 0)
    assert set(filled.pauses.standing()) == {"hubspot"}, "what a person paused since stays so"
    assert filled.judge(FLOW, [ready("P4")])["P4"].state is State.NEW
    assert list(filled.history.verify()) == []


def test_another_ledger_is_other_even_where_it_has_as_many_lines(
    filled: Ledger, other_url: str, tmp_path: Path
) -> None:
    filled.keeping.backup(tmp_path / "ledger.zip")
    with Ledger.open(other_url) as other:
        for number in range(1, 4):
            deliver(other, ready(f"X{number}"))
    with pytest.raises(RestoreRefused, match=r"3 record\(s\) moved since \(3 delivered"):
        restore(tmp_path / "ledger.zip", other_url)


def test_nobody_writes_while_it_is_restored(filled: Ledger, ledger_url: str, tmp_path: Path) -> None:
    filled.keeping.backup(tmp_path / "ledger.zip")
    with filled.lease("load cin7/bills", "run-9"):
        with pytest.raises(RestoreRefused, match="run-9 has load cin7/bills") as refused:
            restore(tmp_path / "ledger.zip", ledger_url)
        assert refused.value.cure == "Stop Dagster, and wait until its runs have ended. Nothing was changed."


@pytest.mark.parametrize("seed", seeds())
def test_a_damaged_backup_is_refused(seed: int, sqlite_ledger: Ledger, sqlite_url: str, tmp_path: Path) -> None:
    fill(sqlite_ledger)
    file, chance = tmp_path / "ledger.zip", random.Random(seed)
    sqlite_ledger.keeping.backup(file)
    whole, before = file.read_bytes(), everything(sqlite_ledger)
    for turn in range(40):
        place = chance.randrange(len(whole))
        flipped = whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :]
        file.write_bytes(flipped if turn % 4 else whole[:place])
        try:
            restore(file, sqlite_url)
        except BackupRefused as error:
            assert str(file) in error.message
        assert everything(sqlite_ledger) == before, f"bit at {place} of {len(whole)}"


def test_what_is_no_backup_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="there is no file"):
        restore(tmp_path / "none.zip", sqlite_url)
    (tmp_path / "text.zip").write_text("no backup")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as packed:
        packed.writestr("a", "b")
    for name in ("text.zip", "other.zip"):
        with pytest.raises(BackupRefused, match="is no whole backup of a ledger"):
            restore(tmp_path / name, sqlite_url)
    assert not Path(sqlite_url.removeprefix("sqlite:///")).exists(), "nothing was made"


def test_a_backup_goes_over_no_file_and_leaves_none_of_its_own(filled: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    file = folder / "ledger.zip"
    file.write_text("something else")
    with pytest.raises(BackupRefused, match="is there already"):
        filled.keeping.backup(file)
    with pytest.raises(BackupRefused, match="there is no folder"):
        filled.keeping.backup(folder / "none" / "ledger.zip")
    filled.keeping.backup(folder / "second.zip")
    assert sorted(path.name for path in folder.iterdir()) == ["ledger.zip", "second.zip"]


def test_a_backup_is_of_one_moment_while_runs_go_on(ledger: Ledger, sqlite_url: str, tmp_path: Path) -> None:
    """Each delivery is two lines and a row, in two transactions: no backup has one without the other."""
    over = threading.Event()

    def runs() -> None:
        number = 0
        while not over.is_set():
            number += 1
            deliver(ledger, ready(f"P{number}"))

    thread = threading.Thread(target=runs)
    thread.start()
    try:
        for turn in range(5):
            ledger.keeping.backup(tmp_path / f"{turn}.zip")
    finally:
        over.set()
        thread.join()
    for turn in range(5):
        url = f"sqlite:///{tmp_path / str(turn) / 'ledger.db'}"
        restore(tmp_path / f"{turn}.zip", url)
        with Ledger.open(url) as back:
            assert list(back.history.verify()) == []
            events = [line.event.value for key in back.remote_ids(FLOW) for line in back.trail(FLOW, key)]
            assert events.count("created") == len(back.remote_ids(FLOW))


def test_a_damaged_ledger_is_to_be_moved_away_first(sqlite_ledger: Ledger, tmp_path: Path) -> None:
    sqlite_ledger.keeping.backup(tmp_path / "ledger.zip")
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"SQLite format 3\x00" + b"x" * 5000)
    with pytest.raises(Misconfigured, match=r"damaged\.db") as refused:
        restore(tmp_path / "ledger.zip", f"sqlite:///{damaged}")
    assert refused.value.cure and refused.value.cure.startswith("Is it damaged? Move it away")
    damaged.unlink()
    restore(tmp_path / "ledger.zip", f"sqlite:///{damaged}")
