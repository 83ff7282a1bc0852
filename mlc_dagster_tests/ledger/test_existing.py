"""A ledger that must be there: nothing is made where it is not, and who reads leaves it as it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.ledger import Ledger, place_of
from mlc_dagster.ledger.database import LedgerUnavailable, _existing_file
from mlc_dagster.ledger.opening import VERSION_TABLE
from mlc_dagster_tests.ledger.samples import FLOW, RUN, deliver, events, held, ready

OPENINGS = [Ledger.to_read, Ledger.existing]


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


@pytest.mark.parametrize("opened_by", OPENINGS)
def test_no_folder_and_no_file_is_made(sqlite_url, opened_by):
    with pytest.raises(Misconfigured, match=rf"there is no ledger at {file_of(sqlite_url)}: there is no folder"):
        opened_by(sqlite_url)
    assert not file_of(sqlite_url).parent.exists()


@pytest.mark.parametrize("opened_by", OPENINGS)
def test_no_table_is_made_in_a_database_without_a_ledger(postgres_url, opened_by):
    with pytest.raises(Misconfigured, match=f"has no table {VERSION_TABLE}"):
        opened_by(postgres_url)
    with pytest.raises(Misconfigured, match=f"has no table {VERSION_TABLE}"):
        opened_by(postgres_url)


def test_who_reads_sees_everything_and_can_write_nothing(ledger_url):
    with Ledger.open(ledger_url) as ledger:
        deliver(ledger, ready())
        ledger.hold(FLOW, [held("0010/P2")], run=RUN)
    with Ledger.to_read(ledger_url) as ledger:
        assert events(ledger)[-1] == "created" and [hold.key for hold in ledger.open_holds()] == ["0010/P2"]
        for write in (
            lambda: deliver(ledger, ready("0010/P3")),
            lambda: ledger.close_holds(FLOW, ["0010/P2"], "x", run=RUN),
        ):
            with pytest.raises(LedgerUnavailable, match=r"read-?only"):
                write()
    with Ledger.existing(ledger_url) as ledger:
        deliver(ledger, ready("0010/P3"))
        assert set(ledger.remote_ids(FLOW)) == {"0010/P1", "0010/P3"}


def test_a_file_that_was_read_is_as_it_was_and_nothing_lies_beside_it(sqlite_url):
    with Ledger.open(sqlite_url) as ledger:
        deliver(ledger, ready())
    path = file_of(sqlite_url)
    before = path.read_bytes()
    with Ledger.to_read(sqlite_url) as ledger:
        assert ledger.remote_ids(FLOW)
    assert path.read_bytes() == before and list(path.parent.iterdir()) == [path]


def test_who_reads_sees_what_a_writer_that_is_still_open_has_written(ledger_url):
    with Ledger.open(ledger_url) as writer, Ledger.to_read(ledger_url) as reader:
        deliver(writer, ready())
        assert reader.remote_ids(FLOW) == {"0010/P1": "c-1"}


def test_a_ledger_in_a_folder_that_nobody_may_write_to_is_read_as_it_lies(sqlite_url, monkeypatch):
    with Ledger.open(sqlite_url) as ledger:
        deliver(ledger, ready())
    path = file_of(sqlite_url)
    monkeypatch.setattr("mlc_dagster.ledger.database.os.access", lambda place, mode: False)  # root may write anywhere
    with closing(_existing_file(str(path))) as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM holds")
    with Ledger.to_read(sqlite_url) as ledger:
        assert ledger.remote_ids(FLOW) == {"0010/P1": "c-1"}
        assert list(path.parent.iterdir()) == [path]


def test_a_ledger_of_another_release_is_told_and_left_alone(ledger_url):
    with Ledger.open(ledger_url) as ledger, ledger._database.writing() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0003'"))
    with pytest.raises(Misconfigured, match=r"revision 0003, and this release reads revision.*\n.*mlc ledger migrate"):
        Ledger.to_read(ledger_url)


@pytest.mark.parametrize("opened_by", OPENINGS)
def test_a_ledger_of_a_newer_release_asks_for_that_release(ledger_url, opened_by):
    with Ledger.open(ledger_url) as ledger, ledger._database.writing() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match=r"'9999'.*\n.*newer release"):
        opened_by(ledger_url)


def test_a_place_is_told_without_user_and_password():
    assert place_of("postgresql://mlc:s3cr3t@db.test:5433/ledger") == "db.test:5433/ledger"
    assert place_of("sqlite:////var/mlc/ledger.db") == "/var/mlc/ledger.db"
