"""The tables of what is known of suppliers' bank details: marks that people confirmed, never the details themselves."""

from __future__ import annotations

from sqlalchemy import Column, PrimaryKeyConstraint, Table

from mlc_dagster.ledger.columns import Key, Moment, Name, Words
from mlc_dagster.ledger.hold_tables import TABLES
from mlc_dagster.ledger.tenants import Scoped

salts = Table(
    "salts",
    TABLES,
    Column("name", Scoped, nullable=False),  # of what they are for
    Column("value", Words, nullable=False),  # random, hexadecimal; made once
    PrimaryKeyConstraint("name", name="salts_pkey"),
)

bank_marks = Table(
    "bank_marks",
    TABLES,
    Column("flow", Scoped, nullable=False),
    Column("key", Key, nullable=False),
    Column("mark", Name, nullable=False),  # salted; empty: it has none
    Column("confirmed_at", Moment, nullable=False),
    PrimaryKeyConstraint("flow", "key", name="bank_marks_pkey"),
    sqlite_with_rowid=False,
)
