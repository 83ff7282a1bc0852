"""Rooms to try a kind of flow in, by the dozen: what comes before it is delivered once, then copied."""

from __future__ import annotations

import shutil
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.entries import Attempt, Event
from mlc_dagster.sandbox import Sandbox
from mlc_dagster_tests.promises import journey
from mlc_dagster_tests.promises.kinds import PLENTY, RECORDS, Kind, books
from mlc_dagster_tests.promises.victims import Child, Victims

DELIVERED = (Event.CREATED, Event.UPDATED, Event.ADOPTED)


@dataclass(frozen=True)
class Room:
    """A sandbox and a ledger in which the flow has not run yet."""

    kind: Kind
    box: Sandbox
    database: str
    storage: str
    victims: Victims

    def start(self, run_id: str, timeout: float = 20.0, at_once: int = 1, alone: bool = True) -> Child:
        """The flow's whole journey, in a process of its own; `at_once`: in so many of its threads."""
        words = (self.box.url, self.database, self.storage, self.kind.flow, run_id, timeout, alone)
        if at_once > 1:
            return self.victims.start(journey.travel_together, at_once, *words)
        return self.victims.start(journey.travel, *words)

    def run(self, run_id: str, timeout: float = 20.0) -> dict[str, int]:
        """To its end; its account."""
        found: dict[str, int] = ended(self.start(run_id, timeout))
        return found

    def held(self) -> Counter[tuple[str, ...]]:
        """What the target has."""
        with self.box.lock:
            return Counter(self.kind.held(self.box))

    def calls(self) -> int:
        """To all systems."""
        return sum(sum(self.box.calls(system).values()) for system in self.box.systems)

    def writes(self) -> int:
        """That took effect in the target."""
        return len(self.box.journal(self.kind.system))

    def trails(self) -> dict[str, list[Attempt]]:
        """Key -> all that happened to it."""
        with Ledger.open(self.database) as ledger:
            keys = {each.key for each in attempts_of(ledger, self.kind.flow)}
            return {key: ledger.trail(self.kind.flow, key) for key in keys}

    def holds(self) -> dict[str, str]:
        with Ledger.open(self.database) as ledger:
            return {hold.key: str(hold.problems) for hold in ledger.open_holds(self.kind.flow)}


class Rooms:
    """Of one kind, each as the first. The ledger is a file, or a database on the PostgreSQL at `server`."""

    def __init__(self, kind: Kind, victims: Victims, folder: Path, server: str = "") -> None:
        self.kind, self._victims, self._folder, self._server = kind, victims, folder, server
        self._state, self._file, self._name = folder / "state", folder / "ledger.db", _new_name()
        self._lay_out()
        with self.room() as room:
            began = time.monotonic()
            account = room.run("quiet")
            self.seconds, self.good, self.calls, self.writes = (
                time.monotonic() - began,
                room.held(),
                room.calls(),
                room.writes(),
            )
        assert account["held"] == 0 and account["created"] + account["updated"] == RECORDS, account

    def _lay_out(self) -> None:
        """Fill the source, and deliver what the flow needs."""
        if self._server:
            _execute(self._server, f"CREATE DATABASE {self._name}")
        first = self._url(self._name) if self._server else f"sqlite:///{self._file}"
        ended(self._victims.start(journey.open_ledger, first))
        with Sandbox(seed="empty", limits=PLENTY, state=self._state) as box:
            books(box)
            self.kind.fill(box)
            for name in self.kind.first:
                account = ended(self._victims.start(journey.travel, box.url, first, f"{self._folder}/rows", name))
                assert account["held"] == 0 and account["created"] == RECORDS, (name, account)
            box.save()

    @contextmanager
    def room(self) -> Iterator[Room]:
        with (
            tempfile.TemporaryDirectory(dir=self._folder) as place,
            self._ledger(place) as database,
            Sandbox(seed="empty", limits=PLENTY, state=self._state) as box,
        ):
            yield Room(self.kind, box, database, f"{place}/rows", self._victims)

    @contextmanager
    def _ledger(self, place: str) -> Iterator[str]:
        """A copy of the first one."""
        if not self._server:
            shutil.copy(self._file, f"{place}/ledger.db")
            yield f"sqlite:///{place}/ledger.db"
            return
        name = _new_name()
        _execute(self._server, f"CREATE DATABASE {name} TEMPLATE {self._name}")
        yield self._url(name)
        _execute(self._server, f"DROP DATABASE {name} WITH (FORCE)")

    def _url(self, name: str) -> str:
        return self._server.replace("/postgres?", f"/{name}?")


def ended(child: Child) -> Any:
    """What a process returned; it must not fail."""
    end = child.wait(90)
    assert end.code == 0, end.said
    return end.value


def _new_name() -> str:
    return f"rooms_{uuid.uuid4().hex}"


def _execute(server: str, statement: str) -> None:
    from mlc_dagster_tests.conftest import execute

    execute(server, statement)


def attempts_of(ledger: Ledger, flow: str) -> list[Attempt]:
    """Every line of a flow's trail."""
    from sqlalchemy import select

    from mlc_dagster.ledger.tables import attempts

    told = [column for column in attempts.c if column.name not in ("seq", "hash")]
    with ledger._database.reading() as connection:
        rows = connection.execute(select(*told).where(attempts.c.flow == flow).order_by(attempts.c.id)).mappings()
        return [Attempt(**{**row, "event": Event(row["event"])}) for row in rows]
