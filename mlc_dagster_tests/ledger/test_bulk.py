"""Rows written in bulk are the rows that the columns' own types would have written."""

import random
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from mlc_dagster.ledger.bulk import PAGE, Bulk
from mlc_dagster.ledger.columns import storable, stored_key
from mlc_dagster.ledger.database import DIALECTS, upsert
from mlc_dagster.ledger.records.deliveries import _DELIVERED
from mlc_dagster.ledger.tables import deliveries

TIMES = [
    datetime(2026, 11, 5, 10, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 11, 5, 0, 30, tzinfo=timezone(timedelta(hours=2))),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
]
PIECES = ["a", "0010/P1", "\x00", "\ud800", "%", "%s", "%(key)s", "?", "'", '"', "\\", "å", "🚚", "\n", "", "x" * 700]


def text(dice: random.Random) -> str:
    return "".join(dice.choices(PIECES, k=dice.randrange(6)))


def record(dice: random.Random, number: int) -> dict[str, Any]:
    """A delivery in Python's own values."""
    words: dict[str, Any] = {name: text(dice) for name in ("remote_id", "link", "detail")}
    words |= {"source_fingerprint": "e" * 32, "read_number": number or None}
    return {"key": f"{number}{text(dice)}", "fingerprint": "f" * 32, "version": "2026-11-05", **words}


def stored(row: dict[str, Any]) -> tuple[Any, ...]:
    kept = {"key": stored_key, "remote_id": storable, "link": storable, "detail": storable}
    return tuple(kept[name](row[name]) if name in kept else row[name] for name in _DELIVERED.own)


def found(connection: Connection, flow: str) -> list[tuple[Any, ...]]:
    """As it stands in the database, without the columns' types."""
    own = "key, remote_id, fingerprint, version, link, detail, source_fingerprint, read_number"
    order = f'SELECT {own}, delivered_at, run_id, "partition"'
    rows = connection.exec_driver_sql(f"{order} FROM deliveries WHERE flow = '{flow}' ORDER BY key")
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("seed", range(4))
def test_bulk_rows_are_those_that_the_types_of_the_columns_write(ledger, seed):
    dice = random.Random(20261105 + seed)
    rows = [record(dice, number) for number in range(50)]
    common = {"delivered_at": TIMES[seed], "run_id": "run-1", "partition": f"day {text(dice)}"}
    with ledger._database.writing() as connection:
        connection.execute(insert(deliveries), [{"flow": "plain", **common, **row} for row in rows])
        _DELIVERED.write(connection, {"flow": "bulk", **common}, map(stored, rows))
        assert found(connection, "bulk") == found(connection, "plain") != []


def test_bulk_rows_of_several_pages_are_all_written_and_none_is_no_statement(ledger):
    rows = [{**record(random.Random(1), number), "key": f"{number:05}"} for number in range(2 * PAGE + 1)]
    common = {"flow": "bulk", "delivered_at": TIMES[0], "run_id": "run-1", "partition": ""}
    with ledger._database.writing() as connection:
        _DELIVERED.write(connection, common, [])
        assert found(connection, "bulk") == []
        _DELIVERED.write(connection, common, map(stored, rows))
        assert [row[0] for row in found(connection, "bulk")] == [row["key"] for row in rows]


def test_a_time_without_a_zone_is_refused_in_bulk_too(ledger):
    common = {"flow": "bulk", "delivered_at": datetime(2026, 11, 5), "run_id": "run-1", "partition": ""}
    with ledger._database.writing() as connection, pytest.raises(ValueError, match="without a zone"):
        _DELIVERED.write(connection, common, [stored(record(random.Random(1), 1))])


def test_a_statement_with_values_beside_its_rows_is_refused(sqlite_ledger):
    hidden = {name: upsert(name, deliveries).values(detail="beside") for name in DIALECTS}
    with sqlite_ledger._database.writing() as connection, pytest.raises(TypeError, match="as literals"):
        Bulk(hidden, alike=("flow",), own=("key",)).write(connection, {"flow": "bulk"}, [("P1",)])
