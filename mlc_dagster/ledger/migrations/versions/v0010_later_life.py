"""What is known of a delivery after it was made: the read that it came from, and when its target was last looked at;
one list of what is due.

Additive: no row that is there is touched.
"""

import sqlalchemy as sa
from alembic import op

from mlc_dagster.core.amounts import scaled
from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    _deliveries()
    _owners()
    _masters()
    _bank_marks()
    _sweeps()
    _contents()
    _work()
    _shown()
    _newness()
    _open_items()


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


def _sweeps() -> None:
    """What is kept for a later look at the source, and the sweeps that look."""
    op.create_table(
        "stakes",
        sa.Column("flow", Name, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("amount", Words),
        sa.Column("currency", Name),
        sa.Column("document", Key),
        sa.PrimaryKeyConstraint("flow", "key", name="stakes_pkey"),
        sqlite_with_rowid=False,
    )
    told = sa.text("document IS NOT NULL")
    op.create_index("stakes_by_document", "stakes", ["flow", "document"], sqlite_where=told, postgresql_where=told)
    op.create_table(
        "sweeps",
        sa.Column("entity", Name, nullable=False),
        sa.Column("part", Name, nullable=False),
        sa.Column("ended_at", Moment, nullable=False),
        sa.Column("account", Words, nullable=False),
        sa.PrimaryKeyConstraint("entity", "part", name="sweeps_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "swept",
        sa.Column("flow", Name, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("content", Name, nullable=False),
        sa.Column("asked_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("flow", "key", name="swept_pkey"),
        sqlite_with_rowid=False,
    )


def _owners() -> None:
    op.create_index("deliveries_by_remote_id", "deliveries", ["flow", "remote_id"])


def _contents() -> None:
    op.create_table(
        "contents",
        sa.Column("flow", Name, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("fingerprint", Name, nullable=False),
        sa.Column("salt", Name, nullable=False),
        sa.Column("content", Words, nullable=False),
        sa.Column("first_sent_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("flow", "key", "fingerprint", name="contents_pkey"),
        sqlite_with_rowid=False,
    )


WAITED = {None: "paused", "throttled": "throttled", "slice": "slice"}
"""Why a load stands in paused_loads -> the word for it on the work list."""


def _work() -> None:
    for name, kind in (("connection", Name), ("run_id", Name), ("since", Moment), ("written_at", Moment)):
        op.add_column("work", sa.Column(name, kind))
    op.add_column("work", sa.Column("prepared_at", Moment))
    _move_paused_loads()


def _move_paused_loads() -> None:
    """Onto the work list. The lines stay where they are too: nobody reads them any more."""
    columns = [sa.column(name, Moment) for name in ("since", "due_at")]
    names = ("flow", "partition", "connection", "run_id", "why")
    left = sa.table("paused_loads", *columns, *(sa.column(name, Name) for name in names))
    moments = [sa.column(name, Moment) for name in ("asked_at", "due_at", "since", "written_at")]
    words = ("flow", "partition", "state", "why", "cause", "connection", "run_id")
    work = sa.table("work", *moments, *(sa.column(name, Name) for name in words), sa.column("attempts", Serial))
    rows = [_task(row) for row in op.get_bind().execute(sa.select(left)).mappings()]
    if rows:
        op.get_bind().execute(sa.insert(work), rows)


def _task(row: sa.RowMapping) -> dict[str, object]:
    name = str(row["connection"])
    plain = name.partition("/")[2] if name.startswith("!") else name
    at, word = row["since"], WAITED.get(row["why"], "paused")
    return {
        "flow": row["flow"],
        "partition": row["partition"],
        "state": "waiting" if word == "throttled" else "due",
        "asked_at": at,
        "due_at": row["due_at"] or at,
        "why": f"{plain}: {word}",
        "cause": f"{plain}:{word}",
        "attempts": 0,
        "connection": name,
        "run_id": row["run_id"],
        "since": at,
        "written_at": at,
    }


def _masters() -> None:
    op.create_table(
        "masters",
        sa.Column("flow", Name, nullable=False),
        sa.Column("mark", Key, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.PrimaryKeyConstraint("flow", "mark", "key", name="masters_pkey"),
        sqlite_with_rowid=False,
    )


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


def _bank_marks() -> None:
    """Salted marks of suppliers' bank details, and the salt."""
    op.create_table(
        "salts",
        sa.Column("name", Name, nullable=False),
        sa.Column("value", Words, nullable=False),
        sa.PrimaryKeyConstraint("name", name="salts_pkey"),
    )
    op.create_table(
        "bank_marks",
        sa.Column("flow", Name, nullable=False),
        sa.Column("key", Key, nullable=False),
        sa.Column("mark", Name, nullable=False),
        sa.Column("confirmed_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("flow", "key", name="bank_marks_pkey"),
        sqlite_with_rowid=False,
    )


def _open_items() -> None:
    """What the review page counts, sums and sorts by; filled in for what is open already."""
    for table, columns in _COUNTED.items():
        for name, kind in (("scaled", Serial), ("assigned", Words)):
            op.add_column(table, sa.Column(name, kind))
        if table == "differences":
            op.add_column(table, sa.Column("company", Name, nullable=False, server_default=""))
            op.add_column(table, sa.Column("party", Words))
        _scale(table)
        is_open = sa.text("closed_at IS NULL")
        op.create_index(f"{table}_by_amount", table, columns, sqlite_where=is_open, postgresql_where=is_open)


_COUNTED = {
    "holds": [
        "flow",
        "rules",
        "company",
        "missing",
        "currency",
        "scaled",
        "opened_at",
        "owner",
        "assigned",
        "closed_at",
    ],
    "differences": ["flow", "kind", "company", "field", "currency", "scaled", "first_seen", "assigned", "closed_at"],
}


def _scale(name: str) -> None:
    table = sa.table(name, *(sa.column(each, Serial) for each in ("id", "scaled")), sa.column("amount", Words))
    table.append_column(sa.column("closed_at", Moment))
    wanted = sa.select(table.c.id, table.c.amount).where(table.c.closed_at.is_(None), table.c.amount != "")
    found = [(row.id, scaled(row.amount)) for row in op.get_bind().execute(wanted)]
    if rows := [{"of_id": number, "value": value} for number, value in found if value is not None]:
        put = sa.update(table).where(table.c.id == sa.bindparam("of_id")).values(scaled=sa.bindparam("value"))
        op.get_bind().execute(put, rows)
