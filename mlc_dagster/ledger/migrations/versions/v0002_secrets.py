"""The vault: secrets, sealed."""

import sqlalchemy as sa
from alembic import op

from mlc_dagster.ledger.columns import Key, Moment, Words

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "secrets",
        sa.Column("name", Key, nullable=False),
        sa.Column("sealed", Words, nullable=False),
        sa.Column("sealed_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("name", name="secrets_pkey"),
    )
