"""Times are believed only as far as their own period reaches; what is due says when, and why."""

import sqlalchemy as sa
from alembic import op

from mlc_dagster.ledger.columns import Moment, Words

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("leases", sa.Column("seconds", sa.Float(53)))
    op.add_column("budgets", sa.Column("paused_for", sa.Float(53)))
    op.add_column("paused_loads", sa.Column("due_at", Moment))
    op.add_column("paused_loads", sa.Column("why", Words))
