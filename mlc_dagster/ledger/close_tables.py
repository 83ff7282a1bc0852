"""The tables of month ends: each version of a company's figures, who signed which, and how mlc.yaml changed."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, text

from mlc_dagster.ledger.columns import Moment, Name, Serial, Words
from mlc_dagster.ledger.hold_tables import TABLES
from mlc_dagster.ledger.tenants import Scoped

closes = Table(
    "closes",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("company", Scoped, nullable=False),  # "company 0010"; "company " for what tells no company
    Column("period", Name, nullable=False),  # "2026-11"
    Column("version", Serial, nullable=False),  # counts up from 1 for a company and period
    Column("made_at", Moment, nullable=False),
    Column("run_id", Name, nullable=False),
    Column("fingerprint", Name, nullable=False),  # of the figures: a signature is of these alone
    Column("figures", Words, nullable=False),  # JSON
    Column("heads", Words, nullable=False),  # JSON: flow -> where its trail ended
    PrimaryKeyConstraint("id", name="closes_pkey"),
    Index("closes_by_version", "company", "period", "version", unique=True),
)

signatures = Table(
    "signatures",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("company", Scoped, nullable=False),
    Column("period", Name, nullable=False),
    Column("version", Serial, nullable=False),
    Column("fingerprint", Name, nullable=False),
    Column("who", Words, nullable=False),
    Column("reason", Words, nullable=False),  # empty: nothing was open
    Column("signed_at", Moment, nullable=False),
    Column("voided_at", Moment),  # null: the figures are those that were signed
    Column("voided_because", Words),
    PrimaryKeyConstraint("id", name="signatures_pkey"),
    Index(
        "signatures_valid",
        "company",
        "period",
        unique=True,
        sqlite_where=text("voided_at IS NULL"),
        postgresql_where=text("voided_at IS NULL"),
    ),
)

settings_seen = Table(
    "settings_seen",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("file", Scoped, nullable=False),  # "mlc.yaml"
    Column("seen_at", Moment, nullable=False),
    Column("run_id", Name, nullable=False),  # the first that saw it so
    Column("run_by", Words, nullable=False),  # who started that run; empty: not told
    Column("fingerprint", Name, nullable=False),
    Column("entries", Words, nullable=False),  # JSON: path of a value -> a digest of it, never the value
    PrimaryKeyConstraint("id", name="settings_seen_pkey"),
    Index("settings_seen_by_file", "file", "id"),
)
