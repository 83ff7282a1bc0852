"""The tables of what is kept beside deliveries for a later look at their source, and of the sweeps that look."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, text

from mlc_dagster.ledger.columns import Key, Moment, Name, Words
from mlc_dagster.ledger.hold_tables import TABLES
from mlc_dagster.ledger.tenants import Scoped

stakes = Table(
    "stakes",
    TABLES,
    Column("flow", Scoped, nullable=False),
    Column("key", Key, nullable=False),
    Column("amount", Words),  # exact, in `currency`
    Column("currency", Name),
    Column("document", Key),  # of an invoice: company, supplier, invoice number
    PrimaryKeyConstraint("flow", "key", name="stakes_pkey"),
    Index(
        "stakes_by_document",
        "flow",
        "document",
        sqlite_where=text("document IS NOT NULL"),
        postgresql_where=text("document IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

sweeps = Table(
    "sweeps",
    TABLES,
    Column("entity", Scoped, nullable=False),
    Column("part", Name, nullable=False),  # "0-4": stamped so many days ago; "rest 7"; "keys"
    Column("ended_at", Moment, nullable=False),
    Column("account", Words, nullable=False),  # JSON: what it took, and what it found
    PrimaryKeyConstraint("entity", "part", name="sweeps_pkey"),
    sqlite_with_rowid=False,
)

swept = Table(
    "swept",
    TABLES,
    Column("flow", Scoped, nullable=False),
    Column("key", Key, nullable=False),
    Column("content", Name, nullable=False),  # fingerprint of the source record that its day was asked for again for
    Column("asked_at", Moment, nullable=False),
    PrimaryKeyConstraint("flow", "key", name="swept_pkey"),
    sqlite_with_rowid=False,
)
