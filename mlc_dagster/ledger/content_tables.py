"""The table of what was sent: each content once, beside the chain that holds its salted hash."""

from __future__ import annotations

from sqlalchemy import Column, PrimaryKeyConstraint, Table

from mlc_dagster.ledger.columns import Key, Moment, Name, Words
from mlc_dagster.ledger.hold_tables import TABLES
from mlc_dagster.ledger.tenants import Scoped

contents = Table(
    "contents",
    TABLES,
    Column("flow", Scoped, nullable=False),
    Column("key", Key, nullable=False),
    Column("fingerprint", Name, nullable=False),  # of the record, as in attempts
    Column("salt", Name, nullable=False),  # without it the hash in the chain tells nothing of an erased content
    Column("content", Words, nullable=False),  # JSON: the target record as it was handed to the client
    Column("first_sent_at", Moment, nullable=False),
    Column("dated", Name),  # its own date, "2026-11-05"; empty: it tells none; null: an earlier release kept it
    PrimaryKeyConstraint("flow", "key", "fingerprint", name="contents_pkey"),
    sqlite_with_rowid=False,
)
