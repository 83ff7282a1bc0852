"""C37: stored rows that are missing, short, another's or altered by one bit are refused, with what brings them back."""

from __future__ import annotations

import hashlib
import random
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from sqlalchemy import text

from mlc_dagster.core.arrow_columns import records_of, source_batch, source_schema
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.records.stored import Stored
from mlc_dagster.orchestration.storage import files
from mlc_dagster.orchestration.storage.refused_rows import RowsRefused
from mlc_dagster.orchestration.storage.row_store import RowStore
from mlc_dagster.systems.ifs.records import Account
from mlc_dagster_tests.promises import work
from mlc_dagster_tests.promises.seeds import seeds
from mlc_dagster_tests.promises.victims import Victims

KEY, DAY = ("ifs", "account_set"), "2026-11-05"
CURE = "Materialize ifs/account_set for 2026-11-05 again: they are read again."
FLIPS = 200  # bits of one file, one at a time


def batch(*accounts: str) -> pa.RecordBatch:
    rows = [{"company": "0010", "account": each, "description": f"Account {each}"} for each in accounts]
    return source_batch(rows, [f"e{each}" for each in accounts], [None] * len(rows), Account)


def write(store: RowStore, *accounts: str, day: str = DAY, key: tuple[str, ...] = KEY) -> None:
    store.write(key, day, source_schema(Account), [batch(*accounts)] if accounts else [])


def accounts(store: RowStore, day: str = DAY) -> list[str]:
    return [found.account for each in store.read(KEY, day) for found, _, _ in records_of(each, Account) if found]


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path, sqlite_ledger: Ledger) -> RowStore:
    root = str(tmp_path / "rows") if request.param == "local" else f"memory://{tmp_path.name}"
    return RowStore(root, sqlite_ledger.stored)


@pytest.mark.promise("C37", "single bits of a stored file flipped, 200 one by one: none goes unnoticed", times=200)
@pytest.mark.parametrize("seed", seeds())
def test_c37_a_flipped_bit_is_never_read(seed: int, store: RowStore) -> None:
    write(store, *map(str, range(1000, 3000)))
    path = store.path(KEY, DAY)
    whole, chance = path.read_bytes(), random.Random(seed)
    unnoticed = []
    for _ in range(FLIPS):
        place, bit = chance.randrange(len(whole)), chance.randrange(8)
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
        try:
            accounts(store)
            unnoticed.append((place, bit))
        except RowsRefused as error:
            assert "is not what was stored" in error.message and error.cure == CURE
    assert unnoticed == []
    path.write_bytes(whole)
    assert len(accounts(store)) == 2000


def gone(store: RowStore) -> None:
    store.path(KEY, DAY).unlink()


def cut(store: RowStore) -> None:
    path = store.path(KEY, DAY)
    path.write_bytes(path.read_bytes()[:-300])


def empty(store: RowStore) -> None:
    store.path(KEY, DAY).write_bytes(b"")


def another_day(store: RowStore) -> None:
    write(store, "1", "2", day="2026-11-04")
    store.path(KEY, DAY).write_bytes(store.path(KEY, "2026-11-04").read_bytes())


def another_flow(store: RowStore) -> None:
    other = ("ifs", "supplier_set")
    write(store, "1", "2", key=other)
    store.path(KEY, DAY).write_bytes(store.path(other, DAY).read_bytes())


def an_older_read(store: RowStore) -> None:
    older = store.path(KEY, DAY).read_bytes()
    write(store, "1", "2", "3")
    store.path(KEY, DAY).write_bytes(older)


def the_same_rows_written_by_another(store: RowStore) -> None:
    """Right Parquet, right identity, fewer rows: nothing but the ledger knows better."""
    RowStore(str(store.root)).write(KEY, DAY, source_schema(Account), [batch("1")])


WRONG: dict[Callable[[RowStore], None], str] = {
    gone: r"the ledger knows of 2 rows stored on .* UTC, and .*2026-11-05.parquet is not there",
    cut: r"is not what was stored: [\d,]+ bytes with SHA-256",
    empty: r"is not what was stored: 0 bytes",
    another_day: r"is not what was stored: .*; it holds ifs/account_set 2026-11-04; stored were",
    another_flow: r"is not what was stored: .*; it holds ifs/supplier_set 2026-11-05; stored were",
    an_older_read: r"is not what was stored: .*; stored were .* bytes with SHA-256 .*, 3 rows, on",
    the_same_rows_written_by_another: r"is not what was stored: .*; stored were .*, 2 rows, on",
}


@pytest.mark.promise("C37", "a stored file missing, short, of another day or flow, an older one: refused")
@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.__name__)
def test_c37_what_is_not_what_was_stored_is_refused(wrong: Callable[[RowStore], None], store: RowStore) -> None:
    write(store, "1", "2")
    wrong(store)
    with pytest.raises(RowsRefused, match=WRONG[wrong]) as refused:
        accounts(store)
    assert refused.value.message.startswith("ifs/account_set 2026-11-05: ") and refused.value.cure == CURE
    with pytest.raises(RowsRefused):
        store.check(KEY, DAY)
    write(store, "1", "2", "3")
    assert accounts(store) == ["1", "2", "3"], "the cure"


@pytest.mark.promise("C37", "a day that was empty when it was read stays empty and right")
def test_c37_an_empty_day_is_an_empty_day(store: RowStore) -> None:
    write(store)
    assert list(store.read(KEY, DAY, needed=True)) == []


@pytest.mark.promise("C37", "a day that was never read is none, and is told so")
def test_c37_what_was_never_stored_is_no_empty_day(store: RowStore) -> None:
    assert list(store.read(KEY, DAY)) == [], "who can do without"
    with pytest.raises(RowsRefused, match=r"nothing was ever stored at .*, which is no empty day") as refused:
        list(store.read(KEY, DAY, needed=True))
    assert refused.value.cure == CURE


@pytest.mark.promise("C37", "rows whose time was over are said to be expired, not empty and not lost")
def test_c37_what_was_removed_is_told_as_expired(store: RowStore) -> None:
    write(store, "1")
    before = store.path(KEY, DAY).read_bytes()
    store.remove(KEY, DAY)
    for _ in range(2):
        with pytest.raises(RowsRefused, match="expired: its rows had their time, and were removed on") as refused:
            accounts(store)
        assert refused.value.cure == CURE
        store.path(KEY, DAY).write_bytes(before)  # the second time: it came back from somewhere
    write(store, "2")
    assert accounts(store) == ["2"]


@pytest.mark.promise("C37", "files of a release that kept no digests: read as they are, told; refused where not whole")
def test_c37_a_file_of_an_earlier_release_is_read_and_told(
    tmp_path: Path, sqlite_ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "mlc_dagster.storage")
    write(RowStore(str(tmp_path / "rows")), "1", "2")
    store = RowStore(str(tmp_path / "rows"), sqlite_ledger.stored)
    assert accounts(store) == ["1", "2"]
    assert "is of a release that kept no digests, or of another ledger: read as it is" in caplog.text
    another = store.path(KEY, "2026-11-04")
    another.write_bytes(store.path(KEY, DAY).read_bytes())
    with pytest.raises(RowsRefused, match=r"2026-11-04.parquet holds ifs/account_set 2026-11-05"):
        accounts(store, "2026-11-04")
    cut(store)
    with pytest.raises(RowsRefused, match="is no whole file of rows"):
        accounts(store)


@pytest.mark.promise("C37", "two runs write one partition while three read it: each reads one whole write", times=60)
def test_c37_who_reads_while_others_replace_sees_one_write_and_no_false_alarm(tmp_path: Path, ledger: Ledger) -> None:
    store = RowStore(str(tmp_path / "rows"), ledger.stored)
    lengths = {}

    def writes(number: int) -> None:
        for turn in range(10):
            write(store, *[f"{number}{turn}"] * (number + 1))

    def reads(_: int) -> None:
        for _ in range(20):
            found = accounts(store)
            assert len(set(found)) == 1 and len(found) == int(found[0][0]) + 1
            lengths[len(found)] = True

    write(store, "0")
    with ThreadPoolExecutor(5) as threads:
        for done in [*map(threads.submit, [writes] * 2, (1, 2)), *map(threads.submit, [reads] * 3, range(3))]:
            done.result()
    assert lengths.keys() <= {1, 2, 3}
    assert len(accounts(store)) in {entry.rows for entry in ledger.stored.of("/".join(KEY), DAY)}
    write(store, "0")
    (entry,) = ledger.stored.of("/".join(KEY), DAY)
    assert entry.placed_at and entry.rows == 1, "what was left of writes at one time is over"


@pytest.mark.promise("C37", "kill -9 while a partition is written again and again: whole, known, and read", times=4)
@pytest.mark.parametrize("seed", seeds())
def test_c37_kill_9_in_mid_write_leaves_a_whole_file_that_is_known(
    seed: int, victims: Victims, ledger_url: str, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    with Ledger.open(ledger_url) as ledger:
        store = RowStore(str(tmp_path), ledger.stored)
        write(store, "1")
        for _ in range(2):
            child = victims.start(work.write_rows, ledger_url, str(tmp_path), "/".join(KEY), DAY)
            deadline = time.monotonic() + 20
            while "wrote" not in child.said and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(chance.random() * 0.1)
            child.kill()
            assert child.wait().was_killed
            assert sum(each.num_rows for each in store.read(KEY, DAY, needed=True)) == work.ROWS
        write(store, "2")
        assert accounts(store) == ["2"] and store.partitions(KEY) == [DAY]


@pytest.mark.promise("C37", "a write that ends before or after each of its steps: the old file or the new one, known")
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", ["begin", "put", "placed"])
def test_c37_a_write_that_ends_at_any_step_leaves_what_is_there_known(
    step: str, when: str, store: RowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store, "1")
    owner = files if step == "put" else Stored
    real = getattr(owner, step)

    def cut_off(*words: object, **named: object) -> None:
        if when == "after":
            real(*words, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(owner, step, cut_off)
        with pytest.raises(KeyboardInterrupt):
            write(store, "2")
    placed = (step, when) in {("put", "after"), ("placed", "before"), ("placed", "after")}
    assert accounts(store) == (["2"] if placed else ["1"])
    write(store, "3")
    assert accounts(store) == ["3"]


@pytest.mark.promise("C37", "the digest is that of every tool: sha256sum of the file is what the ledger has")
def test_c37_a_person_can_compare_a_file_with_the_ledger(tmp_path: Path, sqlite_ledger: Ledger) -> None:
    store = RowStore(str(tmp_path / "rows"), sqlite_ledger.stored)
    write(store, "1")
    with sqlite_ledger._database.reading() as connection:
        known = connection.execute(text("SELECT digest FROM stored")).scalar_one()
    assert known == hashlib.sha256(store.path(KEY, DAY).read_bytes()).hexdigest()
    assert re.fullmatch("[0-9a-f]{64}", known)
