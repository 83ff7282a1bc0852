"""Whose books they are, and what is found after delivery: accounts, differences, the work list, read numbers.

Additive: no row that is there is touched, so that it takes no longer on ten million deliveries than on none.
"""

import sqlalchemy as sa
from alembic import op

from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    _accounts()
    _set_aside()
    op.add_column("deliveries", sa.Column("source_fingerprint", Name))
    op.add_column("pulls", sa.Column("read_number", Serial))
    op.add_column("stored", sa.Column("read_number", Serial))
    _differences()
    _work_and_reads()


def _accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        sa.Column("connection", Name, nullable=False),
        sa.Column("identity", Words, nullable=False),
        sa.Column("title", Words, nullable=False),
        sa.Column("noted_at", Moment, nullable=False),
        sa.Column("noted_by", Words, nullable=False),
        sa.Column("replaced_at", Moment),
        sa.PrimaryKeyConstraint("id", name="accounts_pkey"),
    )
    stands = sa.text("replaced_at IS NULL")
    op.create_index(
        "accounts_standing", "accounts", ["connection"], unique=True, sqlite_where=stands, postgresql_where=stands
    )


def _set_aside() -> None:
    op.create_table(
        "set_aside",
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("connection", Name, nullable=False),
        sa.Column("identity", Words, nullable=False),
        sa.Column("what", Name, nullable=False),
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
        sa.Column("source_fingerprint", Name),
        sa.Column("content", Words),
        sa.PrimaryKeyConstraint("id", name="set_aside_pkey"),
    )
    op.create_index("set_aside_by_key", "set_aside", ["flow", "key", "id"])


def _differences() -> None:
    op.create_table(
        "differences",
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        sa.Column("flow", Name, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("kind", Name, nullable=False),
        sa.Column("field", Name, nullable=False),
        sa.Column("ours", Words),
        sa.Column("theirs", Words),
        sa.Column("amount", Words),
        sa.Column("currency", Name),
        sa.Column("first_seen", Moment, nullable=False),
        sa.Column("last_seen", Moment, nullable=False),
        sa.Column("closed_at", Moment),
        sa.Column("closed_by", Words),
        sa.PrimaryKeyConstraint("id", name="differences_pkey"),
    )
    is_open, place = sa.text("closed_at IS NULL"), ["flow", "key", "kind", "field"]
    op.create_index(
        "differences_open", "differences", place, unique=True, sqlite_where=is_open, postgresql_where=is_open
    )


def _work_and_reads() -> None:
    op.create_table(
        "work",
        sa.Column("flow", Name, nullable=False),
        sa.Column("partition", Words, nullable=False),
        sa.Column("state", Name, nullable=False),
        sa.Column("asked_at", Moment, nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.Column("why", Words, nullable=False),
        sa.Column("cause", Name, nullable=False),
        sa.Column("attempts", Serial, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("flow", "partition", name="work_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reads",
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        sa.Column("entity", Name, nullable=False),
        sa.Column("partition", Words, nullable=False),
        sa.Column("run_id", Name, nullable=False),
        sa.Column("began_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="reads_pkey"),
    )
    op.create_index("reads_by_partition", "reads", ["entity", "partition", "id"])
