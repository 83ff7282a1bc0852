"""A database whose tables are those of a ledger and that is none: half filled by a move, or left behind by one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text

from mlc_dagster.core.errors import Misconfigured

VERSION_TABLE = "ledger_version"  # not alembic_version: Dagster may keep its own in the same database
MOVING, MOVED = "moving", "moved"
"""In the place of a revision, so that older releases refuse it too."""
WENT = "ledger_went_to"
"""The table that says where it went."""


def refusal(connection: Connection, revision: str | None, where: str) -> Misconfigured | None:
    """Why a database with this word for a revision is no ledger; None where it is a revision."""
    if revision == MOVING:
        return Misconfigured(
            f"what is in {where} is no ledger yet: `mlc ledger move` was filling it",
            cure="Run it again: it begins anew. Until then the ledger is where it was.",
        )
    if revision == MOVED:
        to, at = went_to(connection)
        return Misconfigured(
            f"the ledger that was in {where} went to {to} on {at}: this one is left as it was, and not used any more",
            cure=f"Set MLC_DATABASE_URL to {to}. `mlc ledger move` again ends a move that was cut off.",
        )
    return None


def went_to(connection: Connection) -> tuple[str, str]:
    """(place, when) of a ledger that is marked as moved."""
    row = connection.execute(text(f"SELECT place, at FROM {WENT}")).one()  # noqa: S608 - a constant
    return str(row.place), str(row.at)


def say(connection: Connection, revision: str) -> None:
    """What stands in the place of its revision from now on."""
    connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = :word"), {"word": revision})  # noqa: S608


def leave_behind(connection: Connection, to: str, at: datetime, tables: list[str]) -> None:
    """Mark a ledger as moved. Who has it open still is refused at the next write, by the database itself."""
    connection.execute(text(f"CREATE TABLE {WENT} (place TEXT NOT NULL, at TEXT NOT NULL)"))
    row = {"place": to, "at": f"{at:%Y-%m-%d %H:%M} UTC"}
    connection.execute(text(f"INSERT INTO {WENT} VALUES (:place, :at)"), row)  # noqa: S608 - a constant
    say(connection, MOVED)
    for statement in _guards(connection.dialect.name, tables):
        connection.exec_driver_sql(statement)


def _guards(dialect: str, tables: list[str]) -> list[str]:
    words = "this ledger was moved: nothing is written to it any more"
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER moved_{table}_{verb} BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, '{words}'); END"
            for table in tables
            for verb in ("insert", "update", "delete")
        ]
    function = (
        "CREATE FUNCTION ledger_was_moved() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{words}'; END $$"
    )
    return [function] + [
        f"CREATE TRIGGER moved_{table} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_was_moved()"
        for table in tables
    ]
