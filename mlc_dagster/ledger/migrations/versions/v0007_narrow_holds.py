"""A hold tells at a glance what is missing, whose it is and how much; and healing remembers which causes it judged."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import sqlalchemy as sa
from alembic import op

from mlc_dagster.ledger.columns import Moment, Name, Serial, Words
from mlc_dagster.ledger.records.hold_columns import NAMES, narrow

revision = "0007"
down_revision = "0006"

AT_ONCE = 1000  # holds in memory


def upgrade() -> None:
    for column in (
        sa.Column("company", Name, nullable=False, server_default=""),
        sa.Column("missing", Name, nullable=False, server_default=""),
        sa.Column("party", Words),
        sa.Column("amount", Words),
        sa.Column("currency", Name),
        sa.Column("dated", sa.Date),
        sa.Column("owner", Name),
        sa.Column("passes_at", Moment),
    ):
        op.add_column("holds", column)
    _fill()
    is_open, passes = sa.text("closed_at IS NULL"), sa.text("closed_at IS NULL AND passes_at IS NOT NULL")
    cause = ["flow", "rules", "company", "missing", "updated_at", "id"]
    op.create_index("holds_by_cause", "holds", cause, sqlite_where=is_open, postgresql_where=is_open)
    op.create_index("holds_passing", "holds", ["flow", "passes_at"], sqlite_where=passes, postgresql_where=passes)
    op.create_table(
        "causes",
        sa.Column("flow", Name, nullable=False),
        sa.Column("rules", Name, nullable=False),
        sa.Column("company", Name, nullable=False),
        sa.Column("missing", Name, nullable=False),
        sa.Column("mark", Name, nullable=False),
        sa.Column("began_at", Moment, nullable=False),
        sa.Column("place_at", Moment),
        sa.Column("place_id", Serial, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("flow", "rules", "company", "missing", name="causes_pkey"),
        sqlite_with_rowid=False,
    )


_HOLDS = sa.table(
    "holds",
    *(sa.column(name) for name in ("id", "problems", "row", "closed_at")),
    sa.column("company", Name),
    sa.column("missing", Name),
    sa.column("party", Words),
    sa.column("amount", Words),
    sa.column("currency", Name),
    sa.column("dated", sa.Date),
)


def _fill() -> None:
    """The holds that are open now, as far as what they keep tells."""
    connection = op.get_bind()
    new: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in NAMES}
    filling = sa.update(_HOLDS).where(_HOLDS.c.id == sa.bindparam("of_id")).values(new)
    for rows in _open_holds(connection):
        connection.execute(filling, [_filled(row) for row in rows])


def _open_holds(connection: Any) -> Iterator[Any]:
    last = 0
    wanted = sa.select(_HOLDS.c.id, _HOLDS.c.problems, _HOLDS.c.row).where(_HOLDS.c.closed_at.is_(None))
    while rows := connection.execute(wanted.where(_HOLDS.c.id > last).order_by(_HOLDS.c.id).limit(AT_ONCE)).all():
        yield rows
        last = rows[-1].id


def _filled(row: Any) -> dict[str, Any]:
    problems, record = json.loads(row.problems), json.loads(row.row)
    told: dict[str, Any] = narrow((str(problem.get("subject", "")) for problem in problems), record)
    told["dated"] = told["dated"] and date.fromisoformat(told["dated"])
    return {"of_id": row.id, **{f"new_{name}": value for name, value in told.items()}}
