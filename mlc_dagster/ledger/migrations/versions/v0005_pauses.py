"""A person can stop the writing to a connection; what is told of shadows and failures, and when loads ended."""

import sqlalchemy as sa
from alembic import op

from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "pauses",
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        sa.Column("connection", Name, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("who", Words, nullable=False),
        sa.Column("reason", Words, nullable=False),
        sa.Column("lifted_at", Moment),
        sa.Column("lifted_by", Words),
        sa.Column("lifted_because", Words),
        sa.PrimaryKeyConstraint("id", name="pauses_pkey"),
    )
    stands = sa.text("lifted_at IS NULL")
    op.create_index(
        "pauses_standing", "pauses", ["connection"], unique=True, sqlite_where=stands, postgresql_where=stands
    )
    op.create_table(
        "paused_loads",
        sa.Column("flow", Name, nullable=False),
        sa.Column("partition", Words, nullable=False),
        sa.Column("connection", Name, nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("run_id", Name, nullable=False),
        sa.PrimaryKeyConstraint("flow", "partition", name="paused_loads_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "loads",
        sa.Column("flow", Name, nullable=False),
        sa.Column("partition", Words, nullable=False),
        sa.Column("ended_at", Moment, nullable=False),
        sa.Column("run_id", Name, nullable=False),
        sa.PrimaryKeyConstraint("flow", "partition", name="loads_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alerts",
        sa.Column("cause", Name, nullable=False),
        sa.Column("told_at", Moment, nullable=False),
        sa.Column("untold", Serial, nullable=False),
        sa.PrimaryKeyConstraint("cause", name="alerts_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "shadowed",
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        sa.Column("flow", Name, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("mark", Name, nullable=False),
        sa.Column("does", Name, nullable=False),
        sa.Column("changes", Words, nullable=False),
        sa.Column("partition", Words, nullable=False),
        sa.Column("run_id", Name, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="shadowed_pkey"),
    )
    op.create_index("shadowed_once", "shadowed", ["flow", "key", "mark"], unique=True)
