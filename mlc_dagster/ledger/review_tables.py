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
    Column("action", Name, nullable=False),  # release, discard, accept, restore, recreate, reverse, relink, ...
    Column("content", Words, nullable=False),  # what was looked at: another content, another proposal
    Column("company", Name, nullable=False),
    Column("who", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("ended_at", Moment),  # null: it waits
    Column("ended_how", Words),  # confirmed, refused, void: ...
    Column("ended_by", Words),
    Column("argument", Words),  # of a relink: the id in the target
    Column("shown", Words),  # JSON: what was looked at, field by field
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

action_requests = Table(
    "action_requests",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("flow", Scoped, nullable=False),
    Column("key", Key, nullable=False),
    Column("action", Name, nullable=False),  # restore, recreate, reverse, relink, forget
    Column("argument", Words, nullable=False),  # of a relink: the id in the target
    Column("content", Words, nullable=False),  # what was decided on: another content, and it is void
    Column("who", Words, nullable=False),  # both: "kari, confirmed by ola"
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("taken_at", Moment),  # by a run, the first time; null: it can be withdrawn
    Column("next_at", Moment, nullable=False),  # not tried before
    Column("tries", Serial, nullable=False, autoincrement=False),
    Column("ended_at", Moment),  # null: it stands
    Column("ended_how", Name),  # done, not_done, void, withdrawn
    Column("outcome", Words),  # in words; of one that stands, why the last try came to nothing
    PrimaryKeyConstraint("id", name="action_requests_pkey"),
    Index(
        "action_requests_standing",  # one for a record
        "flow",
        "key",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("action_requests_by_key", "flow", "key", "id"),
)

saved_filters = Table(
    "saved_filters",
    TABLES,
    Column("person", Scoped, nullable=False),
    Column("name", Name, nullable=False),
    Column("query", Words, nullable=False),  # "company=20&owner=nobody"
    Column("at", Moment, nullable=False),
    PrimaryKeyConstraint("person", "name", name="saved_filters_pkey"),
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
