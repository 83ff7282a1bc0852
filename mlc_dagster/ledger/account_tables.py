"""The tables of whose books a ledger is about: the account behind each connection, and what another account had."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, text

from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words
from mlc_dagster.ledger.hold_tables import TABLES
from mlc_dagster.ledger.tenants import Scoped

accounts = Table(
    "accounts",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("connection", Scoped, nullable=False),  # the section of mlc.yaml: "hubspot"
    Column("identity", Words, nullable=False),  # the system's own immutable id of the account: "portal 4711"
    Column("title", Words, nullable=False),  # for people
    Column("noted_at", Moment, nullable=False),
    Column("noted_by", Words, nullable=False),
    Column("replaced_at", Moment),  # null: it is the one that the connection leads to
    PrimaryKeyConstraint("id", name="accounts_pkey"),
    Index(
        "accounts_standing",
        "connection",
        unique=True,
        sqlite_where=text("replaced_at IS NULL"),
        postgresql_where=text("replaced_at IS NULL"),
    ),
)

set_aside = Table(
    "set_aside",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("connection", Scoped, nullable=False),
    Column("identity", Words, nullable=False),  # of the account that it was delivered to; empty: not known
    Column("what", Name, nullable=False),  # delivery, agreement, first attempt
    Column("flow", Scoped, nullable=False),  # of an agreement: its pair
    Column("key", Key, nullable=False),  # of a first attempt: empty
    Column("remote_id", Words),  # from here on as it stood in deliveries
    Column("fingerprint", Name),
    Column("version", Name),
    Column("link", Words),
    Column("detail", Words),
    Column("delivered_at", Moment),  # of an agreement: since when; of a first attempt: when
    Column("run_id", Name),
    Column("partition", Words),
    Column("open_since", Moment),
    Column("open_remote_id", Words),
    Column("open_version", Name),
    Column("source_fingerprint", Name),
    Column("read_number", Serial),
    Column("verified_at", Moment),
    Column("open_read_number", Serial),
    Column("stale_since", Moment),
    Column("content", Words),  # of an agreement: JSON
    PrimaryKeyConstraint("id", name="set_aside_pkey"),
    Index("set_aside_by_key", "flow", "key", "id"),
)
