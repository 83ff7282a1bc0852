"""The tables of the ledger as they are now. `migrations/` says how a database gets there; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Date,
    Float,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    text,
)

from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words

TABLES = MetaData()

flows = Table(
    "flows",
    TABLES,
    Column("flow", Name, nullable=False),
    Column("began_at", Moment, nullable=False),  # the first attempt ever: the target may hold what is older than this
    PrimaryKeyConstraint("flow", name="flows_pkey"),
)

deliveries = Table(
    "deliveries",
    TABLES,
    Column("flow", Name, nullable=False),
    Column("key", Key, nullable=False),
    Column("remote_id", Words),
    Column("fingerprint", Name),  # null: never delivered
    Column("version", Name),
    Column("link", Words),
    Column("detail", Words),
    Column("delivered_at", Moment),
    Column("run_id", Name),
    Column("partition", Words),
    Column("open_since", Moment),  # the first attempt that has no answer
    Column("open_remote_id", Words),
    Column("open_version", Name),
    PrimaryKeyConstraint("flow", "key", name="deliveries_pkey"),
    sqlite_with_rowid=False,
)

attempts = Table(
    "attempts",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("flow", Name, nullable=False),
    Column("key", Key, nullable=False),
    Column("event", Name, nullable=False),
    Column("version", Name, nullable=False),
    Column("fingerprint", Name, nullable=False),
    Column("remote_id", Words),
    Column("detail", Words, nullable=False),
    Column("run_id", Name, nullable=False),
    Column("partition", Words, nullable=False),
    PrimaryKeyConstraint("id", name="attempts_pkey"),
    Index("attempts_by_key", "flow", "key", "id"),
)

holds = Table(
    "holds",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("flow", Name, nullable=False),
    Column("key", Key, nullable=False),
    Column("version", Name, nullable=False),
    Column("rules", Name, nullable=False),  # ",gl_accounts_exist,supplier_is_delivered,"
    Column("problems", Words, nullable=False),  # JSON
    Column("row", Words, nullable=False),  # JSON
    Column("partition", Words, nullable=False),
    Column("run_id", Name, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("closed_how", Name),
    PrimaryKeyConstraint("id", name="holds_pkey"),
    Index(
        "holds_open",
        "flow",
        "key",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)

pulls = Table(
    "pulls",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("run_id", Name, nullable=False),
    Column("entity", Name, nullable=False),
    Column("partition", Words, nullable=False),
    Column("ended_at", Moment),
    Column("account", Words, nullable=False),  # JSON: all that the client wrote down
    PrimaryKeyConstraint("id", name="pulls_pkey"),
    Index("pulls_by_partition", "entity", "partition", "ended_at"),
)

sightings = Table(
    "sightings",
    TABLES,
    Column("entity", Name, nullable=False),
    Column("key", Key, nullable=False),
    Column("etag", Words, nullable=False),
    Column("placed_on", Date, nullable=False),
    PrimaryKeyConstraint("entity", "key", name="sightings_pkey"),
    Index("sightings_by_day", "entity", "placed_on", "key"),
    sqlite_with_rowid=False,
)

leases = Table(
    "leases",
    TABLES,
    Column("name", Key, nullable=False),
    Column("owner", Words, nullable=False),
    Column("token", Serial, nullable=False, autoincrement=False),  # counts up with each owner
    Column("expires_at", Moment, nullable=False),
    PrimaryKeyConstraint("name", name="leases_pkey"),
)

budgets = Table(
    "budgets",
    TABLES,
    Column("name", Key, nullable=False),
    Column("slots", LargeBinary, nullable=False),  # times of the latest slots, seconds since 1970, 8 bytes each
    Column("paused_until", Float(53), nullable=False),
    PrimaryKeyConstraint("name", name="budgets_pkey"),
)

secrets = Table(
    "secrets",
    TABLES,
    Column("name", Key, nullable=False),  # as the environment would name it: AIRBASE_TOKEN
    Column("sealed", Words, nullable=False),  # a Fernet token over JSON [name, value]
    Column("sealed_at", Moment, nullable=False),
    PrimaryKeyConstraint("name", name="secrets_pkey"),
)
