"""What is known of a delivery after it was made: the read that it came from, and when its target was last looked at.

Additive: no row that is there is touched.
"""

import sqlalchemy as sa
from alembic import op

from mlc_dagster.ledger.columns import Moment, Serial

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    _deliveries()


def _deliveries() -> None:
    for table in ("deliveries", "set_aside"):
        op.add_column(table, sa.Column("read_number", Serial))
        op.add_column(table, sa.Column("verified_at", Moment))
