"""The tables of the ledger as they are now. `migrations/` says how a database gets there; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Date,
    Float,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    text,
)

from mlc_dagster.ledger.account_tables import accounts as accounts
from mlc_dagster.ledger.account_tables import set_aside as set_aside
from mlc_dagster.ledger.alert_tables import alerts as alerts
from mlc_dagster.ledger.alert_tables import shadowed as shadowed
from mlc_dagster.ledger.bank_tables import bank_marks as bank_marks
from mlc_dagster.ledger.bank_tables import salts as salts
from mlc_dagster.ledger.close_tables import closes as closes
from mlc_dagster.ledger.close_tables import settings_seen as settings_seen
from mlc_dagster.ledger.close_tables import signatures as signatures
from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words
from mlc_dagster.ledger.content_tables import contents as contents
from mlc_dagster.ledger.hold_tables import TABLES as TABLES
from mlc_dagster.ledger.hold_tables import causes as causes
from mlc_dagster.ledger.hold_tables import holds as holds
from mlc_dagster.ledger.people_events import BY_PEOPLE_CONDITION
from mlc_dagster.ledger.review_tables import action_requests as action_requests
from mlc_dagster.ledger.review_tables import answered_forms as answered_forms
from mlc_dagster.ledger.review_tables import proposals as proposals
from mlc_dagster.ledger.review_tables import saved_filters as saved_filters
from mlc_dagster.ledger.review_tables import sessions as sessions
from mlc_dagster.ledger.review_tables import users as users
from mlc_dagster.ledger.sweep_tables import stakes as stakes
from mlc_dagster.ledger.sweep_tables import sweeps as sweeps
from mlc_dagster.ledger.sweep_tables import swept as swept
from mlc_dagster.ledger.tenants import Scoped, ScopedKey
from mlc_dagster.ledger.work_tables import differences as differences
from mlc_dagster.ledger.work_tables import masters as masters
from mlc_dagster.ledger.work_tables import reads as reads
from mlc_dagster.ledger.work_tables import shown as shown
from mlc_dagster.ledger.work_tables import work as work

flows = Table(
    "flows",
    TABLES,
    Column("flow", Scoped, nullable=False),
    Column("began_at", Moment, nullable=False),  # the first attempt ever: the target may hold what is older than this
    Column("mapped_by", Name),  # of what decides a mapping, with which all that was delivered was compared, or is
    Column("compared_to", Words),  # the partition that this came to, from the newest on; null: to the end
    PrimaryKeyConstraint("flow", name="flows_pkey"),
)

deliveries = Table(
    "deliveries",
    TABLES,
    Column("flow", Scoped, nullable=False),
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
    Column("source_fingerprint", Name),  # of the source record that it was made from; null: not known
    Column("read_number", Serial),  # of the walk that read it, see reads; null: not known
    Column("verified_at", Moment),  # when the target was last asked for it; null: never since it was delivered
    Column("open_read_number", Serial),  # of the newest attempt that has no answer
    Column("stale_since", Moment),  # null: what would be made of its source now is what was delivered
    PrimaryKeyConstraint("flow", "key", name="deliveries_pkey"),
    Index(
        "deliveries_stale",
        "flow",
        "stale_since",
        "key",
        sqlite_where=text("stale_since IS NOT NULL"),
        postgresql_where=text("stale_since IS NOT NULL"),
    ),
    Index("deliveries_by_remote_id", "flow", "remote_id"),
    sqlite_with_rowid=False,
)

attempts = Table(
    "attempts",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("flow", Scoped, nullable=False),
    Column("key", Key, nullable=False),
    Column("event", Name, nullable=False),
    Column("version", Name, nullable=False),
    Column("fingerprint", Name, nullable=False),
    Column("remote_id", Words),
    Column("detail", Words, nullable=False),
    Column("run_id", Name, nullable=False),
    Column("partition", Words, nullable=False),
    Column("seq", Serial),  # its place in its flow's trail, from 1
    Column("hash", Name),  # over the line and the one before it: see chain.py
    PrimaryKeyConstraint("id", name="attempts_pkey"),
    Index("attempts_by_key", "flow", "key", "id"),
    Index(
        "attempts_by_people",  # what people decided, by its place in the trail: few among millions
        "id",
        sqlite_where=text(BY_PEOPLE_CONDITION),
        postgresql_where=text(BY_PEOPLE_CONDITION),
    ),
)

chains = Table(
    "chains",
    TABLES,
    Column("flow", Scoped, nullable=False),
    Column("seq", Serial, nullable=False, autoincrement=False),  # of the last line; who adds lines locks this row
    Column("hash", Name, nullable=False),
    PrimaryKeyConstraint("flow", name="chains_pkey"),
)

pulls = Table(
    "pulls",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("run_id", Name, nullable=False),
    Column("entity", Scoped, nullable=False),
    Column("partition", Words, nullable=False),
    Column("ended_at", Moment),
    Column("account", Words, nullable=False),  # JSON: all that the client wrote down
    Column("read_number", Serial),  # see reads; null: the release before gave none
    PrimaryKeyConstraint("id", name="pulls_pkey"),
    Index("pulls_by_partition", "entity", "partition", "ended_at"),
)

sightings = Table(
    "sightings",
    TABLES,
    Column("entity", Scoped, nullable=False),
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
    Column("name", ScopedKey, nullable=False),
    Column("owner", Words, nullable=False),
    Column("token", Serial, nullable=False, autoincrement=False),  # counts up with each owner
    Column("expires_at", Moment, nullable=False),
    Column("seconds", Float(53)),  # its period; null: the release before did not say
    PrimaryKeyConstraint("name", name="leases_pkey"),
)

budgets = Table(
    "budgets",
    TABLES,
    Column("name", ScopedKey, nullable=False),
    Column("slots", LargeBinary, nullable=False),  # times of the latest slots, seconds since 1970, 8 bytes each
    Column("paused_until", Float(53), nullable=False),
    Column("paused_for", Float(53)),  # seconds that the pause was meant to be; null: the release before did not say
    Column("quota_left", Serial),  # calls of the day, as the system said last; null: it never did
    Column("quota_most", Serial),
    Column("quota_at", Moment),
    PrimaryKeyConstraint("name", name="budgets_pkey"),
)

secrets = Table(
    "secrets",
    TABLES,
    Column("name", ScopedKey, nullable=False),  # as the environment would name it: AIRBASE_TOKEN
    Column("sealed", Words, nullable=False),  # a Fernet token over JSON [name, value]
    Column("sealed_at", Moment, nullable=False),
    PrimaryKeyConstraint("name", name="secrets_pkey"),
)

inbox = Table(
    "inbox",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("source", Scoped, nullable=False),  # "airbase"
    Column("event_id", Key, nullable=False),
    Column("kind", Words, nullable=False),  # "purchase_request_approved"
    Column("subject", Words, nullable=False),  # id of the record that it is about; empty: not told
    Column("body", Words, nullable=False),  # as it came
    Column("received_at", Moment, nullable=False),
    Column("taken_at", Moment),  # null: no run was asked for yet
    Column("run_key", Words),
    PrimaryKeyConstraint("id", name="inbox_pkey"),
    Index("inbox_by_event", "source", "event_id", unique=True),
    Index(
        "inbox_waiting",
        "source",
        "id",
        sqlite_where=text("taken_at IS NULL"),
        postgresql_where=text("taken_at IS NULL"),
    ),
)

agreed = Table(
    "agreed",
    TABLES,
    Column("pair", Scoped, nullable=False),  # "cin7/suppliers": whose suppliers agree with the ERP's
    Column("key", Key, nullable=False),  # the ERP's key
    Column("content", Words, nullable=False),  # JSON: field -> the value that both sides have
    Column("agreed_at", Moment, nullable=False),
    Column("run_id", Name, nullable=False),
    PrimaryKeyConstraint("pair", "key", name="agreed_pkey"),
    sqlite_with_rowid=False,
)

decisions = Table(
    "decisions",
    TABLES,
    Column("flow", Scoped, nullable=False),
    Column("key", Key, nullable=False),
    Column("verdict", Name, nullable=False),  # released, discarded
    Column("rules", Name, nullable=False),  # ",period_is_open,": those that a release waives
    Column("content", Name, nullable=False),  # fingerprint of the record that was decided on
    Column("who", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", Moment, nullable=False),
    Column("read_number", Serial),  # the last walk that had begun by then; null: an earlier release decided
    PrimaryKeyConstraint("flow", "key", name="decisions_pkey"),
    sqlite_with_rowid=False,
)

pauses = Table(
    "pauses",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("connection", Scoped, nullable=False),  # the section of mlc.yaml: "cin7"
    Column("at", Moment, nullable=False),
    Column("who", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("lifted_at", Moment),  # null: nothing is written to the connection
    Column("lifted_by", Words),
    Column("lifted_because", Words),
    PrimaryKeyConstraint("id", name="pauses_pkey"),
    Index(
        "pauses_standing",
        "connection",
        unique=True,
        sqlite_where=text("lifted_at IS NULL"),
        postgresql_where=text("lifted_at IS NULL"),
    ),
)

paused_loads = Table(  # of releases before this one; revision 0010 has put its lines on the work list
    "paused_loads",
    TABLES,
    Column("flow", Scoped, nullable=False),
    Column("partition", Words, nullable=False),
    Column("connection", Scoped, nullable=False),  # whose pause or silence it waits for
    Column("since", Moment, nullable=False),
    Column("run_id", Name, nullable=False),  # the run that ended without it
    Column("due_at", Moment),  # null: as soon as nothing stands in its way
    Column("why", Words),  # throttled, slice; null: a person's pause
    PrimaryKeyConstraint("flow", "partition", name="paused_loads_pkey"),
    sqlite_with_rowid=False,
)

loads = Table(
    "loads",
    TABLES,
    Column("flow", Scoped, nullable=False),
    Column("partition", Words, nullable=False),
    Column("ended_at", Moment, nullable=False),  # of its latest load that came to its end
    Column("run_id", Name, nullable=False),
    PrimaryKeyConstraint("flow", "partition", name="loads_pkey"),
    sqlite_with_rowid=False,
)

stored = Table(
    "stored",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("asset", Scoped, nullable=False),  # "ifs/purchase_order_set"
    Column("partition", Words, nullable=False),
    Column("digest", Name, nullable=False),  # SHA-256 of the whole file; empty: the rows were removed
    Column("size", Serial, nullable=False),  # bytes
    Column("rows", Serial, nullable=False),
    Column("written_at", Moment, nullable=False),
    Column("placed_at", Moment),  # null: it may have taken its place, or is about to
    Column("read_number", Serial),  # of the walk that the rows are of; null: not told
    PrimaryKeyConstraint("id", name="stored_pkey"),
    Index("stored_by_partition", "asset", "partition", "id"),
)
