"""Our own connections to PostgreSQL: bounded in time, and as we need them whatever the database has as its defaults.

What a server must know is said within each transaction: a pooler in between (pgbouncer) refuses it at the start of a
connection, and would hand it on to others if it were said once.
"""

from __future__ import annotations

import os
import socket

from sqlalchemy import URL, Connection, Engine, create_engine, event, text

IDLE_SECONDS = 30
"""After which the server ends a writer that holds locks and says nothing: it was suspended, or its machine is gone.

Between two statements of a transaction we are at work for well under a second.
"""
LOCK_SECONDS = 45
"""How long a writer waits for another one's lock: long enough that a silent one was ended, and under a minute."""
CONNECT_SECONDS = 10
KEEPALIVES = {  # a server whose machine is gone is noticed within a minute, also in the midst of an answer
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
WAITED_IN_VAIN = "55P03"  # PostgreSQL's code: lock_timeout is over

_HOLDERS = text(
    """
    SELECT held.pid, act.application_name, act.usename, act.state, host(act.client_addr) AS host, act.xact_start
    FROM pg_locks held LEFT JOIN pg_stat_activity act USING (pid)
    WHERE held.granted AND held.locktype = 'relation' AND held.mode <> 'AccessShareLock'
      AND held.pid <> pg_backend_pid()
      AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND held.relation IN (SELECT oid FROM pg_class WHERE relname = ANY (:tables))
      AND NOT EXISTS (SELECT 1 FROM pg_locks AS waits WHERE waits.pid = held.pid AND NOT waits.granted)
    ORDER BY act.xact_start LIMIT 1
    """
)


def engine_for(url: URL, *, hasty: bool, reads_only: bool) -> Engine:
    """`hasty`: a commit does not wait for the disk."""
    usual = {"connect_timeout": CONNECT_SECONDS, "application_name": _our_name(), **KEEPALIVES}
    engine = create_engine(
        url,
        connect_args={name: value for name, value in usual.items() if name not in url.query},
        hide_parameters=True,  # what is delivered has no place in a traceback
        pool_pre_ping=True,  # a server that was restarted costs no run
        executemany_mode="values_plus_batch",  # else each row of an UPDATE is a round trip
        isolation_level="READ COMMITTED",  # said with each BEGIN; under a stricter one writers refuse each other
        execution_options={"postgresql_readonly": True} if reads_only else {},
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes"):
            connection.exec_driver_sql(_bounds(hasty))

    return engine


def unbounded(connection: Connection) -> None:
    """For a migration: who waits for the one that is at it waits as long as that takes."""
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")


def waited_in_vain(error: BaseException) -> bool:
    return getattr(getattr(error, "orig", None), "pgcode", None) == WAITED_IN_VAIN


def holder(connection: Connection, tables: list[str]) -> str:
    """Who has locks on these tables for the longest time; empty where nobody has any more, or the server tells not."""
    found = connection.execute(_HOLDERS, {"tables": tables}).first()
    if found is None:
        return ""
    who = [f"{found.application_name}, " if found.application_name else "", f"server process {found.pid}"]
    who += [f" of {found.usename}"] * bool(found.usename) + [f" from {found.host}"] * bool(found.host)
    since = f", {found.state} since {found.xact_start:%H:%M:%S %Z}" if found.state and found.xact_start else ""
    return "".join(who) + since


def _bounds(hasty: bool) -> str:
    """In one message to the server, which answers at once."""
    said = {"lock_timeout": f"{LOCK_SECONDS}s", "idle_in_transaction_session_timeout": f"{IDLE_SECONDS}s"}
    if hasty:
        said["synchronous_commit"] = "off"
    return "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in said.items())


def _our_name() -> str:
    """As pg_stat_activity shows it: which machine and process of ours it is."""
    return f"mlc_dagster {socket.gethostname()[:30]}:{os.getpid()}"
