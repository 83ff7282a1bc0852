"""What is known of a delivery after it was made: the read that it came from, and when its target was last looked at.

Additive: no row that is there is touched.
"""

import sqlalchemy as sa
from alembic import op

from mlc_dagster.ledger.columns import Moment, Name, Serial, Words

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    _deliveries()
    _newness()


def _deliveries() -> None:
    for table in ("deliveries", "set_aside"):
        op.add_column(table, sa.Column("read_number", Serial))
        op.add_column(table, sa.Column("verified_at", Moment))


def _newness() -> None:
    """Of which walk a state is, and what is stale."""
    for table in ("deliveries", "set_aside"):
        op.add_column(table, sa.Column("open_read_number", Serial))
        op.add_column(table, sa.Column("stale_since", Moment))
    for table in ("holds", "decisions"):
        op.add_column(table, sa.Column("read_number", Serial))
    op.add_column("flows", sa.Column("mapped_by", Name))
    op.add_column("flows", sa.Column("compared_to", Words))
    some = sa.text("stale_since IS NOT NULL")
    op.create_index(
        "deliveries_stale", "deliveries", ["flow", "stale_since", "key"], sqlite_where=some, postgresql_where=some
    )
