"""C29: a ledger of revision 0008, as the release before wrote it: the empty tenant's, and nothing is sent again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Date, MetaData, Table, insert, select, text

from mlc_dagster.core.outcomes import Ready, State
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.columns import Moment
from mlc_dagster.ledger.database import Database, parse
from mlc_dagster.ledger.opening import HEAD, _prepare_file, alembic_config
from mlc_dagster.ledger.tables import TABLES, deliveries
from mlc_dagster.ledger.upkeep.forecast import forecast
from mlc_dagster_tests.ledger.samples import FLOW, deliver, ready

WRITTEN = Path(__file__).parents[1] / "ledger" / "revision_0008.json"  # by that release: table -> rows


@pytest.fixture
def older_url(ledger_url: str) -> str:
    """A ledger at revision 0008, with what that release wrote into it."""
    database = Database(parse(ledger_url))
    if database.is_sqlite:
        _prepare_file(str(database.url.database))
    with database.writing() as connection:
        command.upgrade(alembic_config(connection), "0008")
    rows: dict[str, list[dict[str, Any]]] = json.loads(WRITTEN.read_text(encoding="utf-8"))
    with database.writing() as connection:
        for name, written in rows.items():
            table = _table_of_0008(name, written)
            connection.execute(insert(table), [_typed(table, row) for row in written])
            if not database.is_sqlite and "id" in table.c:
                connection.execute(text(f"SELECT setval('{name}_id_seq', max(id)) FROM {name}"))
    database.close()
    return ledger_url


def _table_of_0008(name: str, rows: list[dict[str, Any]]) -> Table:
    """The columns that the table had; none of them has changed its type since."""
    now = TABLES.tables[name]
    return Table(name, MetaData(), *(column._copy() for column in now.columns if column.name in rows[0]))


def _typed(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    times = {column.name for column in table.columns if isinstance(column.type, Moment)}
    days = {column.name for column in table.columns if isinstance(column.type, Date)}
    typed = {name: datetime.fromisoformat(value) if value and name in times else value for name, value in row.items()}
    return {
        name: datetime.fromisoformat(value).date() if value and name in days else value for name, value in typed.items()
    }


@pytest.mark.promise("C29", "what revision 0008 delivered is unchanged, its source not known, and not taken for empty")
def test_c29_what_revision_0008_delivered_is_not_sent_again_and_its_source_is_not_known(older_url: str) -> None:
    keys = [f"0010/P{number}" for number in range(1, 8)] + ["0010/P14 Å\x00ß€"]
    with Ledger.open(older_url) as ledger:
        found = ledger.judge(FLOW, [_of_a_source(ready(key)) for key in keys])
        assert {(each.state, each.source) for each in found.values()} == {(State.UNCHANGED, None)}
        others = ledger.judge(FLOW, [ready(f"0010/P{number}") for number in (8, 9, 10, 11)])
        assert [each.state.value for each in others.values()] == ["superseded", "in_doubt", "in_doubt", "new"]
        with ledger._database.reading() as connection:
            assert set(connection.execute(select(deliveries.c.source_fingerprint)).scalars()) == {None}
        deliver(ledger, _of_a_source(ready("0010/P1", day=6)))
        assert ledger.judge(FLOW, [ready("0010/P1", day=6)])["0010/P1"].source == "of the source"


def _of_a_source(one: Ready) -> Ready:
    return Ready(one.key, one.version, one.fingerprint, one.record, "of the source")


@pytest.mark.promise("C29", "a ledger of revision 0008 is the empty tenant's alone")
def test_c29_a_ledger_of_revision_0008_is_the_empty_tenants_alone(older_url: str) -> None:
    with Ledger.open(older_url) as ledger, Ledger.open(older_url, "nordlys") as other:
        assert set(ledger.pauses.standing()) == {"cin7"}
        assert [task.cause for task in ledger.work.all()] == ["cin7:paused", "cin7:throttled"]
        assert [hold.key for hold in ledger.open_holds()] == ["0010/P12"]
        assert ledger.decisions.of(FLOW, ["0010/P13"])["0010/P13"].reason == "a test order"
        assert ledger.agreements.of("cin7/suppliers", "S1") == {"name": "Nordlys"}
        assert len(ledger.pulls()) == len(list(ledger.stored.all())) == ledger.inbox.count() == 1
        assert ledger.history.flows() == {FLOW, "cin7/suppliers"}
        assert list(ledger.history.verify()) == []
        assert (other.history.flows(), other.pauses.standing(), other.open_holds()) == (frozenset(), {}, [])
        assert (other.pulls(), list(other.stored.all()), other.inbox.count()) == ([], [], 0)
        assert other.is_first_load(FLOW) and other.remote_ids(FLOW) == {}


@pytest.mark.promise("C29", "revision 0009 knows no account and no difference of what was before")
def test_c29_what_revision_0009_brings_begins_empty(older_url: str) -> None:
    with Ledger.open(older_url) as ledger:
        assert ledger.accounts.known("cin7") is None
        assert ledger.differences.open() == []
        assert ledger.reads.latest("ifs/purchase_order_set", "2026-11-05") is None
        assert ledger.accounts.concerned("cin7", [FLOW, "cin7/suppliers"]) == 10


@pytest.mark.promise("C29", "what a migration costs is said before it begins, and one that is killed begins anew")
def test_c29_what_a_migration_costs_is_said_and_one_that_is_killed_begins_anew(older_url: str) -> None:
    assert str(forecast(older_url)).endswith(f"is {HEAD}: no row is rewritten, it takes a moment")
    killed = "import os, signal; from mlc_dagster.ledger import Ledger; from alembic import op"
    killed += f"; op.create_index = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL); Ledger.open({older_url!r})"
    assert subprocess.run([sys.executable, "-c", killed], check=False).returncode == -signal.SIGKILL
    assert forecast(older_url) == ("0008", 0, 0, 0)
    with Ledger.open(older_url) as ledger:
        assert list(ledger.history.verify()) == []
    assert forecast(older_url) is None


def test_a_migration_that_rewrites_rows_counts_them(ledger_url: str) -> None:
    database = Database(parse(ledger_url))
    if database.is_sqlite:
        _prepare_file(str(database.url.database))
    with database.writing() as connection:
        command.upgrade(alembic_config(connection), "0003")
        names, common = "flow, key, event, version, fingerprint, detail, run_id, partition, at", "'2026-11-05 10:00:00'"
        lines = ", ".join(f"('f', 'P{number}', 'sent', '', '', '', '', '', {common})" for number in range(50))
        connection.exec_driver_sql(f"INSERT INTO attempts ({names}) VALUES {lines}")
    database.close()
    found = forecast(ledger_url)
    assert found is not None and (found.revision, found.rows) == ("0003", 50)
    assert "50 rows are rewritten, which takes about 1 s and 1 MB of room" in str(found)
