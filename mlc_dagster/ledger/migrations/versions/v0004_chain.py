"""The trail becomes a chain: each line carries a hash over itself and the line before it in its flow."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from mlc_dagster.core.vocabulary import version_of
from mlc_dagster.ledger.columns import Key, Moment, Name, Serial, Words
from mlc_dagster.ledger.records.chain import COMMON, OWN, START, Head, chained

revision = "0004"
down_revision = "0003"

LINES = 10_000  # read, hashed and written at once

_attempts = sa.table(
    "attempts",
    sa.column("id", Serial),
    sa.column("at", Moment),
    sa.column("flow", Name),
    sa.column("key", Key),
    *(sa.column(name, Name) for name in ("event", "version", "fingerprint", "run_id")),
    *(sa.column(name, Words) for name in ("remote_id", "detail", "partition")),
    sa.column("seq", Serial),
    sa.column("hash", Name),
)
_chains = sa.table("chains", sa.column("flow", Name), sa.column("seq", Serial), sa.column("hash", Name))


def upgrade() -> None:
    op.add_column("attempts", sa.Column("seq", Serial))
    op.add_column("attempts", sa.Column("hash", Name))
    op.create_table(
        "chains",
        sa.Column("flow", Name, nullable=False),
        sa.Column("seq", Serial, nullable=False, autoincrement=False),
        sa.Column("hash", Name, nullable=False),
        sa.PrimaryKeyConstraint("flow", name="chains_pkey"),
    )
    for statement in _UNLOCKED[op.get_bind().dialect.name]:
        op.execute(statement)
    heads = _chain_lines()
    for statement in _LOCKED[op.get_bind().dialect.name]:
        op.execute(statement)
    if heads:
        rows = [{"flow": flow, "seq": head.seq, "hash": head.hash} for flow, head in heads.items()]
        op.get_bind().execute(sa.insert(_chains), rows)


# The triggers of revision 0001 forbid every change of a line, this one too.
_UNLOCKED = {
    "sqlite": [f"DROP TRIGGER attempts_no_{verb}" for verb in ("update", "delete")],
    "postgresql": ["ALTER TABLE attempts DISABLE TRIGGER attempts_no_change"],
}
_LOCKED = {
    "sqlite": [
        f"CREATE TRIGGER attempts_no_{verb} BEFORE {verb} ON attempts "
        "BEGIN SELECT RAISE(ABORT, 'attempts are never changed'); END"
        for verb in ("update", "delete")
    ],
    "postgresql": ["ALTER TABLE attempts ENABLE TRIGGER attempts_no_change"],
}


def _chain_lines() -> dict[str, Head]:
    """Chain what is there, in the order of id; the head of each flow."""
    heads: dict[str, Head] = {}
    last = 0
    while rows := _next_lines(last):
        places = []
        for row in rows:
            common = [version_of(row[name]) if name == "at" else row[name] for name in COMMON]
            heads[row["flow"]] = chained(heads.get(row["flow"], START), common, [row])
            places.append((row["id"], heads[row["flow"]]))
        _place(places)
        last = rows[-1]["id"]
    return heads


def _next_lines(last: int) -> list[dict[str, Any]]:
    columns = [_attempts.c[name] for name in ("id", *COMMON, *OWN)]
    wanted = sa.select(*columns).where(_attempts.c.id > last).order_by(_attempts.c.id).limit(LINES)
    return [dict(row) for row in op.get_bind().execute(wanted).mappings()]


def _place(places: list[tuple[int, Head]]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        placed = (
            sa.update(_attempts)
            .where(_attempts.c.id == sa.bindparam("of_id"))
            .values(seq=sa.bindparam("to_seq"), hash=sa.bindparam("to_hash"))
        )
        rows = [{"of_id": number, "to_seq": head.seq, "to_hash": head.hash} for number, head in places]
        op.get_bind().execute(placed, rows)
        return
    columns = {
        "ids": [number for number, _ in places],
        "seqs": [head.seq for _, head in places],
        "hashes": [head.hash for _, head in places],
    }
    op.get_bind().execute(_PLACED, columns)


_PLACED = sa.text(
    "UPDATE attempts SET seq = new.seq, hash = new.hash "
    "FROM unnest(CAST(:ids AS bigint[]), CAST(:seqs AS bigint[]), CAST(:hashes AS text[])) AS new(id, seq, hash) "
    "WHERE attempts.id = new.id"
)
