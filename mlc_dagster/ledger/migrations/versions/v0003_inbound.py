"""What the way into the ERP needs: events told by webhooks, values agreed on by both sides, decisions on holds."""

import sqlalchemy as sa
from alembic import op

from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        sa.Column("source", Name, nullable=False),
        sa.Column("event_id", Key, nullable=False),
        sa.Column("kind", Words, nullable=False),
        sa.Column("subject", Words, nullable=False),
        sa.Column("body", Words, nullable=False),
        sa.Column("received_at", Moment, nullable=False),
        sa.Column("taken_at", Moment),
        sa.Column("run_key", Words),
        sa.PrimaryKeyConstraint("id", name="inbox_pkey"),
    )
    op.create_index("inbox_by_event", "inbox", ["source", "event_id"], unique=True)
    waiting = sa.text("taken_at IS NULL")
    op.create_index("inbox_waiting", "inbox", ["source", "id"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "agreed",
        sa.Column("pair", Name, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("content", Words, nullable=False),
        sa.Column("agreed_at", Moment, nullable=False),
        sa.Column("run_id", Name, nullable=False),
        sa.PrimaryKeyConstraint("pair", "key", name="agreed_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "decisions",
        sa.Column("flow", Name, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("verdict", Name, nullable=False),
        sa.Column("rules", Name, nullable=False),
        sa.Column("content", Name, nullable=False),
        sa.Column("who", Words, nullable=False),
        sa.Column("reason", Words, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("flow", "key", name="decisions_pkey"),
        sqlite_with_rowid=False,
    )
    op.add_column("holds", sa.Column("content", Name))
