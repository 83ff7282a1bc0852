"""The webhooks' server in the foreground, for `mlc serve`."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import sys
import threading
import time
from functools import partial
from typing import cast

import uvicorn
from starlette.applications import Starlette

from mlc_dagster import settings as settings_file
from mlc_dagster.core.errors import Misconfigured
from mlc_dagster.core.loopback import bound_socket
from mlc_dagster.ledger import Ledger
from mlc_dagster.ledger.credentials import secret
from mlc_dagster.settings import Settings
from mlc_dagster.settings.web import WebSettings
from mlc_dagster.web.open_connections import Connection, Places
from mlc_dagster.web.repeated_warnings import Tally
from mlc_dagster.web.webhooks import LEDGER_SECONDS, build

FILES = 64  # beside connections: the ledger, the log, libraries


def serve(settings: Settings, port: int | None = None) -> None:
    """Serve until SIGINT or SIGTERM; requests in flight are answered first. Prints one line with the address.

    Raises Misconfigured: no source is on, one has no secret, the port is in use, or the ledger cannot be opened.
    """
    _check(settings)
    _allow_files(2 * settings.web.max_connections + FILES)
    with Ledger.open(settings_file.environment().database_url, settings.tenant) as ledger:
        tally = Tally(settings.web.tell_seconds)
        app = build(settings, ledger, lambda name: secret(name, lambda: ledger), tally)
        with bound_socket(settings.web.port if port is None else port) as place:
            place.listen()  # who reads the line can call at once
            sources, number = ", ".join(settings.web.sources), place.getsockname()[1]
            sys.stdout.write(f"Webhooks of {sources} on http://127.0.0.1:{number}/webhooks/  (Ctrl-C stops it)\n")
            sys.stdout.flush()
            _run(server(app, settings.web, tally), place)
            tally.tell()
    _leave()


def server(app: Starlette, web: WebSettings, tally: Tally) -> uvicorn.Server:
    """No access log: addresses may hold secrets."""
    places = Places(web.max_connections, web.request_seconds, tally.count)
    config = uvicorn.Config(
        app,
        http=cast(type[asyncio.Protocol], partial(Connection, places)),  # it is only called
        access_log=False,
        log_level="warning",
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=int(LEDGER_SECONDS) + 2,
    )
    return uvicorn.Server(config)


def _run(running: uvicorn.Server, place: socket.socket) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again once it has stopped
        signal.signal(number, lambda *_: setattr(running, "should_exit", True))
    running.run(sockets=[place])


def _leave() -> None:
    """A thread may wait for a busy ledger for half a minute more. Its sender has heard 503: nobody waits for it."""
    deadline = time.monotonic() + 1
    threads = [thread for thread in threading.enumerate() if thread is not threading.current_thread()]
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        os._exit(0)


def _allow_files(needed: int) -> None:
    """A connection is an open file, and so is one that is refused. Raises Misconfigured where there are fewer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        cure = f"Lower it to {max(4, (hard - FILES) // 2)}, or raise the limit: ulimit -n {needed}"
        raise Misconfigured(f"web.max_connections needs {needed} open files, and {hard} are allowed", cure=cure)
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _check(settings: Settings) -> None:
    """Raises Misconfigured where nobody's webhooks are taken, or nobody would ever read them."""
    if not settings.web.sources:
        raise Misconfigured(
            "no source is on: nothing to serve", cure="Name some in mlc.yaml: web: {sources: [airbase]}"
        )
    if idle := [source for source in settings.web.sources if source not in settings.targets]:
        cure = f"Add a section `{idle[0]}:`, or take {idle[0]} out of web.sources."
        raise Misconfigured(f"web.sources names {', '.join(idle)}, which is switched off in mlc.yaml", cure=cure)
