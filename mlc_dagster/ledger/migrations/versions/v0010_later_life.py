"""What is known of a delivery after it was made: the read that it came from, and when its target was last looked at.

Additive: no row that is there is touched.
"""

import sqlalchemy as sa
from alembic import op

from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    _deliveries()
    _shown()


def _deliveries() -> None:
    for table in ("deliveries", "set_aside"):
        op.add_column(table, sa.Column("read_number", Serial))
        op.add_column(table, sa.Column("verified_at", Moment))


def _shown() -> None:
    op.create_table(
        "shown",
        sa.Column("flow", Name, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("content", Words, nullable=False),
        sa.Column("by", Name, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.Column("accepted", Words),
        sa.Column("restored", Words),
        sa.PrimaryKeyConstraint("flow", "key", name="shown_pkey"),
        sqlite_with_rowid=False,
    )
