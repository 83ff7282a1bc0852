"""The first schema."""

import sqlalchemy as sa
from alembic import op

from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words

revision = "0001"
down_revision = None


def upgrade() -> None:
    _deliveries()
    _attempts()
    _holds()
    _pulls()
    _shared()


def _deliveries() -> None:
    op.create_table(
        "flows",
        sa.Column("flow", Name, nullable=False),
        sa.Column("began_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("flow", name="flows_pkey"),
    )
    op.create_table(
        "deliveries",
        sa.Column("flow", Name, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("remote_id", Words),
        sa.Column("fingerprint", Name),
        sa.Column("version", Name),
        sa.Column("link", Words),
        sa.Column("detail", Words),
        sa.Column("delivered_at", Moment),
        sa.Column("run_id", Name),
        sa.Column("partition", Words),
        sa.Column("open_since", Moment),
        sa.Column("open_remote_id", Words),
        sa.Column("open_version", Name),
        sa.PrimaryKeyConstraint("flow", "key", name="deliveries_pkey"),
        sqlite_with_rowid=False,
    )


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("flow", Name, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("event", Name, nullable=False),
        sa.Column("version", Name, nullable=False),
        sa.Column("fingerprint", Name, nullable=False),
        sa.Column("remote_id", Words),
        sa.Column("detail", Words, nullable=False),
        sa.Column("run_id", Name, nullable=False),
        sa.Column("partition", Words, nullable=False),
        sa.PrimaryKeyConstraint("id", name="attempts_pkey"),
    )
    op.create_index("attempts_by_key", "attempts", ["flow", "key", "id"])
    for statement in _APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(statement)


_APPEND_ONLY = {
    "sqlite": [
        f"CREATE TRIGGER attempts_no_{verb} BEFORE {verb} ON attempts "
        "BEGIN SELECT RAISE(ABORT, 'attempts are never changed'); END"
        for verb in ("update", "delete")
    ],
    "postgresql": [
        "CREATE FUNCTION attempts_are_kept() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'attempts are never changed'; END $$",
        "CREATE TRIGGER attempts_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON attempts "
        "FOR EACH STATEMENT EXECUTE FUNCTION attempts_are_kept()",
    ],
}


def _holds() -> None:
    op.create_table(
        "holds",
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        sa.Column("flow", Name, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("version", Name, nullable=False),
        sa.Column("rules", Name, nullable=False),
        sa.Column("problems", Words, nullable=False),
        sa.Column("row", Words, nullable=False),
        sa.Column("partition", Words, nullable=False),
        sa.Column("run_id", Name, nullable=False),
        sa.Column("opened_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("closed_at", Moment),
        sa.Column("closed_how", Name),
        sa.PrimaryKeyConstraint("id", name="holds_pkey"),
    )
    is_open = sa.text("closed_at IS NULL")
    op.create_index("holds_open", "holds", ["flow", "key"], unique=True, sqlite_where=is_open, postgresql_where=is_open)


def _pulls() -> None:
    op.create_table(
        "pulls",
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        sa.Column("run_id", Name, nullable=False),
        sa.Column("entity", Name, nullable=False),
        sa.Column("partition", Words, nullable=False),
        sa.Column("ended_at", Moment),
        sa.Column("account", Words, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pulls_pkey"),
    )
    op.create_index("pulls_by_partition", "pulls", ["entity", "partition", "ended_at"])
    op.create_table(
        "sightings",
        sa.Column("entity", Name, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("etag", Words, nullable=False),
        sa.Column("placed_on", sa.Date, nullable=False),
        sa.PrimaryKeyConstraint("entity", "key", name="sightings_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_index("sightings_by_day", "sightings", ["entity", "placed_on", "key"])


def _shared() -> None:
    op.create_table(
        "leases",
        sa.Column("name", Key, nullable=False),
        sa.Column("owner", Words, nullable=False),
        sa.Column("token", Serial, nullable=False, autoincrement=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("name", name="leases_pkey"),
    )
    op.create_table(
        "budgets",
        sa.Column("name", Key, nullable=False),
        sa.Column("slots", sa.LargeBinary, nullable=False),
        sa.Column("paused_until", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("name", name="budgets_pkey"),
    )
