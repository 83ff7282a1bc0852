"""Who executes a run: noted by its process when it begins, so that others can ask whether it is still there."""

import os
import platform
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import dagster as dg
import msgspec

NOTE = "mlc/worker"
"""The event's entry that names the worker; the tag, of a run that is made in the process that executes it."""
FIRST = 50  # engine events of a run among which the note stands
INITIAL_PID_NAMESPACE = "pid:[4026531836]"  # Linux: outside of every container


@dataclass(frozen=True)
class Place:
    """A machine since it was started, and where on it a process id means something."""

    host: str
    machine: str  # two machines may have one name
    boot: str  # empty where the system does not tell
    pids: str  # its namespace of process ids: each container has one of its own

    @classmethod
    @cache
    def here(cls) -> "Place":
        return cls(socket.gethostname(), _read("/etc/machine-id"), _read("/proc/sys/kernel/random/boot_id"), _pids())


@dataclass(frozen=True)
class Worker:
    """The process that executes a run. `started` tells it from a later one to which its pid was given."""

    run_id: str
    pid: int
    started: str | None
    place: Place

    @classmethod
    def of_this_process(cls, run_id: str) -> "Worker":
        return cls(run_id, os.getpid(), started(os.getpid()), Place.here())

    def is_there(self, here: Place | None = None) -> bool | None:
        """None where it cannot be seen from here: on another machine, or in another container."""
        here, mine = here or Place.here(), self.place
        if (mine.host, mine.machine, mine.pids) != (here.host, here.machine, here.pids):
            return None
        if mine.boot != here.boot:  # containers of one image may share name and machine id
            return False if mine.pids in ("", INITIAL_PID_NAMESPACE) else None
        now = started(self.pid)
        return None if now is None or self.started is None else now == self.started

    def noted(self) -> dict[str, str]:
        """As a tag of the run, or an entry of one of its events."""
        return {NOTE: msgspec.json.encode(asdict(self)).decode()}

    def __str__(self) -> str:
        return f"process {self.pid} on {self.place.host}"


def worker_of(run: dg.DagsterRun, instance: dg.DagsterInstance) -> Worker | None:
    """None where no process has noted itself: another location's run, or one that ended before it could.

    A run that is taken up again has the tags of the one before: their worker is not its own.
    """
    found = [run.tags[NOTE]] if NOTE in run.tags else []
    noted = (msgspec.convert(msgspec.json.decode(note), Worker) for note in (*found, *_notes(run, instance)))
    return next((worker for worker in noted if worker.run_id == run.run_id), None)


def _notes(run: dg.DagsterRun, instance: dg.DagsterInstance) -> Iterator[str]:
    kind = dg.DagsterEventType.ENGINE_EVENT
    for record in instance.get_records_for_run(run.run_id, of_type=kind, limit=FIRST).records:
        event = record.event_log_entry.dagster_event
        said = event.engine_event_data.metadata.get(NOTE) if event else None
        if said is not None:
            yield str(said.value)


def started(pid: int) -> str | None:
    """When a process was started, as its system counts. Empty: there is none, or it has ended; None: not to be seen."""
    if platform.system() != "Linux":
        return _told_by_ps(pid)
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if fields:
        return "" if fields[0] in "ZX" else fields[19]  # ticks since the start of the machine
    return None if _is_hidden(pid) else ""


def _is_hidden(pid: int) -> bool:
    """Another user's, where the system shows each user no more than his own."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return bool(_read(f"/proc/{pid}/stat"))


def _told_by_ps(pid: int) -> str | None:
    known = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    asked = ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)]
    try:
        said = subprocess.run(asked, env=known, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    state, _, since = said.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else since.strip()


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _pids() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""
