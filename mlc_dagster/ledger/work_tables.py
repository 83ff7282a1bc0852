"""The tables of what is to be done and looked at: differences found after delivery, what targets showed, the work list,
read numbers.
"""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, PrimaryKeyConstraint, Table, text

from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words
from mlc_dagster.ledger.hold_tables import TABLES
from mlc_dagster.ledger.tenants import Scoped

differences = Table(
    "differences",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("flow", Scoped, nullable=False),
    Column("key", Key, nullable=False),
    Column("kind", Name, nullable=False),  # gone_in_the_source, taken_back, edited_in_the_target, ...
    Column("field", Name, nullable=False),  # empty: the record as a whole
    Column("ours", Words),  # as text; null: there is none
    Column("theirs", Words),
    Column("amount", Words),  # what is at stake, exact, in `currency`
    Column("currency", Name),
    Column("first_seen", Moment, nullable=False),
    Column("last_seen", Moment, nullable=False),
    Column("closed_at", Moment),  # null: both sides still differ
    Column("closed_by", Words),
    Column("company", Name, nullable=False, server_default=""),  # of the document that was delivered; empty: not told
    Column("party", Words),
    Column("scaled", Serial),  # as of a hold
    Column("assigned", Words),
    Column("tags", Words),  # as of a hold
    Column("explained_until", Date),  # up to and with this day a person has said why it differs; null: nobody has
    Column("explained", Words),  # "by kari: paid on the second"
    PrimaryKeyConstraint("id", name="differences_pkey"),
    Index(
        "differences_open",
        "flow",
        "key",
        "kind",
        "field",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index(
        "differences_closed",  # what went since yesterday, by cause
        "closed_at",
        "flow",
        "kind",
        "company",
        "field",
        sqlite_where=text("closed_at IS NOT NULL"),
        postgresql_where=text("closed_at IS NOT NULL"),
    ),
    Index(
        "differences_by_amount",
        "flow",
        "kind",
        "company",
        "field",
        "currency",
        "scaled",
        "first_seen",
        "assigned",
        "closed_at",  # SQLite reads the row where a column that is asked of is not in the index
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)

masters = Table(
    "masters",
    TABLES,
    Column("flow", Scoped, nullable=False),
    Column("mark", Key, nullable=False),  # VAT number SE5566778899, name north ab (SE)
    Column("key", Key, nullable=False),
    PrimaryKeyConstraint("flow", "mark", "key", name="masters_pkey"),
    sqlite_with_rowid=False,
)

shown = Table(
    "shown",
    TABLES,
    Column("flow", Scoped, nullable=False),
    Column("key", Key, nullable=False),
    Column("content", Words, nullable=False),  # JSON: what the target showed, and what is agreed from then on
    Column("by", Name, nullable=False),  # look: all that is compared; answer: what a delivery's answer had otherwise
    Column("seen_at", Moment, nullable=False),  # older than the delivery: it is of the one before
    Column("accepted", Words),  # JSON: field -> ours and theirs, where a person said that theirs is right
    Column("restored", Words),  # JSON: field -> values of theirs in whose place ours was put back
    PrimaryKeyConstraint("flow", "key", name="shown_pkey"),
    sqlite_with_rowid=False,
)

work = Table(
    "work",
    TABLES,
    Column("flow", Scoped, nullable=False),
    Column("partition", Words, nullable=False),
    Column("state", Name, nullable=False),  # due, waiting, needs_person
    Column("asked_at", Moment, nullable=False),  # the latest request: a load that began before does not fulfil it
    Column("due_at", Moment, nullable=False),  # waiting: until then
    Column("why", Words, nullable=False),  # in words
    Column("cause", Name, nullable=False),  # alike for all that one remedy cures
    Column("attempts", Serial, nullable=False, autoincrement=False),  # runs that failed at it in a row
    Column("connection", Scoped),  # whose pause, silence or refusal it waits for; empty: none
    Column("run_id", Name),  # the run that left it; empty: none did
    Column("since", Moment),  # from when on it stands here by this cause
    Column("written_at", Moment),  # when due_at was set
    Column(
        "prepared_at", Moment
    ),  # when the prepare of what is stored as ready began; null: not since it was asked for
    PrimaryKeyConstraint("flow", "partition", name="work_pkey"),
    sqlite_with_rowid=False,
)

reads = Table(
    "reads",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),  # the read number: a later walk has a higher one
    Column("entity", Scoped, nullable=False),
    Column("partition", Words, nullable=False),
    Column("run_id", Name, nullable=False),
    Column("began_at", Moment, nullable=False),
    PrimaryKeyConstraint("id", name="reads_pkey"),
    Index("reads_by_partition", "entity", "partition", "id"),
)
