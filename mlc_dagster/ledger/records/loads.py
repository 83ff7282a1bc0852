"""When each flow was last loaded to its end, partition by partition: also where nothing had to be sent."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, func, select

from mlc_dagster.ledger.database import Database, clock, upsert
from mlc_dagster.ledger.tables import loads
from mlc_dagster.ledger.tenants import of_tenant

SENSORS = "@sensors"
"""Stands where a flow would: when the sensors that take up what is due have looked last."""


class LastLoad(NamedTuple):
    """A load that came to its end."""

    partition: str
    ended_at: datetime
    run_id: str


class Loads:
    """One line for each flow and partition: its latest."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ended(self, flow: str, partition: str, run_id: str) -> None:
        """Hasty: what is lost with the machine is told anew by the next load."""
        with self._database.writing(hasty=True) as connection:
            row = {"flow": flow, "partition": partition, "ended_at": clock(connection), "run_id": run_id}
            new = upsert(connection.dialect.name, loads).values(**row)
            changed = {"ended_at": new.excluded.ended_at, "run_id": new.excluded.run_id}
            connection.execute(new.on_conflict_do_update(index_elements=["flow", "partition"], set_=changed))

    def has(self, flow: str, partition: str) -> bool:
        """Whether it was ever loaded to its end."""
        wanted = select(loads.c.flow).where(loads.c.flow == flow, loads.c.partition == partition)
        with self._database.reading() as connection:
            return connection.execute(wanted).first() is not None

    def latest(self) -> dict[str, LastLoad]:
        """Flow -> its latest load, of any partition."""
        with self._database.reading() as connection:
            last = select(loads.c.flow, func.max(loads.c.ended_at).label("at")).where(of_tenant(loads.c.flow))
            newest = last.group_by(loads.c.flow).subquery()
            same = (loads.c.flow == newest.c.flow, loads.c.ended_at == newest.c.at)
            wanted = select(loads).join(newest, and_(*same)).where(of_tenant(loads.c.flow, walked=True))
            rows = connection.execute(wanted).all()
        return {row.flow: LastLoad(row.partition, row.ended_at, row.run_id) for row in rows if row.flow != SENSORS}

    def sensors_look(self) -> None:
        """To be told by each tick of the sensors that take up what is due."""
        self.ended(SENSORS, "", "")

    def sensors_looked_at(self) -> datetime | None:
        """When one looked last; None: none ever did."""
        wanted = select(loads.c.ended_at).where(loads.c.flow == SENSORS, loads.c.partition == "")
        with self._database.reading() as connection:
            found: datetime | None = connection.execute(wanted).scalar()
            return found
