"""The tables of what is on hold, and of the causes that healing has judged; the others stand in tables.py."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, MetaData, PrimaryKeyConstraint, Table, text

from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words
from mlc_dagster.ledger.tenants import Scoped

TABLES = MetaData()

TEXT_COLUMNS = (
    *("flow", "party", "key", "missing", "amount", "currency", "scaled", "opened_at", "company"),
    *("owner", "assigned", "rules", "closed_at"),
)

holds = Table(
    "holds",
    TABLES,
    Column("id", Serial, nullable=False, autoincrement=True),
    Column("flow", Scoped, nullable=False),
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
    Column("content", Name),  # fingerprint of the record that is held: a decision is about this content alone
    Column("company", Name, nullable=False, server_default=""),  # from here to `dated`: see narrow.py
    Column("missing", Name, nullable=False, server_default=""),  # what its problems are about: accounts, suppliers
    Column("party", Words),
    Column("amount", Words),  # exact, in `currency`
    Column("currency", Name),
    Column("dated", Date),
    Column("owner", Name),  # of its flow: who is asked about it
    Column("passes_at", Moment),  # when healing last found that it would pass; null: it would not
    Column("read_number", Serial),  # of the walk that read it; null: not known
    Column("scaled", Serial),  # the amount times 10,000, to be summed and sorted; null: none, or not exact like that
    Column("assigned", Words),  # to whom a person gave it
    Column("tags", Words),  # ",urgent,asked supply,": what people call it
    PrimaryKeyConstraint("id", name="holds_pkey"),
    Index(
        "holds_open",
        "flow",
        "key",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index(
        "holds_by_cause",  # what lists count and healing goes by, without opening one hold
        "flow",
        "rules",
        "company",
        "missing",
        "updated_at",
        "id",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index(
        "holds_by_amount",  # all that the review page counts, sums and sorts by, without opening one hold
        "flow",
        "rules",
        "company",
        "missing",
        "currency",
        "scaled",
        "opened_at",
        "owner",
        "assigned",
        "closed_at",  # SQLite reads the row where a column that is asked of is not in the index
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index(
        "holds_by_text",  # what a person searches in: SQLite reads no row for it; PostgreSQL has a limit for an entry
        *TEXT_COLUMNS,
        info={"only": "sqlite"},
        sqlite_where=text("closed_at IS NULL"),
    ).ddl_if(dialect="sqlite"),
    Index(
        "holds_closed",  # what went since yesterday, by cause
        "closed_at",
        "flow",
        "rules",
        "company",
        "missing",
        sqlite_where=text("closed_at IS NOT NULL"),
        postgresql_where=text("closed_at IS NOT NULL"),
    ),
    Index(
        "holds_passing",
        "flow",
        "passes_at",
        sqlite_where=text("closed_at IS NULL AND passes_at IS NOT NULL"),
        postgresql_where=text("closed_at IS NULL AND passes_at IS NOT NULL"),
    ),
)

causes = Table(
    "causes",
    TABLES,
    Column("flow", Scoped, nullable=False),
    Column("rules", Name, nullable=False),
    Column("company", Name, nullable=False),
    Column("missing", Name, nullable=False),
    Column("mark", Name, nullable=False),  # differs when what is known of the missing value differs
    Column("began_at", Moment, nullable=False),  # of the round in which its holds are judged, or were last
    Column("place_at", Moment),  # the holds up to here, by (updated_at, id), were judged in this round; null: none
    Column("place_id", Serial, nullable=False, autoincrement=False),
    PrimaryKeyConstraint("flow", "rules", "company", "missing", name="causes_pkey"),
    sqlite_with_rowid=False,
)
