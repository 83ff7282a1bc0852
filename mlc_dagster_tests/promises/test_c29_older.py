"""C29: a ledger that the release before wrote: it opens, is migrated, and nothing is sent again."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Date, MetaData, Table, insert, select, text

from mlc_dagster.core.outcomes import State
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.columns import Moment
from mlc_dagster.ledger.database import Database, parse
from mlc_dagster.ledger.opening import HEAD, VERSION_TABLE, _prepare_file, alembic_config
from mlc_dagster.ledger.tables import TABLES
from mlc_dagster_tests.ledger.samples import FLOW, deliver, events, ready

WRITTEN = Path(__file__).parents[1] / "ledger" / "revision_0003.json"  # by that release: table -> rows
COMPANIES = "hubspot/supplier_companies"


@pytest.fixture
def older_url(ledger_url: str) -> str:
    """A ledger at revision 0003, with what that release wrote into it."""
    database = Database(parse(ledger_url))
    if database.is_sqlite:
        _prepare_file(str(database.url.database))
    with database.writing() as connection:
        command.upgrade(alembic_config(connection), "0003")
    rows: dict[str, list[dict[str, Any]]] = json.loads(WRITTEN.read_text(encoding="utf-8"))
    with database.writing() as connection:
        for name, written in rows.items():
            table = _table_of_0003(name, written)
            connection.execute(insert(table), [_typed(table, row) for row in written])
            if not database.is_sqlite and "id" in table.c:
                connection.execute(text(f"SELECT setval('{name}_id_seq', max(id)) FROM {name}"))
    database.close()
    return ledger_url


def _table_of_0003(name: str, rows: list[dict[str, Any]]) -> Table:
    """The columns that the table had; none of them has changed its type since."""
    now = TABLES.tables[name]
    return Table(name, MetaData(), *(column._copy() for column in now.columns if column.name in rows[0]))


def _typed(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    times = {column.name for column in table.columns if isinstance(column.type, (Moment, Date))}
    return {name: datetime.fromisoformat(value) if value and name in times else value for name, value in row.items()}


@pytest.mark.promise("C29", "a ledger of the release before opens and sends nothing again")
def test_c29_a_ledger_of_the_release_before_opens_and_sends_nothing_again(older_url: str) -> None:
    with Ledger.open(older_url) as ledger:
        with ledger._database.reading() as connection:
            assert connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar() == HEAD
        delivered = [ready(f"0010/P{number}") for number in range(1, 9)]
        states = ledger.judge(FLOW, [*delivered, ready("0010/P13", day=6)])
        assert {standing.state for standing in states.values()} == {State.UNCHANGED}
        companies = ledger.judge(COMPANIES, [ready(f"0010/S{number}") for number in (1, 2, 3)])
        assert [each.state for each in companies.values()] == [State.UNCHANGED, State.UNCHANGED, State.SUPERSEDED]
        refused = ledger.judge(FLOW, [ready("0010/P11")])
        assert refused["0010/P11"].state is State.NEW


@pytest.mark.promise("C29", "an attempt that was open is in doubt with its id and its time")
def test_c29_an_attempt_that_was_open_is_in_doubt_with_its_id_and_its_time(older_url: str) -> None:
    with Ledger.open(older_url) as ledger:
        standings = ledger.judge(FLOW, [ready("0010/P9"), ready("0010/P10")])
        assert [each.state for each in standings.values()] == [State.IN_DOUBT, State.IN_DOUBT]
        assert [each.remote_id for each in standings.values()] == ["c-9", None]
        assert standings["0010/P9"].since == ledger.trail(FLOW, "0010/P9")[0].at


@pytest.mark.promise("C29", "holds and pulls are as they were")
def test_c29_holds_and_pulls_are_as_they_were(older_url: str) -> None:
    with Ledger.open(older_url) as ledger:
        open_now = {hold.key: hold.rules for hold in ledger.open_holds(FLOW)}
        assert open_now == {
            "0010/P11": ("accepted",),
            "0010/P12": ("gl_accounts_exist",),
            "0010/P14 Å%00ß€": ("gl_accounts_exist",),
        }
        assert len(ledger.pulls("ifs/purchase_order_set")) == 1


@pytest.mark.promise("C29", "the lines that were there are chained and the next ones follow")
def test_c29_the_lines_that_were_there_are_chained_and_the_next_ones_follow(older_url: str) -> None:
    with Ledger.open(older_url) as ledger:
        verification = ledger.history.verify()
        assert list(verification) == []
        assert verification.lines == len(json.loads(WRITTEN.read_text(encoding="utf-8"))["attempts"])
        deliver(ledger, ready("0010/P9"))
        assert events(ledger, "0010/P9") == ["sent", "begun", "sent", "created"]
        assert list(ledger.history.verify()) == []


@pytest.mark.promise("C29", "the trail stays closed to changes after the migration")
def test_c29_the_trail_stays_closed_to_changes_after_the_migration(older_url: str) -> None:
    with Ledger.open(older_url) as ledger:
        for change in ("UPDATE attempts SET detail = 'x'", "DELETE FROM attempts"):
            with pytest.raises(Exception, match="never changed"), ledger._database.writing() as connection:
                connection.exec_driver_sql(change)


@pytest.mark.promise("C29", "a migration that is cut off leaves the ledger as it was")
def test_c29_a_migration_that_is_cut_off_leaves_the_ledger_as_it_was(
    older_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("mlc_dagster.ledger.records.chain.chained", power_cut)
        with pytest.raises(KeyboardInterrupt):
            Ledger.open(older_url)
    with Ledger.open(older_url) as ledger, ledger._database.reading() as connection:
        assert connection.execute(select(TABLES.tables["chains"].c.flow)).scalars().all() == [FLOW, COMPANIES]
        assert list(ledger.history.verify()) == []
