"""The ledger knows each stored file of rows by its digest: missing, short or altered, it is never taken for right."""

import sqlalchemy as sa
from alembic import op

from mlc_dagster.ledger.columns import Moment, Name, Serial, Words

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "stored",
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        sa.Column("asset", Name, nullable=False),
        sa.Column("partition", Words, nullable=False),
        sa.Column("digest", Name, nullable=False),
        sa.Column("size", Serial, nullable=False),
        sa.Column("rows", Serial, nullable=False),
        sa.Column("written_at", Moment, nullable=False),
        sa.Column("placed_at", Moment),
        sa.PrimaryKeyConstraint("id", name="stored_pkey"),
    )
    op.create_index("stored_by_partition", "stored", ["asset", "partition", "id"])
