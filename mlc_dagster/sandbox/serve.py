"""The sandbox in the foreground, for `mlc sandbox`."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Literal, cast

from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.sandbox.box import Sandbox
from mlc_dagster.sandbox.limits import Limits
from mlc_dagster.sandbox.seed.start import DAYS


def serve(
    port: int = 8787,
    seed: str = "demo",
    today: date | None = None,
    limits: Limits | None = None,
    state: Path | None = None,
    days: int = DAYS,
    profiles: Sequence[str] = (),
    descriptor: int | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. Prints one line with the address.

    `descriptor`: of the socket that listens, where whoever started this has taken the port for it.
    With `state`, what was sent is kept in that file and served again at the next start.
    Raises Misconfigured for a port in use, and for a profile that there is not.
    """
    if seed not in ("demo", "empty"):
        raise Misconfigured(f"there is no seed {seed!r}", cure="Give --seed demo or --seed empty.")
    which = cast(Literal["demo", "empty"], seed)
    box = Sandbox(which, today, limits=limits, port=port, state=state, days=days, profiles=profiles)
    place = box.bind(None if descriptor is None else socket.socket(fileno=descriptor))
    chosen = f"profiles {', '.join(box.profiles)}, " if box.profiles else ""
    words = f"seed {seed}, {chosen}today {box.today}; Ctrl-C stops it"
    sys.stdout.write(f"Sandbox of {', '.join(box.systems)} on {box.url}  ({words})\n")
    sys.stdout.flush()
    _run(box, place)


def _run(box: Sandbox, place: socket.socket) -> None:
    server = box.server()
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again once it has stopped
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))
    try:
        server.run(sockets=[place])
    finally:
        box.save()
        place.close()
