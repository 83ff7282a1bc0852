"""A ledger knows which account each connection leads to, and sets aside what another one had."""

import sqlalchemy as sa
from alembic import op

from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    _accounts()
    _set_aside()


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
        sa.Column("content", Words),
        sa.PrimaryKeyConstraint("id", name="set_aside_pkey"),
    )
    op.create_index("set_aside_by_key", "set_aside", ["flow", "key", "id"])
