"""For finance: month ends and who signed them, how mlc.yaml changed; who signs in to the page, and what waits there.

Additive: no row that is there is touched.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words

revision = "0011"
down_revision = "0010"

BY_PEOPLE = (
    "event IN ('released', 'released_once', 'discarded', 'decision_taken_back', 'accepted', 'asked_again', "
    "'relinked', 'forgotten', 'absent', 'proposed', 'refused_by_person', 'action_requested', 'action_ended', "
    "'explained', 'explanation_ended')"
)
"""What people decided, as this release lists it: an index of these few lines alone."""
HELD_TEXT = [
    *("flow", "party", "key", "missing", "amount", "currency", "scaled", "opened_at", "company"),
    *("owner", "assigned", "rules", "closed_at"),
]
"""What a person searches in, and what is counted of it."""


def upgrade() -> None:
    _closes()
    _review()
    _open_items()
    _quotas()
    decided = sa.text(BY_PEOPLE)
    if op.get_bind().dialect.name == "sqlite":  # PostgreSQL has a limit for an entry, and reads the rows
        op.create_index("holds_by_text", "holds", HELD_TEXT, sqlite_where=sa.text("closed_at IS NULL"))
    op.create_index("attempts_by_people", "attempts", ["id"], sqlite_where=decided, postgresql_where=decided)


def _closes() -> None:
    """Month ends: versions of figures, signatures, and how mlc.yaml changed."""
    op.create_table(
        "closes",
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        sa.Column("company", Name, nullable=False),
        sa.Column("period", Name, nullable=False),
        sa.Column("version", Serial, nullable=False),
        sa.Column("made_at", Moment, nullable=False),
        sa.Column("run_id", Name, nullable=False),
        sa.Column("fingerprint", Name, nullable=False),
        sa.Column("figures", Words, nullable=False),
        sa.Column("heads", Words, nullable=False),
        sa.PrimaryKeyConstraint("id", name="closes_pkey"),
    )
    op.create_index("closes_by_version", "closes", ["company", "period", "version"], unique=True)
    op.create_table(
        "signatures",
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        sa.Column("company", Name, nullable=False),
        sa.Column("period", Name, nullable=False),
        sa.Column("version", Serial, nullable=False),
        sa.Column("fingerprint", Name, nullable=False),
        sa.Column("who", Words, nullable=False),
        sa.Column("reason", Words, nullable=False),
        sa.Column("signed_at", Moment, nullable=False),
        sa.Column("voided_at", Moment),
        sa.Column("voided_because", Words),
        sa.PrimaryKeyConstraint("id", name="signatures_pkey"),
    )
    valid = sa.text("voided_at IS NULL")
    op.create_index(
        "signatures_valid",
        "signatures",
        ["company", "period"],
        unique=True,
        sqlite_where=valid,
        postgresql_where=valid,
    )
    op.create_table(
        "settings_seen",
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        sa.Column("file", Name, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.Column("run_id", Name, nullable=False),
        sa.Column("run_by", Words, nullable=False),
        sa.Column("fingerprint", Name, nullable=False),
        sa.Column("entries", Words, nullable=False),
        sa.PrimaryKeyConstraint("id", name="settings_seen_pkey"),
    )
    op.create_index("settings_seen_by_file", "settings_seen", ["file", "id"])


def _review() -> None:
    """Who signs in to the review page, what waits for a second person, which forms were answered."""
    for name, columns in _REVIEW.items():
        first = columns[0].name
        op.create_table(name, *columns, sa.PrimaryKeyConstraint(first, name=f"{name}_pkey"))
    waits = sa.text("ended_at IS NULL")
    for name, key in (("proposals", ["flow", "key", "action"]), ("action_requests", ["flow", "key"])):
        op.create_index(f"{name}_standing", name, key, unique=True, sqlite_where=waits, postgresql_where=waits)
    op.create_index("action_requests_by_key", "action_requests", ["flow", "key", "id"])
    op.create_table(
        "saved_filters",
        *_needed(person=Name, name=Name, query=Words, at=Moment),
        sa.PrimaryKeyConstraint("person", "name", name="saved_filters_pkey"),
    )


def _open_items() -> None:
    """What people call what is open, until when a difference is explained, and what went since yesterday."""
    for table in ("holds", "differences"):
        op.add_column(table, sa.Column("tags", Words))
    for column in _may_be_null(explained_until=sa.Date, explained=Words):
        op.add_column("differences", column)
    op.add_column("contents", sa.Column("dated", Name))
    over = sa.text("closed_at IS NOT NULL")
    for table, cause in (("holds", ["rules", "company", "missing"]), ("differences", ["kind", "company", "field"])):
        key = ["closed_at", "flow", *cause]
        op.create_index(f"{table}_closed", table, key, sqlite_where=over, postgresql_where=over)


def _quotas() -> None:
    """How many calls of the day a system said were left."""
    for column in (sa.Column("quota_left", Serial), sa.Column("quota_most", Serial), sa.Column("quota_at", Moment)):
        op.add_column("budgets", column)


def _needed(**kinds: Any) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name, kind in kinds.items()]


def _may_be_null(**kinds: Any) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind) for name, kind in kinds.items()]


_REVIEW = {
    "users": _needed(name=Name, token=Name, grants=Words, made_at=Moment, ends_at=Moment)
    + _may_be_null(removed_at=Moment),
    "sessions": _needed(digest=Name, person=Words, made_at=Moment, seen_at=Moment) + _may_be_null(ended_at=Moment),
    "proposals": [
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        *_needed(flow=Name, key=Key, action=Name, content=Words, company=Name, who=Words, reason=Words, at=Moment),
        *_may_be_null(ended_at=Moment, ended_how=Words, ended_by=Words, argument=Words, shown=Words),
    ],
    "action_requests": [
        sa.Column("id", Serial, nullable=False, autoincrement=True),
        *_needed(flow=Name, key=Key, action=Name, argument=Words, content=Words, who=Words, reason=Words, at=Moment),
        *_may_be_null(taken_at=Moment),
        *_needed(next_at=Moment),
        sa.Column("tries", Serial, nullable=False, autoincrement=False),
        *_may_be_null(ended_at=Moment, ended_how=Name, outcome=Words),
    ],
    "answered_forms": _needed(once=Name, person=Words, at=Moment) + _may_be_null(outcome=Words),
}
