"""The tables of the review page: users, sessions, what waits for a second person, and forms that were answered."""

from __future__ import annotations

from sqlalchemy import Column, Index, PrimaryKeyConstraint, Table, text

from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words
from mlc_dagster.ledger.hold_tables import TABLES
from mlc_dagster.ledger.tenants import Scoped

users = Table(
    "users",
    TABLES,
    Column("name", Scoped, nullable=False),
    Column("token", Name, nullable=False),  # Argon2id with its salt; the token itself is nowhere
    Column("grants", Words, nullable=False),  # JSON: [[role, company]]; company *: all, and what is of none
    Column("made_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("removed_at", Moment),
    PrimaryKeyConstraint("name", name="users_pkey"),
)

sessions = Table(
    "sessions",
    TABLES,
    Column("digest", Scoped, nullable=False),  # SHA-256 of what the cookie holds
    Column("person", Words, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),  # to the minute
    Column("ended_at", Moment),
    PrimaryKeyConstraint("digest", name="sessions_pkey"),
)

proposals = Table(
    "proposals",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("flow", Scoped, nullable=False),
    Column("key", Key, nullable=False),
    Column("action", Name, nullable=False),  # release, discard, accept
    Column("content", Words, nullable=False),  # what was looked at: another content, another proposal
    Column("company", Name, nullable=False),
    Column("who", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("ended_at", Moment),  # null: it waits
    Column("ended_how", Words),  # confirmed, refused, void: ...
    Column("ended_by", Words),
    PrimaryKeyConstraint("id", name="proposals_pkey"),
    Index(
        "proposals_standing",
        "flow",
        "key",
        "action",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
)

answered_forms = Table(
    "answered_forms",
    TABLES,
    Column("once", Scoped, nullable=False),  # the form's own key: sent twice, it is one decision
    Column("person", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("outcome", Words),  # in words; null: it is under way
    PrimaryKeyConstraint("once", name="answered_forms_pkey"),
)
