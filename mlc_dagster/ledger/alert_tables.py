"""The tables of what was told to people: alerts, and what a connection in shadow would have done."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table

from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words
from mlc_dagster.ledger.hold_tables import TABLES
from mlc_dagster.ledger.tenants import Scoped

alerts = Table(
    "alerts",
    TABLES,
    Column("cause", Scoped, nullable=False),  # a digest of job and error
    Column("told_at", Moment, nullable=False),
    Column("untold", Serial, nullable=False),  # how often it happened since
    PrimaryKeyConstraint("cause", name="alerts_pkey"),
    sqlite_with_rowid=False,
)

shadowed = Table(
    "shadowed",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("flow", Scoped, nullable=False),
    Column("key", Key, nullable=False),
    Column("mark", Name, nullable=False),  # differs when the record, or what the ledger says of it, differs
    Column("does", Name, nullable=False),  # create, change, look first
    Column("changes", Words, nullable=False),  # JSON: [field, before, after]
    Column("partition", Words, nullable=False),
    Column("run_id", Name, nullable=False),
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="shadowed_pkey"),
    Index("shadowed_once", "flow", "key", "mark", unique=True),
)
